"""The ends of what a network can be: sizes, depths, batches, labels, and numbers that no one hopes for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.support.errors import UserError

SMALL = NetworkSpec((3, 4, 2), "tanh", dtype="float64")
each_loss = pytest.mark.parametrize("loss", LOSSES)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def target_of(spec, batch):
    rng = np.random.default_rng(3)
    if spec.loss == "cross-entropy":
        return rng.integers(spec.layers[-1], size=batch)
    return rng.random((batch, spec.layers[-1])).astype(spec.dtype)


def run(spec, x, target=None, parameters=None):
    """Loss and gradient; any warning would be an error."""
    parameters = initial_parameters(spec) if parameters is None else parameters
    program = Program(spec, len(x), parameters)
    program.feed(x.astype(spec.dtype), target_of(spec, len(x)) if target is None else target)
    loss = float(program.forward())
    return loss, program.backward()


# --- sizes and depths -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [(1, 1), (1, 1, 1), (3, 1, 2), (4, 1), (1, 4), (6, 2)])
@each_loss
def test_single_layers_and_single_units_have_the_right_gradient(calculus, loss, layers):
    for batch in (1, 2):
        problem = calculus.problem(NetworkSpec(layers, "silu", loss, dtype="float64"), batch)
        assert calculus.worst(calculus.run(problem).gradient, calculus.complex_step(problem)) < 1e-12


def test_the_cross_entropy_of_a_single_class_is_zero_and_so_is_its_gradient():
    loss, gradient = run(NetworkSpec((3, 4, 1), dtype="float64"), np.ones((5, 3)))
    assert loss == 0
    assert not gradient.any()


def test_a_batch_of_a_thousand_has_the_right_gradient(calculus):
    problem = calculus.problem(replace(calculus.everything, dropout=0.0), 1000)
    parts = [
        calculus.run(
            Problem(problem.spec, problem.x[i : i + 1], problem.target[i : i + 1], problem.parameters)
        )
        for i in range(1000)
    ]
    found = calculus.run(problem)
    assert calculus.worst(found.gradient, np.mean([part.gradient for part in parts], axis=0)) < 1e-11
    slope = METHODS["batched-forward-mode"].gradient(problem)
    assert calculus.worst(found.gradient, slope) < 1e-11


@pytest.mark.parametrize(
    "choices",
    [
        {"activation": "tanh", "init": "xavier"},
        {"activation": "relu", "layer_norm": True, "residual": True},
        {"activation": "gelu", "layer_norm": True, "residual": True, "dropout": 0.1, "l2": 0.01},
    ],
    ids=lambda choices: choices["activation"],
)
def test_a_network_of_fifty_layers_has_the_right_gradient(calculus, choices):
    spec = NetworkSpec((6,) * 51, dtype="float64", **choices)
    assert spec.depth == 50
    rng = np.random.default_rng(0)
    problem = Problem(spec, rng.normal(size=(3, 6)), rng.integers(6, size=3), initial_parameters(spec))
    gradient = calculus.run(problem).gradient
    assert spec.graph.views(gradient)["W1"].any()
    assert calculus.worst(gradient, METHODS["batched-forward-mode"].gradient(problem)) < 1e-10
    indices = rng.choice(spec.parameters, 60)
    exact = METHODS["complex-step"].gradient(problem, indices)
    np.testing.assert_allclose(gradient[indices], exact, rtol=1e-10, atol=1e-15 * np.abs(gradient).max())


@pytest.mark.parametrize("copies", [2, 7])
@each_loss
def test_the_gradient_of_copies_of_a_batch_is_that_of_the_batch(calculus, loss, copies):
    spec = replace(calculus.everything, loss=loss, dropout=0.0)
    one = calculus.problem(spec, 2)
    many = replace(one, x=np.concatenate([one.x] * copies), target=np.concatenate([one.target] * copies))
    a, b = calculus.run(one), calculus.run(many)
    assert float(a.values["L"]) == pytest.approx(float(b.values["L"]), rel=1e-14)
    assert calculus.worst(a.gradient, b.gradient) < 1e-12


# --- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_input_of_zeros_has_the_right_gradient(calculus, activation, layer_norm):
    spec = NetworkSpec((3, 4, 4, 2), activation, dtype="float64", layer_norm=layer_norm)
    problem = calculus.problem(spec, 2)
    problem = replace(problem, x=np.zeros((2, 3)))
    gradient = calculus.run(problem).gradient
    assert not spec.graph.views(gradient)["W1"].any()
    assert calculus.worst(gradient, calculus.complex_step(problem)) < 1e-10


@each_dtype
@each_loss
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_inputs_of_1e30_give_no_nan_and_no_warning(activation, loss, dtype):
    """What no float can hold is infinite: squares, in single precision, of logits of 1e30."""
    for choices in ({}, {"layer_norm": True}):
        spec = NetworkSpec((3, 8, 8, 2), activation, loss, dtype=dtype, **choices)
        value, gradient = run(spec, np.array([[1e30, -1e30, 0.5e30], [1, 2, 3]]))
        bounded = choices or activation in ("tanh", "sigmoid")
        squares = loss in ("mse", "half-squares") and dtype == "float32"
        assert np.isfinite(value) or (squares and not bounded and value == np.inf)
        if bounded or dtype == "float64":
            assert np.isfinite(gradient).all()
        assert not np.isnan(gradient).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["W1", "b1", "γ1", "β1", "W2", "b3"])
def test_a_parameter_that_is_nan_makes_the_loss_nan_and_nothing_is_raised_for_infinite_ones(
    calculus, name, bad
):
    problem = calculus.problem(replace(calculus.everything, dropout=0.0), 2)
    problem.spec.graph.views(problem.parameters)[name].flat[0] = bad
    program = calculus.run(problem)
    if np.isnan(bad):  # an output of minus infinity is a class that is never chosen, and nothing is wrong
        assert np.isnan(program.values["L"])
        assert np.isnan(program.gradient).any()


# --- what is fed ------------------------------------------------------------------------------------------


def test_labels_at_both_ends_are_taken_and_mean_what_they_say():
    program = Program(SMALL, 2, initial_parameters(SMALL))
    for dtype in (np.int8, np.uint8, np.int64, np.uint64):
        program.feed(np.ones((2, 3)), np.array([0, 1], dtype))
        loss = float(program.forward())
        z = program.values["z2"]
        logs = np.log(np.exp(z).sum(axis=1))
        assert loss == pytest.approx(((logs[0] - z[0, 0]) + (logs[1] - z[1, 1])) / 2)


@pytest.mark.parametrize(
    "labels",
    [[0, 2], [-1, 0], [10**9, 0], [0.0, 1.0], [True, False], [0, np.nan], ["0", "1"]],
    ids=["past the end", "negative", "huge", "float", "bool", "nan", "text"],
)
def test_labels_that_are_none_are_refused(labels):
    program = Program(SMALL, 2, initial_parameters(SMALL))
    with pytest.raises(ValueError, match="integers from 0 to 1"):
        program.feed(np.ones((2, 3)), np.array(labels))


@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        ((2, 4), (2,), r"x has shape \(2, 4\); expected \(2, 3\)"),
        ((3, 3), (2,), r"x has shape \(3, 3\); expected \(2, 3\)"),
        ((3,), (2,), r"x has shape \(3,\); expected \(2, 3\)"),
        ((2, 3), (3,), r"t has shape \(3,\); expected \(2,\)"),
        ((2, 3), (2, 2), r"t has shape \(2, 2\); expected \(2,\)"),
        ((2, 3), (), r"t has shape \(\); expected \(2,\)"),
    ],
)
def test_a_wrong_shape_is_refused_and_the_right_one_named(x, t, message):
    program = Program(SMALL, 2, initial_parameters(SMALL))
    program.feed(np.full((2, 3), 7.0), np.array([1, 1]))
    with pytest.raises(ValueError, match=message):
        program.feed(np.zeros(x), np.zeros(t, int))
    assert (program.values["x"] == 7).all()  # what was there is there


@pytest.mark.parametrize("loss", [*LOSSES][1:])
def test_a_target_of_the_wrong_width_is_refused(loss):
    program = Program(replace(SMALL, loss=loss), 2, initial_parameters(SMALL))
    with pytest.raises(ValueError, match=r"t has shape \(2,\); expected \(2, 2\)"):
        program.feed(np.zeros((2, 3)), np.zeros(2))


def test_refused_labels_leave_the_batch_as_it_was():
    program = Program(SMALL, 1, initial_parameters(SMALL))
    program.feed(np.full((1, 3), 7.0), np.array([1]))
    with pytest.raises(ValueError, match="labels"):
        program.feed(np.zeros((1, 3)), np.array([2]))
    assert (program.values["x"] == 7).all()


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_without_samples_is_refused(batch):
    with pytest.raises(ValueError, match="at least one sample"):
        Program(SMALL, batch)
    if batch == 0:
        problem = Problem(SMALL, np.empty((0, 3)), np.empty(0, int), initial_parameters(SMALL))
        for method in METHODS.values():
            with pytest.raises(ValueError, match="at least one sample"):
                method.gradient(problem)


@pytest.mark.parametrize("names", ["relu,tanh", "relu,tanh,relu,gelu", "relu,", ","])
def test_a_list_of_activations_of_the_wrong_length_is_refused(names):
    with pytest.raises(UserError, match="activation"):
        NetworkSpec((4, 5, 6, 5, 2), names)


def test_each_layer_has_the_activation_of_its_place(calculus):
    spec = NetworkSpec((2, 3, 3, 3, 2), "relu, tanh ,gelu", dtype="float64")
    program = Program(spec, 1)
    names = [op.primitive.name for op in program.ops if op.primitive.kind == "activation"]
    assert names == ["relu", "tanh", "gelu"]


def test_integers_and_other_layouts_of_the_input_are_taken():
    spec, parameters = SMALL, initial_parameters(SMALL)
    x = np.arange(6).reshape(2, 3)
    right = run(spec, x, np.array([0, 1]), parameters)
    for other in (np.asfortranarray(x), x.astype(np.uint8), np.repeat(x, 2, axis=1)[:, ::2]):
        loss, gradient = run(spec, other, np.array([0, 1]), parameters)
        assert loss == right[0]
        np.testing.assert_array_equal(gradient, right[1])
