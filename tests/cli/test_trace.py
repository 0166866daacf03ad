"""``backprop-tui trace``: the walk as text, as JSON and as arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli import main
from tui_backprop.data.samples import load
from tui_backprop.engine.spec import ACTIVATIONS, LOSSES, NetworkSpec
from tui_backprop.engine.trace import PHASES, walk
from tui_backprop.presets import PRESETS


def trace(*arguments, before=()):
    result = CliRunner().invoke(main, [*before, "trace", *arguments])
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments, before=()):
    return json.loads(trace(*arguments, "--json", before=before).stdout)


def saved(path, *arguments):
    trace("--save", str(path), *arguments)
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("name", PRESETS)
def test_the_text_has_every_step_with_its_number_and_phase(name):
    lines = trace("--preset", name).stdout.splitlines()
    for step in walk(PRESETS[name].network, PRESETS[name].batch):
        assert f"{step.index:>3}  {step.phase}, layer {step.layer}: {step.op}" in lines
    assert all(len(text) <= 120 and text == text.rstrip() for text in lines)


def test_the_text_begins_with_the_network_and_the_data():
    network, data, *_ = trace().stdout.splitlines()
    assert "784,256,256,256,10 relu, cross-entropy" in network
    assert "335,114 parameters" in network
    assert data.startswith("data     digits 0")


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
        assert step["phase"] in PHASES
        assert step["formula"].isascii()
        assert all(name.isascii() for name in step["shapes"])
        assert isinstance(step["flops"], int)


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
    printed = as_json("--layers", "784,10", "--loss", "mse", "--lr", "1e300")
    assert printed["loss_after"] is None or printed["loss_after"] > 1e30


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


SLOPE = {
    "relu": lambda z, a: z > 0,
    "leaky-relu": lambda z, a: np.where(z > 0, 1, 0.01),
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
    )  # fmt: skip
    assert printed["network"] == {
        "layers": [2, 5, 3], "activation": "sigmoid", "loss": "mse", "init": "lecun", "dtype": "float64",
        "bias": False, "seed": 9,
    }  # fmt: skip
    assert printed["data"] == {"name": "spiral", "sample": 4, "batch": 2}
    assert printed["lr"] == 0.125


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
    lines = trace("--preset", name, "--lr", lr).stdout.splitlines()
    assert max(map(len, lines)) <= 120
