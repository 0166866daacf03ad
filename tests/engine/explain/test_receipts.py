"""Receipts: the rows of each step add up, or multiply out, to the value in the pass."""

from __future__ import annotations

import operator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tui_backprop.data.samples import cut
from tui_backprop.engine.explain.receipts import (
    RECEIPTS,
    penalties,
    receipt_rows,
    selected_input,
    unit_with_largest_delta,
)
from tui_backprop.engine.explain.receipts.operations import RECEIPTS as OPERATIONS
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session.presets import NETWORKS

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
OPERATION = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
ARITHMETIC = RECEIPTS.keys() - {"input", "activation", "loss"}
ROUGH = NetworkSpec(
    (2, 6, 6, 6, 2),
    "gelu,tanh,silu",
    dtype="float64",
    layer_norm=True,
    residual=True,
    dropout=0.3,
    l2=0.01,
    input_gradient=True,
)


def total(rows):
    """Value of the rows before the result, and the largest intermediate number."""
    value, most = 0.0, 0.0
    for row in rows:
        if row.factors and not row.template:
            assert row.value == pytest.approx(np.prod(row.factors), rel=1e-6)
        value = OPERATION[row.sign](value, row.value)
        most = max(most, abs(value), abs(row.value) if row.sign in "+-" else 0)
    return value, most


def sums(rows):
    """Split a receipt into sums: a summand after a result begins the next one."""
    each = [[rows[0]]]
    for before, row in pairwise(rows):
        if before.sign == "=" and row.sign in "+-":
            each.append([])
        each[-1].append(row)
    return each


def check(iteration, step, unit, terms, sample=0):
    for *rows, result in sums(receipt_rows(iteration, step, unit, terms, sample)):
        assert result.sign == "="
        value, most = total(rows)
        assert abs(value - result.value) <= TOLERANCE[iteration.spec.dtype] * most, (
            step.formula,
            unit,
            terms,
        )


def start(spec, optimizer=OptimizerSpec()):
    return TrainingState(0, initial_parameters(spec), new_slots(optimizer, spec.parameters, spec.dtype))


def pass_of(spec, data, n, lr=0.1, optimizer=OptimizerSpec(), t=0):
    """Iteration ``t`` on the same samples."""
    batch, state = cut(spec, data, 0, n), start(spec, optimizer)
    for _ in range(t + 1):
        iteration = run_iteration(spec, Update(batch.x, batch.t, lr), state, optimizer)
        state = iteration.after
    return iteration


def alone(spec, x, t, parameters=None, lr=0.1):
    """One iteration on given samples."""
    state = start(spec) if parameters is None else TrainingState(0, parameters)
    return run_iteration(spec, Update(x, t, lr), state)


def units_of(spec, layer):
    width = spec.layers[layer]
    return sorted({0, width // 3, width - 1})


@pytest.mark.parametrize("terms", [1, 3, 12])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_rows_of_every_step_of_a_preset_come_to_its_result(name, terms):
    preset = NETWORKS[name]
    iteration = pass_of(preset.network, preset.data, preset.batch, preset.lr)
    for step in walk(preset.network, preset.batch):
        if step.kind in ARITHMETIC:
            for unit in units_of(preset.network, step.block):
                check(iteration, step, unit, terms)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_rows_come_to_the_result_for_every_sample_of_a_batch(activation, loss, bias):
    spec = NetworkSpec((2, 5, 6, 2), activation, loss, dtype="float64", bias=bias)
    iteration = pass_of(spec, "moons", 3)
    for step in walk(spec, 3):
        if step.kind in ARITHMETIC:
            for sample in range(3):
                check(iteration, step, 1, 2, sample)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_the_rows_come_to_the_result_in_a_network_with_everything(optimizer, batch, dtype):
    settings = OptimizerSpec(optimizer, weight_decay=0.1, clip=0.05, schedule="cosine", warmup=4, horizon=9)
    spec = replace(ROUGH, dtype=dtype)
    iteration = pass_of(spec, "moons", batch, 0.05, settings, t=2)
    assert iteration.clipping < 1
    kinds = set()
    for step in walk(spec, batch, settings):
        kinds.add(step.kind)
        if step.kind in ARITHMETIC:
            for sample in range(batch):
                for unit in units_of(spec, step.block):
                    check(iteration, step, unit, 2, sample)
                    if iteration.graph.per_sample(step.tensor):
                        made = iteration.tensor(step.tensor)[sample, unit]
                        assert receipt_rows(iteration, step, unit, 2, sample)[-1].value == made
    assert kinds == RECEIPTS.keys()


@pytest.mark.parametrize("l2_bias", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("grain", ["layer", "operation"])
def test_the_rows_come_to_the_result_by_layers_and_by_single_operations(grain, batch, bias, l2_bias):
    spec = replace(ROUGH, bias=bias, l2_bias=l2_bias)
    iteration = pass_of(spec, "moons", batch, 0.05, t=2)
    seen = set()
    for step in walk(spec, batch, grain=grain):
        seen.add(step.operation)
        for unit in units_of(spec, step.block):
            for sample in range(batch):
                if step.kind in ARITHMETIC | {"layer backward"}:
                    check(iteration, step, unit, 2, sample)
                if iteration.graph.per_sample(step.tensor):
                    made = iteration.tensor(step.tensor)[sample, unit]
                    assert receipt_rows(iteration, step, unit, 2, sample)[-1].value == made
    if grain == "operation":
        assert seen >= OPERATIONS.keys() - (set() if bias else {("bias add", None), ("bias add", 1)})


def test_sums_before_a_bias_and_partial_cotangents_are_those_of_their_operations():
    spec = replace(ROUGH, bias=True)
    iteration = pass_of(spec, "moons", 3)
    x, w, b = (iteration.tensor(name) for name in ("x", "W1", "b1"))
    np.testing.assert_allclose(iteration.tensor("u1"), x @ w, rtol=1e-13)
    np.testing.assert_array_equal(iteration.tensor("u1") + b, iteration.tensor("z1"))
    around = iteration.tensor("da2")
    np.testing.assert_array_equal(iteration.tensor("da1 so far") + around, iteration.tensor("da1"))
    through = iteration.tensor("δ2") @ iteration.tensor("W2").T
    np.testing.assert_allclose(iteration.tensor("da1 so far"), through, rtol=1e-12)
    penalty = spec.l2 * iteration.tensor("W3")
    np.testing.assert_allclose(iteration.tensor("dW3 so far") + penalty, iteration.tensor("dW3"), rtol=1e-12)
    for unknown in ("u9", "da7 so far", "so far"):
        with pytest.raises(KeyError):
            iteration.tensor(unknown)


@pytest.mark.parametrize(
    "options",
    [
        {"layer_norm": True},
        {"residual": True},
        {"dropout": 0.5},
        {"l2": 0.1},
        {"l2": 0.1, "l2_bias": True, "layer_norm": True, "bias": True},
        {"residual": True, "dropout": 0.5},
    ],
    ids=lambda options: " ".join(options),
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_rows_come_to_the_result_with_each_option_by_itself(options, activation):
    spec = NetworkSpec((2, 4, 4, 4, 2), activation, dtype="float64", **({"bias": False} | options))
    iteration = pass_of(spec, "moons", 3, t=1)
    for step in walk(spec, 3):
        if step.kind in ARITHMETIC:
            for unit in units_of(spec, step.block):
                check(iteration, step, unit, 3, 2)


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_the_rows_of_an_update_without_clipping_or_decay_come_to_the_new_weight(optimizer):
    settings = OptimizerSpec(optimizer)
    spec = NetworkSpec((2, 5, 3), "tanh", dtype="float64")
    for t in (0, 1, 7):
        iteration = pass_of(spec, "spiral", 2, 0.1, settings, t)
        for step in walk(spec, 2, settings):
            if step.kind == "update":
                check(iteration, step, 1, 3)
                i = selected_input(iteration, step.block, 1)
                assert receipt_rows(iteration, step, 1)[-1].value == iteration.new[f"W{step.block}"][i, 1]


@pytest.mark.parametrize(
    "optimizer", ["momentum", "nesterov", "rmsprop", "rmsprop-momentum", "adam", "adamw"]
)
def test_the_slots_of_an_optimizer_are_intermediate_results(optimizer):
    settings = OptimizerSpec(optimizer)
    iteration = pass_of(NetworkSpec((2, 2), dtype="float64"), "moons", 2, 0.1, settings, t=3)
    step = walk(iteration.spec, 2, settings)[-1]
    results = {row.label: row.value for row in receipt_rows(iteration, step, 1) if row.sign == "="}
    at = 2 * selected_input(iteration, 1, 1) + 1
    for slot, array in iteration.after.slots.items():
        if optimizer.startswith("adam"):
            beta = {"m": 0.9, "v": 0.999}[slot]
            assert results[slot.upper()] == pytest.approx(array[at] / (1 - beta**4), rel=1e-14)
        else:
            assert results[slot] == array[at]


def test_the_penalties_are_half_of_lambda_times_the_squares_of_each_layer():
    iteration = pass_of(ROUGH, "moons", 2)
    wanted = [ROUGH.l2 / 2 * (iteration.tensor(f"W{k}") ** 2).sum() for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(penalties(iteration), wanted, rtol=1e-13)
    assert iteration.loss == pytest.approx(float(iteration.tensor("L0")) + sum(wanted), rel=1e-13)


def test_every_parameter_asked_for_has_its_penalty_and_its_decay_in_its_receipt():
    spec = replace(ROUGH, l2_bias=True)
    for everything in (True, False):
        optimizer = OptimizerSpec("momentum", weight_decay=0.1, decay_bias=everything)
        iteration = pass_of(replace(spec, l2_bias=everything), "moons", 3, 0.1, optimizer, t=1)
        for step in walk(iteration.spec, 3, optimizer):
            for tensor in ("W2", "b2", "γ2", "β2"):
                index = (1, 1) if tensor == "W2" else (1,)
                rows = receipt_rows(iteration, step, 1, asked=(tensor, index))
                if rows[-1].label == f"d{tensor}[{index[0]}" + (",1]" if tensor == "W2" else "]"):
                    penalized = any(row.label.startswith("λ · ") for row in rows)
                    assert penalized == (everything or tensor == "W2"), tensor
                    *terms, result = rows
                    assert total(terms)[0] == pytest.approx(result.value, rel=1e-11, abs=1e-15)
                if step.kind == "update" and step.block == 2:
                    decay = [row.value for row in rows if row.label.startswith("decay")]
                    w = float(iteration.tensor(tensor)[index])
                    assert decay == [0.1 * w if everything or tensor == "W2" else 0.0]
                    assert rows[-1].value == iteration.new[tensor][index]


@pytest.mark.parametrize("l2_bias", [True, False])
def test_the_penalties_are_those_of_the_tensors_that_have_one(l2_bias):
    iteration = pass_of(replace(ROUGH, l2_bias=l2_bias), "moons", 2)
    names = [name for name in iteration.new if l2_bias or name[0] == "W"]
    wanted = [ROUGH.l2 / 2 * (iteration.tensor(name) ** 2).sum() for name in names]
    np.testing.assert_allclose(penalties(iteration), wanted, rtol=1e-13)
    assert iteration.loss == pytest.approx(float(iteration.tensor("L0")) + sum(wanted), rel=1e-13)


def test_results_are_the_entries_of_the_pass():
    spec = NetworkSpec((2, 5, 3), "tanh", dtype="float64")
    iteration = pass_of(spec, "spiral", 2)
    steps = walk(spec, 2)[1:]
    last = {(s.phase, s.block, s.kind): receipt_rows(iteration, s, 2, 3, 1)[-1].value for s in steps}
    i = selected_input(iteration, 2, 2)
    assert last["forward", 1, "affine"] == iteration.tensor("z1")[1, 2]
    assert last["forward", 1, "activation"] == iteration.tensor("a1")[1, 2]
    assert last["backward", 2, "output delta"] == iteration.tensor("δ2")[1, 2]
    assert last["backward", 2, "weights"] == iteration.tensor("dW2")[i, 2]
    assert last["backward", 1, "delta"] == iteration.tensor("δ1")[1, 2]
    assert last["update", 2, "update"] == iteration.new["W2"][i, 2]
    assert last["loss", 2, "loss"] == iteration.loss


@pytest.mark.parametrize("terms", [1, 3, 6, 12])
def test_no_more_terms_are_shown_than_asked_for_and_none_is_hidden_in_a_rest_of_one(terms):
    spec = NetworkSpec((2, 8, 3), dtype="float64")
    iteration = pass_of(spec, "spiral", 1)
    affine = next(s for s in walk(spec, 1) if s.kind == "affine" and s.block == 2)
    labels = [row.label for row in receipt_rows(iteration, affine, 0, terms)[:-2]]  # without bias and result
    rest = [label for label in labels if "more terms" in label]
    shown = len(labels) - len(rest)
    assert shown <= terms + 1
    assert rest == ([f"{8 - shown} more terms"] if shown < 8 else [])
    assert rest != ["1 more terms"]


def test_the_terms_shown_are_the_largest():
    spec = NetworkSpec((784, 10), dtype="float64")
    iteration = pass_of(spec, "digits", 1)
    affine = walk(spec, 1)[1]
    terms = np.abs(iteration.tensor("x")[0] * iteration.tensor("W1")[:, 4])
    shown = [abs(row.value) for row in receipt_rows(iteration, affine, 4, 5)[:5]]
    np.testing.assert_allclose(shown, np.sort(terms)[::-1][:5], rtol=1e-15)


def loss_rows(spec, data, n, sample=0):
    iteration = pass_of(spec, data, n)
    step = next(s for s in walk(spec, n) if s.kind == "loss")
    return iteration, [(row.sign, row.value) for row in receipt_rows(iteration, step, 0, 3, sample)]


@pytest.mark.parametrize("n", [1, 3])
def test_the_example_of_a_cross_entropy_uses_the_probability_of_the_label(n):
    spec = NetworkSpec((784, 10), dtype="float64")
    iteration, rows = loss_rows(spec, "digits", n, n - 1)
    powers = np.exp(iteration.tensor("z1")[n - 1])
    p = powers[iteration.tensor("t")[n - 1]] / powers.sum()
    assert [sign for sign, _ in rows[:3]] == ["+", "/", "="]
    assert rows[0][1] / rows[1][1] == pytest.approx(p, rel=1e-12)
    assert rows[2][1] == pytest.approx(p, rel=1e-12)
    assert rows[3][1] == pytest.approx(-np.log(p), rel=1e-12)
    assert rows[-1][1] == iteration.loss


@pytest.mark.parametrize("width", [2, 30])
@pytest.mark.parametrize("loss", ["binary-cross-entropy", "mse", "half-squares"])
def test_the_rows_of_every_other_loss_come_to_the_loss_of_one_sample(loss, width):
    spec = NetworkSpec((2, 3, width), "tanh", loss, dtype="float64")
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(1, 2)), rng.integers(2, size=(1, width)).astype(float)
    iteration = alone(spec, x, t)
    *rows, result = receipt_rows(iteration, next(s for s in walk(spec, 1) if s.kind == "loss"), 0, 4)
    assert total(rows)[0] == pytest.approx(iteration.loss, rel=1e-12)
    assert result.value == iteration.loss


@pytest.mark.parametrize("loss", LOSSES)
def test_the_losses_of_the_samples_have_the_loss_of_the_batch_for_their_mean(loss):
    spec = NetworkSpec((2, 3, 2), "tanh", loss, dtype="float64")
    each = [loss_rows(spec, "moons", 5, sample)[1][-2][1] for sample in range(5)]
    assert np.mean(each) == pytest.approx(pass_of(spec, "moons", 5).loss, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("right", [True, False])
def test_the_example_of_a_cross_entropy_agrees_with_the_loss_where_probabilities_underflow(right, n):
    spec = NetworkSpec((2, 2), bias=False, dtype="float32")  # e^-200 is 0 in single precision
    x, t = np.array(n * [[1, 0]], "f4"), np.array(n * [0 if right else 1])
    iteration = alone(spec, x, t, np.array([200, 0, 0, 0], "f4"))
    rows = receipt_rows(iteration, next(s for s in walk(spec, n) if s.kind == "loss"), 0)
    shown = [row.value for row in rows if "−ln p" in row.label or "sample" in row.label]
    assert iteration.loss == (0 if right else 200)
    assert set(shown) == {iteration.loss}


def test_numbers_beyond_the_largest_raise_no_warning():
    spec = NetworkSpec((3, 8, 4), "identity", "mse", dtype="float64")
    huge = np.full(spec.parameters, 1e300)
    iteration = alone(spec, np.ones((1, 3)), np.zeros((1, 4)), huge, 1e300)
    for step in walk(spec, 1):
        receipt_rows(iteration, step, 1)


def test_the_unit_with_the_largest_delta_is_found_in_each_sample():
    spec = NetworkSpec((784, 20, 10), dtype="float64")
    iteration = pass_of(spec, "digits", 2)
    for sample in (0, 1):
        assert (
            unit_with_largest_delta(iteration, 1, sample) == np.abs(iteration.tensor("δ1")[sample]).argmax()
        )
        assert unit_with_largest_delta(iteration, 0, sample) == iteration.tensor("x")[sample].argmax()


def test_nan_does_not_stop_the_example():
    spec = NetworkSpec((2, 3, 2), dtype="float64")
    iteration = alone(spec, np.array([[np.nan, 1.0]]), np.array([0]))
    for step in walk(spec, 1):
        rows = receipt_rows(iteration, step, unit_with_largest_delta(iteration, step.block))
        assert rows[-1].sign == "="


@pytest.mark.parametrize("grain", ["layer", "equation", "operation"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_parameter_that_is_asked_for_is_the_example_of_its_gradient_and_of_its_update(grain, bias):
    """In every step that computes or uses it, and not only where its gradient is the largest."""
    iteration = pass_of(replace(ROUGH, bias=bias), "moons", 3, 0.05, t=2)
    steps = walk(iteration.spec, 3, grain=grain)
    for tensor, values in iteration.new.items():
        for index in {(0,) * values.ndim, tuple(n - 1 for n in values.shape)}:
            at, results = ",".join(map(str, index)), {}
            for step in steps:
                if step.block == int(tensor[1:]):
                    rows = receipt_rows(iteration, step, index[-1], 9, asked=(tensor, index))
                    results |= {row.label: row.value for row in rows if row.sign == "="}
            assert results[f"d{tensor}[{at}]"] == iteration.tensor(f"d{tensor}")[index]
            assert results[f"{tensor}[{at}] after"] == values[index]


def test_the_rows_of_any_parameter_come_to_its_gradient_and_to_its_new_value(calculus):
    optimizer = OptimizerSpec("adamw", weight_decay=0.1, clip=0.2)
    iteration = calculus.take(calculus.problem(calculus.everything, 3), 0.05, optimizer, iterations=3)
    for grain in ("equation", "operation"):
        for step in walk(iteration.spec, 3, optimizer, grain):
            for tensor, values in iteration.new.items():
                index = tuple(n - 1 for n in values.shape)
                if step.kind in ("weights", "gains", "update") and step.block == int(tensor[1:]):
                    rows = receipt_rows(iteration, step, index[-1], 2, asked=(tensor, index))
                    assert calculus.off(rows) <= 1e-12, (step.formula, tensor)


def test_another_unit_or_another_layer_has_its_own_example():
    iteration = pass_of(NetworkSpec((2, 5, 5, 3), "tanh", dtype="float64"), "spiral", 2)
    (step,) = (s for s in walk(iteration.spec, 2) if (s.kind, s.block) == ("weights", 2))
    own = receipt_rows(iteration, step, 4)
    for asked in (("W2", (0, 3)), ("W1", (0, 4)), ("a2", (4,)), ("b1", (4,)), ("x", (1,)), None):
        assert receipt_rows(iteration, step, 4, asked=asked) == own
    assert receipt_rows(iteration, step, 4, asked=("W2", (0, 4)))[-1].label == "dW2[0,4]"
    assert receipt_rows(iteration, step, 4, asked=("b2", (4,)))[-1].label == "db2[4]"


def test_an_unknown_kind_of_step_is_a_key_error():
    spec = NetworkSpec((2, 2))
    with pytest.raises(KeyError):
        receipt_rows(pass_of(spec, "moons", 1), replace(walk(spec, 1)[0], kind="nap"), 0)


def test_a_value_beyond_the_range_of_the_precision_is_shown_as_the_pass_computes_it():
    spec = NetworkSpec((2, 2), init="zeros", dtype="float32")
    x, t = np.array([[3e38, 1e-30]], np.float32), np.array([1])
    parameters = np.array([-1e10, 1, 1e-20, 1, 0, 0], np.float32)
    iteration = alone(spec, x, t, parameters)
    (step,) = (step for step in walk(spec, 1) if step.kind == "affine")
    rows = {row.label: row.value for row in receipt_rows(iteration, step, 0)}
    assert rows["x[0] · W1[0,0]"] == -np.inf
    assert rows["x[1] · W1[1,0]"] == 0  # 1e-50 rounds to 0
    assert rows["z1[0]"] == iteration.tensor("z1")[0, 0] == -np.inf
    double = alone(
        NetworkSpec((2, 2), init="zeros", dtype="float64"), x.astype(float), t, parameters.astype(float)
    )
    rows = {row.label: row.value for row in receipt_rows(double, step, 0)}
    assert rows["x[0] · W1[0,0]"] == pytest.approx(-3e48)
    assert rows["x[1] · W1[1,0]"] == pytest.approx(1e-50)


def test_the_nan_of_an_activation_of_an_infinity_shows_its_product():
    spec = NetworkSpec((1, 1, 2), "gelu", dtype="float32")
    x, t = np.array([[3e38]], np.float32), np.array([1])
    iteration = alone(spec, x, t, np.array([-1e10, 0, 1, 1, 0, 0], np.float32))
    (step,) = (step for step in walk(spec, 1) if step.kind == "activation")
    before, after = receipt_rows(iteration, step, 0)
    assert before.value == -np.inf
    assert np.isnan(after.value)
    assert after.template == "−∞ · 0"
