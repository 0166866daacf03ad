"""``check --reference``: wrong backward passes, each with one error, are located and explained.

The implementation is a two-layer network as people write it with numpy: tanh, a linear output, cross-entropy or a
mean of squares, a batch of three. Each error of the list is one line of it, wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tui_backprop.cli.main import main

X = np.array([[0.5, -1.2, 0.3], [1.1, 0.4, -0.7], [-0.2, 0.8, 0.9]])
LABELS = np.array([0, 2, 1])
VALUES = np.array([[0.2, -0.4, 1.0], [1.0, 0.3, -0.6], [-0.5, 0.7, 0.1]])
RNG = np.random.default_rng(1)
# Square matrices: a transposed one has the right shape, and only its numbers tell.
W1, B1, W2, B2 = RNG.normal(size=(3, 3)), RNG.normal(size=3), RNG.normal(size=(3, 3)), RNG.normal(size=3)
LR = 0.1


def typed(array):
    return repr(np.asarray(array).tolist()).replace(" ", "")


START = ",".join(f"{name}={typed(array)}" for name, array in (("W1", W1), ("b1", B1), ("W2", W2), ("b2", B2)))


def options(loss):
    y = typed(LABELS if loss == "cross-entropy" else VALUES)
    return ("--layers", "3,3,3", "--activation", "tanh", "--loss", loss, "--set", START, "--x", typed(X), "--y", y,
            "--lr", str(LR))  # fmt: skip


def backward(loss="cross-entropy", error=""):
    """Return the gradients of a hand-written pass with one error."""
    n = len(X)
    z1 = X @ W1 + B1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + B2
    if loss == "cross-entropy":
        p = np.exp(z2 - z2.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        t = np.eye(3)[LABELS]
        d2, mean = p - t, n
    else:
        p, t = z2, VALUES
        d2, mean = 2 * (p - t), 3 * n
    match error:
        case "target minus output":
            d2 = -d2
        case "p without target":
            d2 = p.copy()
        case "only the right class":
            d2 = d2 * t
        case "all but the right class":
            d2 = d2 * (1 - t)
        case "error alone":
            d2 = d2 / 2 * 3
        case "no factor 2":
            d2 = d2 / 2
    d2 = d2 if error == "no 1/n" else d2 / mean / (n if error == "1/n twice" else 1)
    if error == "seeded with the loss":
        d2 = d2 * (-np.log((p * t).sum(1)).mean() if loss == "cross-entropy" else ((p - t) ** 2).mean())
    dW2, db2 = a1.T @ d2, d2.sum(0)
    match error:
        case "dW2 transposed":
            dW2 = dW2.T
        case "dW2 without 1/n":
            dW2 = dW2 * n
        case "dW2 without input":
            dW2 = np.broadcast_to(d2.sum(0), W2.shape)
        case "dW2 with z1":
            dW2 = z1.T @ d2
        case "dW2 of means":
            dW2 = np.outer(a1.mean(0), d2.sum(0))
        case "db2 of the last sample":
            db2 = d2[-1]
        case "db2 a mean":
            db2 = d2.mean(0)
        case "db2 zero":
            db2 = np.zeros(3)
    used = W2
    match error:
        case "W2 not transposed":
            used = W2.T
        case "through dW2":
            used = dW2
        case "through updated W2":
            used = W2 - LR * dW2
    da1 = d2 @ used.T
    slope = 1 - a1**2
    match error:
        case "no slope":
            slope = 1
        case "slope at a":
            slope = 1 - np.tanh(a1) ** 2
        case "slope at the error":
            slope = 1 - np.tanh(da1) ** 2
        case "slope of z squared":
            slope = 1 - z1**2
        case "slope of the sigmoid":
            slope = a1 * (1 - a1)
    d1 = da1 * slope
    if error == "delta1 negated":
        d1 = -d1
    dW1, db1 = X.T @ d1, d1.sum(0)
    match error:
        case "dW1 transposed":
            dW1 = dW1.T
        case "dW1 without input":
            dW1 = np.broadcast_to(d1.sum(0), W1.shape)
        case "dW1 of means":
            dW1 = np.outer(X.mean(0), d1.sum(0))
        case "db1 of the last sample":
            db1 = d1[-1]
        case "dW1 without 1/n":
            dW1 = dW1 * n
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "delta1": d1, "delta2": d2, "da1": da1}


# The error; the loss; the first array that differs; what explains it: a mutant, words, or nothing.
ERRORS = (
    ("target minus output", "cross-entropy", "δ2", "target-minus-output"),
    ("target minus output", "mse", "δ2", "target-minus-output"),
    ("p without target", "cross-entropy", "δ2", "probability-is-delta"),
    ("only the right class", "cross-entropy", "δ2", "only-target"),
    ("no 1/n", "cross-entropy", "δ2", "sum-not-mean"),
    ("no 1/n", "mse", "δ2", ""),
    ("1/n twice", "cross-entropy", "δ2", "yours has 1/n once more"),
    ("1/n twice", "mse", "δ2", "yours has 1/n once more"),
    ("error alone", "mse", "δ2", "error-is-delta"),
    ("seeded with the loss", "cross-entropy", "δ2", "loss-as-seed"),
    ("seeded with the loss", "mse", "δ2", "loss-as-seed"),
    ("dW2 transposed", "cross-entropy", "dW2", "transposed-gradient"),
    ("dW2 without input", "cross-entropy", "dW2", "no-activation-input"),
    ("dW2 of means", "cross-entropy", "dW2", "zero-mean-zero-below"),
    ("dW2 without 1/n", "cross-entropy", "dW2", "yours lacks 1/n, with n = 3 samples"),
    ("db2 of the last sample", "cross-entropy", "db2", "one-sample-bias"),
    ("db2 a mean", "cross-entropy", "db2", "yours has 1/n once more, with n = 3 samples"),
    ("W2 not transposed", "cross-entropy", "da1", "no-transpose"),
    ("W2 not transposed", "mse", "da1", "no-transpose"),
    ("through dW2", "cross-entropy", "da1", "through-the-gradient"),
    ("through updated W2", "cross-entropy", "da1", "updated-later-weights"),
    ("no slope", "cross-entropy", "δ1", "no-slope"),
    ("no slope", "mse", "δ1", "no-slope"),
    ("slope at a", "cross-entropy", "δ1", "slope-at-output"),
    ("slope at the error", "cross-entropy", "δ1", "slope-from-error"),
    ("delta1 negated", "cross-entropy", "δ1", "the sign is wrong"),
    ("dW1 transposed", "cross-entropy", "dW1", "transposed-gradient"),
    ("dW1 without input", "cross-entropy", "dW1", "no-activation-input"),
    ("dW1 of means", "cross-entropy", "dW1", "zero-mean-zero-below"),
    ("db1 of the last sample", "cross-entropy", "db1", "one-sample-bias"),
    ("dW1 without 1/n", "cross-entropy", "dW1", "yours lacks 1/n, with n = 3 samples"),
    ("slope of z squared", "cross-entropy", "δ1", ""),
    ("slope of the sigmoid", "cross-entropy", "δ1", ""),
    ("dW2 with z1", "cross-entropy", "dW2", ""),
    ("all but the right class", "cross-entropy", "δ2", ""),
    ("no factor 2", "mse", "δ2", "your delta2 is ours times 0.5"),
    ("db2 zero", "cross-entropy", "db2", ""),
)  # fmt: skip


def check(path, arrays, *more, loss="cross-entropy", code=1):
    np.savez(path, **arrays)
    result = CliRunner().invoke(main, ("check", *options(loss), "--reference", str(path), *more))
    assert result.exit_code == code, result.output
    return result


def found(path, arrays, loss="cross-entropy", code=1):
    return json.loads(check(path, arrays, "--json", loss=loss, code=code).stdout)


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_a_right_implementation_passes(tmp_path, loss):
    assert found(tmp_path / "g.npz", backward(loss), loss, 0)["passed"]


@pytest.mark.parametrize(("error", "loss", "first", "why"), ERRORS)
def test_wrong_implementations_are_located_and_explained(tmp_path, error, loss, first, why):
    told = found(tmp_path / "g.npz", backward(loss, error), loss)
    assert told["first"] == first.replace("δ", "delta")
    names, words = {each["name"] for each in told["explanations"]}, told["reason"]
    assert why in words or why in names


def test_thirty_are_located_and_twenty_five_explained():
    assert len(ERRORS) >= 30
    assert sum(bool(why) for *_, why in ERRORS) >= 25


def test_gradients_named_as_in_pytorch_are_matched_and_transposed(tmp_path):
    right = backward()
    torch = {"fc1.weight.grad": right["dW1"].T, "fc1.bias.grad": right["db1"], "fc2.weight.grad": right["dW2"].T,
             "fc2.bias.grad": right["db2"]}  # fmt: skip
    assert found(tmp_path / "g.npz", torch, code=0)["passed"]
    wrong = torch | {"fc1.weight.grad": right["dW1"].T * 3}
    assert found(tmp_path / "g.npz", wrong)["first"] == "dW1"


@pytest.mark.parametrize("spelling", ["{}", "grad_{}", "{}.grad", "d{}"])
def test_gradients_have_many_spellings(tmp_path, spelling):
    right = backward()
    arrays = {spelling.format(name): right[f"d{name}"] for name in ("W1", "b1", "W2", "b2")}
    assert found(tmp_path / "g.npz", arrays, code=0)["passed"]


def test_any_subset_will_do_and_an_earlier_error_is_found_by_its_effect(tmp_path):
    told = found(tmp_path / "g.npz", {"dW1": backward(error="no slope")["dW1"]})
    assert told["first"] == "dW1"
    assert "no-slope" in {each["name"] for each in told["explanations"]}


def test_weights_kept_as_outputs_by_inputs_are_a_convention(tmp_path):
    right = backward()
    turned = right | {"dW1": right["dW1"].T, "dW2": right["dW2"].T}
    told = found(tmp_path / "g.npz", turned, code=0)
    assert told["transposed"]
    assert not found(tmp_path / "g.npz", turned | {"dW2": right["dW2"]})["passed"]


def test_what_trace_saves_passes_with_its_forward_values(tmp_path):
    file = str(tmp_path / "ours.npz")
    assert (
        CliRunner().invoke(main, ("trace", *options("mse"), "--dtype", "float64", "--save", file)).exit_code
        == 0
    )
    result = CliRunner().invoke(main, ("check", *options("mse"), "--reference", file))
    assert result.exit_code == 0, result.output
    assert "passed: all arrays agree" in result.stdout


def test_a_forward_pass_that_differs_is_said_before_any_gradient(tmp_path):
    told = found(tmp_path / "g.npz", backward() | {"z1": X @ W1})
    assert told["first"] == "z1"
    assert "the forward pass differs" in told["reason"]


def test_nan_differs(tmp_path):
    assert found(tmp_path / "g.npz", backward() | {"db1": np.array([np.nan, 0, 0])})["first"] == "db1"


def test_a_bias_gradient_with_kept_dimensions_is_the_same(tmp_path):
    right = backward()
    assert found(tmp_path / "g.npz", right | {"db1": right["db1"][None]}, code=0)["passed"]


def test_the_text_names_the_entry_both_numbers_and_the_error(tmp_path):
    text = check(tmp_path / "g.npz", backward(error="W2 not transposed")).stdout
    assert "da1 is the first that differs, from the loss back: da1[" in text
    assert "this is what comes out if the way back goes through W instead of its transpose" in text
    assert text.rstrip().splitlines()[-1].startswith("FAILED: da1, δ1, ")


@pytest.mark.parametrize(
    ("more", "why"),
    [(("--fast",), "--fast"), (("--entries", "3"), "--entries"), (("--against", "spsa"), "--against")],
)
def test_options_that_do_not_apply_are_refused(tmp_path, more, why):
    said = check(tmp_path / "g.npz", backward(), *more, code=2).stderr
    assert f"{why}: cannot be combined with --reference" in said


def test_a_file_without_gradients_is_refused_with_what_it_has(tmp_path):
    said = check(tmp_path / "g.npz", {"foo": np.ones(3)}, code=2).stderr
    assert "--reference" in said
    assert '"foo"' in said


def test_a_gradient_of_another_shape_differs(tmp_path):
    told = found(tmp_path / "g.npz", {"dW2": np.ones((2, 3))})
    assert told["first"] == "dW2"


def test_gradients_of_an_expression_are_compared(tmp_path):
    np.savez(tmp_path / "g.npz", dw0=-0.19661193, dx0=0.39322387, dw1=0.39)
    result = CliRunner().invoke(
        main, ("check", "--preset", "sigmoid-neuron", "--reference", str(tmp_path / "g.npz"))
    )
    assert "dw1 is the first that differs" in result.stdout


def test_what_no_common_mistake_gives_is_traced_further_by_what_is_saved_too(tmp_path):
    arrays = backward()
    wrong = {"dW1": arrays["dW1"] + 1, "db1": arrays["db1"] + 1}
    ends = {name: arrays[name] for name in ("dW2", "db2")}
    told = check(tmp_path / "g.npz", ends | wrong).stdout
    assert "no common mistake gives these numbers\nsave da1 and delta1, too, to see where it begins\n" in told
