"""``backprop-tui trace``: the walk as text, as JSON and as arrays."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main
from tui_backprop.data.samples import load
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.session.presets import NETWORKS, PRESETS
from tui_backprop.session.session_parts import GRAINS


def trace(*arguments, before=(), code=0):
    result = CliRunner().invoke(main, [*before, "trace", *arguments])
    assert result.exit_code == code, result.output
    return result


def as_json(*arguments, before=(), code=0):
    return json.loads(trace(*arguments, "--json", before=before, code=code).stdout)


def saved(path, *arguments):
    trace("--save", str(path), *arguments)
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_has_every_step_with_its_number_and_phase(name):
    lines = trace("--preset", name).stdout.splitlines()
    for step in walk(PRESETS[name].network, PRESETS[name].batch, PRESETS[name].optimizer):
        assert f"{step.index:>3}  {step.phase}, layer {step.block}: {step.op}" in lines
    assert all(len(text) <= 120 and text == text.rstrip() for text in lines)


def test_the_text_begins_with_the_network_and_the_data():
    network, data, *_ = trace().stdout.splitlines()
    assert "784,256,256,256,10 relu, cross-entropy" in network
    assert "335,114 parameters" in network
    assert data.startswith('data     digits, sample 22, a "2"')


def test_the_same_command_prints_the_same_text():
    assert trace("--preset", "xor").stdout == trace("--preset", "xor").stdout


def test_the_json_has_the_promised_fields():
    printed = as_json()
    assert {"network", "parameters", "loss", "steps"} <= printed.keys()
    assert printed["parameters"] == 335_114
    assert 0 < printed["loss"] < 10
    assert printed["network"]["layers"] == [784, 256, 256, 256, 10]
    for index, step in enumerate(printed["steps"]):
        assert {"index", "phase", "layer", "op", "formula", "shapes", "flops"} <= step.keys()
        assert step["index"] == index
        assert step["phase"] in ("forward", "loss", "backward", "update")
        assert step["formula"].isascii()
        assert all(name.isascii() for name in step["shapes"])
        assert isinstance(step["flops"], int)
        assert isinstance(step["bytes"], int)


def test_the_json_s_floating_point_operations_are_near_two_a_multiply_accumulate():
    steps = as_json()["steps"]
    flops = sum(step["flops"] for step in steps if step["phase"] != "update")
    macs = 334_336 + 334_336 + 133_632
    assert 2 * macs < flops < 2.01 * macs
    assert sum(step["flops"] for step in steps if step["phase"] == "update") == 2 * 335_114


def test_the_json_s_shapes_are_those_of_the_batch():
    step = as_json("--batch", "3")["steps"][1]
    assert step["formula"] == "z1 = x W1 + b1"
    assert step["shapes"] == {"z1": [3, 256], "x": [3, 784], "W1": [784, 256], "b1": [256]}


def test_the_json_of_a_diverged_pass_is_still_json():
    printed = as_json("--layers", "784,10", "--loss", "mse", "--lr", "1e300", code=1)
    assert printed["loss_after"] in ("NaN", "Infinity")
    assert printed["loss"] > 0
    assert "sgd at alpha = 1e+300 overflows float32" in printed["reason"]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_saved_arrays_are_exactly_the_promised_ones(tmp_path, bias, dtype):
    options = ["--layers", "784,20,30,10", "--batch", "3", "--dtype", dtype, *([] if bias else ["--no-bias"])]
    arrays = saved(tmp_path / "pass.npz", *options)
    wanted = {"x": (3, 784), "target": (3,), "loss": ()}
    for k, (fan_in, fan_out) in enumerate(((784, 20), (20, 30), (30, 10)), 1):
        wanted |= {f"W{k}": (fan_in, fan_out), f"dW{k}": (fan_in, fan_out)}
        wanted |= {f"b{k}": (fan_out,), f"db{k}": (fan_out,)} if bias else {}
        wanted |= {f"{name}{k}": (3, fan_out) for name in ("z", "a", "delta")}
    assert {name: array.shape for name, array in arrays.items()} == wanted
    assert {array.dtype for name, array in arrays.items() if name != "target"} == {np.dtype(dtype)}
    assert arrays["target"].dtype.kind == "i"


def sigma(z):
    return 1 / (1 + np.exp(-z))


def gelu_slope(z, a):
    t, inner = np.tanh((2 / np.pi) ** 0.5 * (z + 0.044715 * z**3)), (2 / np.pi) ** 0.5 * (1 + 0.134145 * z**2)
    return (1 + t) / 2 + z * (1 - t**2) * inner / 2


SLOPE = {
    "relu": lambda z, a: z > 0,
    "leaky-relu": lambda z, a: np.where(z > 0, 1, 0.01),
    "elu": lambda z, a: np.where(z > 0, 1, np.exp(z)),
    "gelu": gelu_slope,
    "silu": lambda z, a: sigma(z) * (1 + z * (1 - sigma(z))),
    "softplus": lambda z, a: sigma(z),
    "tanh": lambda z, a: 1 - a**2,
    "sigmoid": lambda z, a: a * (1 - a),
    "identity": lambda z, a: 1,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_saved_arrays_agree_with_each_other(tmp_path, activation):
    f = saved(
        tmp_path / "pass.npz", "--layers", "784,20,30,10", "--activation", activation, "--batch", "4",
        "--sample", "3998", "--dtype", "float64",
    )  # fmt: skip
    a = f["x"]
    for k in (1, 2, 3):
        np.testing.assert_allclose(f[f"z{k}"], a @ f[f"W{k}"] + f[f"b{k}"], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(f[f"dW{k}"], a.T @ f[f"delta{k}"], rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(f[f"db{k}"], f[f"delta{k}"].sum(axis=0), rtol=1e-12, atol=1e-16)
        a = f[f"a{k}"]
    np.testing.assert_array_equal(f["a3"], f["z3"])  # before the loss's own softmax
    p = np.exp(f["z3"]) / np.exp(f["z3"]).sum(axis=1, keepdims=True)
    assert f["loss"] == pytest.approx(-np.log(p[range(4), f["target"]]).mean(), rel=1e-12)
    np.testing.assert_allclose(f["delta3"], (p - np.eye(10)[f["target"]]) / 4, rtol=1e-12, atol=1e-16)
    for k in (2, 1):
        back = f[f"delta{k + 1}"] @ f[f"W{k + 1}"].T * SLOPE[activation](f[f"z{k}"], f[f"a{k}"])
        np.testing.assert_allclose(f[f"delta{k}"], back, rtol=1e-12, atol=1e-16)
    labels = load("digits", 0).target
    assert f["target"].tolist() == labels[[3998, 3999, 0, 1]].tolist()


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "cross-entropy"])
def test_the_saved_target_is_like_the_output_where_the_loss_takes_no_labels(tmp_path, loss):
    arrays = saved(tmp_path / "pass.npz", "--preset", "xor", "--loss", loss)
    assert arrays["target"].shape == arrays["z2"].shape == (4, 1)
    assert arrays["target"].dtype == np.float64


def test_saving_takes_the_name_as_it_is_given_and_says_so_on_stderr(tmp_path):
    path = tmp_path / "plain"
    result = trace("--preset", "xor", "--save", str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["plain"]
    assert result.stdout == ""
    assert str(path) in result.stderr


def test_saving_and_json_go_together(tmp_path):
    result = trace("--preset", "xor", "--json", "--save", str(tmp_path / "pass.npz"))
    assert json.loads(result.stdout)["parameters"] == 9
    with np.load(tmp_path / "pass.npz") as arrays:
        assert arrays["loss"] == json.loads(result.stdout)["loss"]


def test_every_option_is_heard():
    printed = as_json(
        "--layers", "2,5,3", "--activation", "sigmoid", "--loss", "mse", "--init", "lecun", "--dtype", "float64",
        "--seed", "9", "--data", "spiral", "--sample", "4", "--batch", "2", "--lr", "0.125", "--no-bias",
        "--layer-norm", "--residual", "--dropout", "0.25", "--l2", "0.5", "--optimizer", "adam", "--beta1", "0.8",
        "--beta2", "0.75", "--epsilon", "1e-6", "--weight-decay", "0.0625", "--clip", "2", "--schedule", "step",
        "--warmup", "4", "--horizon", "12", "--no-decay-bias", "--output-activation", "tanh", "--input-gradient",
        "--freeze", "2",
    )  # fmt: skip
    assert printed["network"] == {
        "kind": "dense",
        "layers": [2, 5, 3], "activation": "sigmoid", "output_activation": "tanh", "input_gradient": True,
        "loss": "mse", "init": "lecun", "dtype": "float64",
        "bias": False, "seed": 9, "layer_norm": True, "residual": True, "dropout": 0.25, "l2": 0.5,
        "l2_bias": False, "frozen": [2], "start": "",
    }  # fmt: skip
    assert printed["data"] == {
        "name": "spiral",
        "sample": 4,
        "batch": 2,
        "samples": [4, 5],
        "part": None,
        "validation": 0,
    }
    assert printed["lr"] == 0.125
    assert printed["optimizer"] == {
        "name": "adam", "momentum": 0.9, "beta1": 0.8, "beta2": 0.75, "rho": 0.99, "epsilon": 1e-6,
        "weight_decay": 0.0625, "decay_bias": False, "clip": 2.0,
        "schedule": "step", "warmup": 4, "horizon": 12, "alpha": 0.125 / 4,
    }  # fmt: skip


def test_activations_may_be_a_list_and_an_initialization_have_a_size():
    network = as_json("--layers", "784,8,9,10", "--activation", "relu,tanh", "--init", "constant:-0.25")[
        "network"
    ]
    assert (network["activation"], network["init"]) == ("relu,tanh", "constant:-0.25")


def test_the_default_optimizer_is_plain_gradient_descent():
    optimizer = as_json()["optimizer"]
    assert (optimizer["name"], optimizer["clip"], optimizer["weight_decay"]) == ("sgd", 0, 0)
    assert optimizer["alpha"] == as_json()["lr"] == 0.01


ROUGH = (
    "--data", "moons", "--layers", "2,6,6,2", "--activation", "silu,tanh", "--layer-norm", "--residual", "--dropout",
    "0.5", "--l2", "0.125", "--batch", "5", "--dtype", "float64", "--lr", "0.1",
)  # fmt: skip


def test_the_saved_arrays_of_a_network_with_everything_agree_with_each_other(tmp_path):
    f = saved(tmp_path / "pass.npz", *ROUGH)
    a, close = f["x"], partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-15)
    bend = {1: lambda n: n * sigma(n), 2: np.tanh}
    for k in (1, 2):
        z = a @ f[f"W{k}"] + f[f"b{k}"]
        v = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
        n = f[f"gamma{k}"] * v + f[f"beta{k}"]
        h = bend[k](n)
        r = h * f[f"mask{k}"]
        close(f[f"z{k}"], z)
        close(f[f"n{k}"], n)
        close(f[f"h{k}"], h)
        close(f.get(f"r{k}", f[f"a{k}"]), r)
        close(f[f"a{k}"], r + a if k == 2 else r)
        close(f[f"dgamma{k}"], (f[f"dn{k}"] * v).sum(axis=0))
        close(f[f"dbeta{k}"], f[f"dn{k}"].sum(axis=0))
        a = f[f"a{k}"]
    close(f["da2"], f["delta3"] @ f["W3"].T)
    close(f["dn2"], f["da2"] * f["mask2"] * (1 - f["h2"] ** 2))
    close(f["dn1"], (f["delta2"] @ f["W2"].T + f["da2"]) * f["mask1"] * SLOPE["silu"](f["n1"], None))
    for k, before in ((1, "x"), (2, "a1"), (3, "a2")):
        close(f[f"dW{k}"], f[before].T @ f[f"delta{k}"] + 0.125 * f[f"W{k}"])
    p = np.exp(f["z3"]) / np.exp(f["z3"]).sum(axis=1, keepdims=True)
    penalty = 0.125 / 2 * sum((f[f"W{k}"] ** 2).sum() for k in (1, 2, 3))
    assert f["loss"] == pytest.approx(-np.log(p[range(5), f["target"]]).mean() + penalty, rel=1e-12)
    assert set(np.unique(f["mask1"])) == {0, 2}
    assert f["target"].dtype.kind == "i"
    assert all(name.isascii() for name in f)


@pytest.mark.parametrize(
    ("optimizer", "slots"), [("sgd", ""), ("momentum", "v"), ("rmsprop", "v"), ("adamw", "mv")]
)
def test_the_slots_of_the_optimizer_are_saved_under_the_names_of_their_parameters(tmp_path, optimizer, slots):
    f = saved(tmp_path / "pass.npz", *ROUGH, "--optimizer", optimizer)
    names = {name[1:] for name in f if name[0] == "d" and not name.startswith(("delta", "dn", "da"))}
    assert {"W1", "b3", "gamma2", "beta1"} <= names
    after = (*slots, "new") if optimizer != "sgd" else ()
    assert {name for name in f if "_" in name} == {f"{slot}_{name}" for slot in after for name in names}
    for name in names if slots == "mv" else ():
        np.testing.assert_allclose(f[f"m_{name}"], 0.1 * f[f"d{name}"], rtol=1e-12)
        np.testing.assert_allclose(f[f"v_{name}"], 0.001 * f[f"d{name}"] ** 2, rtol=1e-12)
        step = 0.1 * f[f"d{name}"] / (np.abs(f[f"d{name}"]) + 1e-8)  # adam's first, with its bias corrected
        np.testing.assert_allclose(f[f"new_{name}"], f[name] - step, rtol=1e-10, atol=1e-15)


def test_the_text_names_all_that_the_network_and_the_optimizer_are_made_of():
    text = trace(
        *ROUGH, "--optimizer", "adamw", "--weight-decay", "0.01", "--clip", "1", "--schedule", "cosine"
    ).stdout
    head = " ".join(text.partition("\n\n")[0].split())
    assert head == (
        "network 2,6,6,2 silu,tanh, layer norm, residual, dropout 0.5, cross-entropy, L2 penalty λ = 0.125"
        " of weights only, init he, seed 0, float64, 98 parameters data moons, samples 0-4 update adamw, α = 0.1,"
        " β₁ = 0.9, β₂ = 0.999, ε = 1e-8, weight decay 0.01 of weights, biases, gains and shifts, clip 1, cosine"
        " over 1000 iterations"
        " note ε is added outside the root, after the correction of V, as in PyTorch"
        " note the gradient of all parameters is clipped by its norm; PyTorch divides by the norm + 1e-6"
        " note weight decay is decoupled: it is no part of the gradient; it acts on weights, biases, gains and shifts"
        " note the L2 penalty is part of the loss and of its gradient; it acts on weights only"
    )
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("flag", "decay", "l2"),
    [("", True, False), ("--decay-bias", True, True), ("--no-decay-bias", False, False)],
)
def test_one_option_says_whether_biases_decay_and_are_penalized(flag, decay, l2):
    printed = as_json("--preset", "xor", "--weight-decay", "0.1", "--l2", "0.1", *filter(None, [flag]))
    assert (printed["optimizer"]["decay_bias"], printed["network"]["l2_bias"]) == (decay, l2)


def test_the_text_of_a_plain_network_names_nothing_that_it_does_not_have():
    *_, update = trace().stdout.splitlines()[:3]
    assert update == "update   sgd, α = 0.01"


def test_options_before_the_command_count_and_those_after_it_win():
    printed = as_json("--lr", "0.25", before=["--preset", "xor", "--lr", "4", "--no-bias", "--seed", "3"])
    assert printed["parameters"] == 6
    assert (printed["lr"], printed["network"]["seed"], printed["network"]["bias"]) == (0.25, 3, False)


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        ("sine", [1, 256, 256, 256, 1], "mse"),
        ("spiral", [2, 256, 256, 256, 3], "cross-entropy"),
        ("digits", [784, 256, 256, 256, 10], "cross-entropy"),
    ],
)
def test_what_is_not_given_is_made_to_fit_the_data(data, layers, loss):
    network = as_json("--data", data)["network"]
    assert (network["layers"], network["loss"]) == (layers, loss)


def test_the_default_is_the_lesson():
    assert as_json() == as_json("--preset", "lesson")
    assert as_json()["parameters"] == NetworkSpec().parameters


@pytest.mark.parametrize("lr", ["1e30", "1e200", "1e300"])
@pytest.mark.parametrize("name", PRESETS)
def test_a_step_far_too_long_is_printed_like_any_other(name, lr):
    result = CliRunner().invoke(main, ["trace", "--preset", name, "--lr", lr])
    assert result.exit_code == ("not finite" in result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 120


@pytest.mark.parametrize("grain", GRAINS)
def test_the_walk_is_printed_in_any_grain(grain):
    found = as_json("--preset", "xor", "--grain", grain)
    steps = walk(PRESETS["xor"].network, PRESETS["xor"].batch, grain=grain)
    assert [step["op"] for step in found["steps"]] == [step.op for step in steps]
    text = trace("--preset", "xor", "--grain", grain).stdout
    assert all(f"{step.index:>3}  {step.phase}, layer {step.block}: {step.op}" in text for step in steps)


def test_the_gradients_of_frozen_layers_are_left_out_and_named(tmp_path):
    path = tmp_path / "walk.npz"
    said = trace("--preset", "xor", "--freeze", "1", "--save", str(path)).stderr
    assert "arrays written, without dW1, db1 (frozen)" in said
    with np.load(path) as file:
        assert {"W1", "b1", "dW2", "db2", "z1", "delta2"} <= {*file}
        assert not {"dW1", "db1", "delta1"} & {*file}
    assert "without" not in trace("--preset", "xor", "--save", str(path)).stderr


@pytest.mark.parametrize(("how", "letters"), [((), "•anita"), (("--plain",), "*anita")])
def test_the_input_of_a_text_is_its_letters(how, letters):
    text = trace("--preset", "microgpt", *how).stdout
    first = text[: text.index("embedding")]
    assert letters in first
    assert "norm" not in first
