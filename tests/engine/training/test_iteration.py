"""A program, its buffers, and what a pass does with special inputs."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import LOSSES as LOSS_TABLE
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.training.iteration import TrainingState, Update, mask_stream, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, learning_rate
from tui_backprop.engine.training.optimizers import Optimizer, new_slots
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.support.format import format_number

SMALL = NetworkSpec((3, 4, 2), "relu", "cross-entropy", dtype="float64")


def pass_of(spec, x, lr=0.1, optimizer=OptimizerSpec(), t=0):
    """An iteration on samples that are all of class 0."""
    labels = np.zeros(len(x), int)
    target = labels if LOSS_TABLE[spec.loss].labels else np.eye(spec.layers[-1], dtype=spec.dtype)[labels]
    slots = new_slots(optimizer, spec.parameters, spec.dtype)
    state = TrainingState(t, initial_parameters(spec), slots)
    return run_iteration(spec, Update(np.asarray(x, spec.dtype), target, lr), state, optimizer)


def test_parameters_and_gradients_by_name_are_views_of_one_flat_vector():
    program = Program(SMALL, 2, initial_parameters(SMALL))
    program.feed(np.ones((2, 3)), np.array([0, 1]))
    program.forward()
    program.backward()
    for name in ("W1", "b1", "W2", "b2"):
        assert program.values[name].base is program.parameters
        assert program.cotangents[name].base is program.gradient
    flat = np.concatenate([program.cotangents[name].ravel() for name in ("W1", "b1", "W2", "b2")])
    np.testing.assert_array_equal(flat, program.gradient)


@pytest.mark.parametrize("bias", [True, False])
def test_every_value_and_every_derivative_has_its_shape(bias):
    spec = NetworkSpec((3, 4, 5, 2), bias=bias, dtype="float64")
    iteration = pass_of(spec, np.ones((6, 3)))
    for name, shape in spec.graph.parameters.items():
        assert (
            iteration.tensor(name).shape
            == iteration.tensor(f"d{name}").shape
            == iteration.new[name].shape
            == shape
        )
    for k, width in enumerate((4, 5, 2), 1):
        for name in (f"z{k}", f"a{k}", f"δ{k}"):
            assert iteration.tensor(name).shape == (6, width)
    assert ("b1" in spec.graph.parameters) is bias


def test_the_last_layer_is_linear():
    iteration = pass_of(SMALL, [[1, 2, 3]])
    assert iteration.tensor("a2") is iteration.tensor("z2")


def test_an_unknown_tensor_is_a_key_error():
    with pytest.raises(KeyError):
        pass_of(SMALL, [[1, 2, 3]]).tensor("q1")


def test_the_update_is_one_step_down_the_gradient():
    iteration = pass_of(SMALL, [[1, 2, 3], [3, 2, 1]], lr=0.25)
    old = SMALL.graph.views(initial_parameters(SMALL))
    for name, w in iteration.new.items():
        np.testing.assert_array_equal(w, old[name] - 0.25 * iteration.tensor(f"d{name}"))
    assert iteration.loss_after < iteration.loss


def test_a_pass_is_read_only():
    iteration = pass_of(SMALL, [[1, 2, 3]])
    for array in (
        iteration.tensor("z1"),
        iteration.tensor("W1"),
        iteration.tensor("dW1"),
        iteration.after.parameters,
        iteration.new["W1"],
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_an_input_of_zeros_stands_at_the_kink_and_sends_nothing_back():
    iteration = pass_of(SMALL, [[0, 0, 0]])  # biases start at zero, so every z1 is exactly 0
    assert not iteration.tensor("z1").any()
    assert iteration.tensor("δ2").any()
    for name in ("a1", "δ1", "dW1", "db1", "dW2"):
        assert not iteration.tensor(name).any()
    assert iteration.tensor("db2").any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_input_that_is_no_number_gives_a_loss_that_is_none_and_no_exception(activation, loss, bad):
    spec = NetworkSpec((2, 3, 2), activation, loss, dtype="float64")
    iteration = pass_of(spec, [[bad, 1.0]])
    if np.isnan(bad):
        assert np.isnan(iteration.loss)
        assert np.isnan(iteration.loss_after)
        assert np.isnan(iteration.tensor("dW1")).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_learning_rate_that_overflows_shows_as_a_loss_that_is_no_number(dtype):
    iteration = pass_of(NetworkSpec((2, 3, 2), "identity", "mse", dtype=dtype), [[1.0, 2.0]], lr=1e300)
    assert np.isfinite(iteration.loss)
    assert not np.isfinite(iteration.loss_after)


@pytest.mark.parametrize(
    "layers", [(784, 10), (1, 1), (2, *(3,) * 49, 2)], ids=["one layer", "1,1", "50 layers"]
)
@pytest.mark.parametrize("bias", [True, False])
def test_shallow_and_deep_networks_run(layers, bias):
    spec = NetworkSpec(layers, "tanh", "mse", "xavier", "float64", bias)
    iteration = pass_of(spec, np.linspace(0, 1, 2 * layers[0]).reshape(2, -1))
    assert np.isfinite(iteration.loss)
    assert iteration.tensor(f"dW{spec.depth}").any()
    assert iteration.tensor("dW1").any()


def test_a_pass_can_be_run_again_and_gives_the_same_bits():
    program = Program(SMALL, 2, initial_parameters(SMALL))
    program.feed(np.ones((2, 3)), np.array([0, 1]))
    loss, gradient = float(program.forward()), program.backward().copy()
    assert float(program.forward()) == loss
    np.testing.assert_array_equal(program.backward(), gradient)


def slopes(iteration):
    return np.array([iteration.slope(1, sample) for sample in range(len(iteration.tensor("x")))])


def test_the_slope_of_a_layer_is_what_its_delta_was_multiplied_by():
    iteration = pass_of(NetworkSpec((3, 4, 2), "tanh", dtype="float64"), [[1, 2, 3]])
    before = iteration.tensor("δ2") @ iteration.tensor("W2").T
    np.testing.assert_allclose(before * slopes(iteration), iteration.tensor("δ1"), rtol=1e-14)


EVERYTHING = NetworkSpec(
    (2, 6, 6, 2), "gelu,silu", dtype="float64", layer_norm=True, residual=True, dropout=0.4, l2=0.01
)
X = [[1.0, -0.5], [0.3, 2.0], [-1.0, 0.1]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_a_normalized_layer_with_dropout_is_taken_at_its_normalized_sums(activation):
    spec = NetworkSpec((2, 6, 2), activation, dtype="float64", layer_norm=True, dropout=0.4)
    iteration = pass_of(spec, X)
    before = iteration.tensor("δ2") @ iteration.tensor("W2").T * iteration.tensor("m1")
    np.testing.assert_allclose(before * slopes(iteration), iteration.tensor("dn1"), rtol=1e-13, atol=1e-18)


def test_the_loss_after_the_update_is_taken_with_the_same_masks():
    iteration = pass_of(EVERYTHING, X, t=7)
    again = Program(EVERYTHING, 3, iteration.after.parameters)
    again.feed(np.array(X), np.zeros(3, int))
    again.draw(mask_stream(EVERYTHING, 7))
    assert float(again.forward()) == iteration.loss_after
    for name in ("m1", "m2"):
        np.testing.assert_array_equal(again.values[name], iteration.tensor(name))
    assert not np.array_equal(pass_of(EVERYTHING, X, t=8).tensor("m1"), iteration.tensor("m1"))


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_a_pass_ends_in_the_state_that_its_optimizer_leaves(optimizer):
    settings = OptimizerSpec(optimizer, weight_decay=0.1, clip=0.5, schedule="linear", horizon=10)
    iteration = pass_of(EVERYTHING, X, 0.1, settings, t=4)
    w, rule = iteration.before.parameters.copy(), Optimizer(settings, 0.1, EVERYTHING.parameters, "float64")
    rule.apply(w, iteration.program.gradient, 4)
    np.testing.assert_array_equal(iteration.after.parameters, w)
    assert (iteration.before.t, iteration.after.t, iteration.lr) == (4, 5, learning_rate(settings, 0.1, 4))
    for name, slot in rule.slots.items():
        np.testing.assert_array_equal(iteration.after.slots[name], slot)
        assert not iteration.before.slots[name].any()


@pytest.mark.parametrize(("clip", "scale"), [(0, 1), (1e9, 1), (0.5, 0.5)])
def test_a_pass_tells_what_its_gradient_was_clipped_by(clip, scale):
    iteration = pass_of(EVERYTHING, X, 1.0, OptimizerSpec(clip=clip))
    norm = np.linalg.norm(iteration.program.gradient)
    assert iteration.clipping == pytest.approx(scale / norm if 0 < clip < 1 else 1, rel=1e-14)
    moved = iteration.before.parameters - iteration.after.parameters
    np.testing.assert_allclose(moved, iteration.clipping * iteration.program.gradient, rtol=1e-9, atol=1e-15)


def test_the_deviation_is_what_the_sums_of_a_sample_were_divided_by():
    iteration = pass_of(EVERYTHING, X)
    z, v = iteration.tensor("z1"), iteration.tensor("v1")
    assert iteration.deviation(1).shape == (3, 1)
    np.testing.assert_allclose((z - z.mean(axis=1, keepdims=True)) / iteration.deviation(1), v, rtol=1e-13)


def test_a_pass_says_where_a_loss_that_is_no_number_came_from_and_nothing_of_one_that_is():
    assert pass_of(SMALL, [[1, 2, 3]]).bad is None
    bad = pass_of(SMALL, [[1, np.nan, 3]]).bad
    assert (bad.value, bad.index) == ("x", (0, 1))


LINE = NetworkSpec((1, 1, 1), "identity", "half-squares", dtype="float32", bias=False)


def line_pass(x, target, parameters, lr=0.1, optimizer=OptimizerSpec(), **more):
    x, target = (np.array([[value]], "float32") for value in (x, target))
    slots = new_slots(optimizer, 2, "float32")
    return run_iteration(
        LINE, Update(x, target, lr), TrainingState(0, np.array(parameters, "float32"), slots), optimizer
    )


def test_an_infinite_gradient_under_a_finite_loss_is_traced_to_the_rule_that_made_it():
    iteration = line_pass(1e20, 0, [1e-10, 1e5], lr=1e-3)
    assert np.isfinite(iteration.loss)
    assert (iteration.bad.op, iteration.bad.value) == ("matmul vjp", "dW1")
    exact = float(np.float32(1e20)) * float(np.float32(1e20)) * 1e-10 * 1e5 * 1e5
    assert iteration.bad.why == (
        "dW1[0,0] is ∞: the vjp of matmul in layer 1 overflows float32; in float64 it is"
        f" {format_number(exact, sign=True)}, beyond 3.40e+38"
    )


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_an_update_that_overflows_is_named_with_its_rate(name):
    iteration = line_pass(1, 1e15, [1, 1], lr=1e30, optimizer=OptimizerSpec(name))
    assert np.isfinite(iteration.program.gradient).all()
    assert (iteration.bad.op, iteration.bad.block, iteration.bad.value) == (f"{name} update", 1, "W1")
    assert iteration.bad.why == (
        f"W1[0,0] after the update is ∞: {name} at α = 1e+30 overflows float32, whose largest number is 3.40e+38"
    )


def test_what_an_optimizer_remembers_is_made_before_the_parameters():
    iteration = line_pass(1, 1e15, [1e-6, 1e6], lr=1e-30, optimizer=OptimizerSpec("adam"))
    assert (iteration.bad.op, iteration.bad.value) == ("adam update", "v of W1")
    assert iteration.bad.why.startswith("v of W1[0,0] after the update is ∞: adam at α = 1e-30 overflows")


def test_where_both_overflow_what_is_remembered_is_to_blame():
    x, target = np.array([[1]], "float32"), np.array([[-1e19]], "float32")
    state = TrainingState(0, np.array([1e-19, 1e19], "float32"), {"v": np.array([3e38, 0], "float32")})
    iteration = run_iteration(LINE, Update(x, target, 0.1), state, OptimizerSpec("momentum"))
    assert np.isfinite(iteration.program.gradient).all()
    assert not np.isfinite(iteration.after.parameters[0])
    assert iteration.bad.value == "v of W1"


def test_a_loss_that_overflows_only_with_the_updated_weights_is_traced_in_their_pass():
    iteration = line_pass(1, 1e10, [1, 1], lr=1e5)
    assert np.isfinite([iteration.loss, *iteration.after.parameters]).all()
    assert not np.isfinite(iteration.loss_after)
    assert (iteration.bad.op, iteration.bad.block) == ("half sum of squares", 2)
    assert iteration.bad.why.startswith("L with the updated parameters is ∞: half sum of squares in layer 2")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_no_array_of_a_pass_can_be_written_to(optimizer):
    iteration = pass_of(EVERYTHING, X, optimizer=OptimizerSpec(optimizer))
    states = (iteration.before, iteration.after)
    arrays = [
        *iteration.program.arrays(),
        iteration.tensor("p"),
        iteration.tensor("v1"),
        iteration.deviation(1),
    ]
    arrays += [array for state in states for array in (state.parameters, *state.slots.values())]
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_a_loss_that_makes_probabilities_has_some(loss):
    iteration = pass_of(NetworkSpec((3, 4, 2), loss=loss), [[1, 2, 3]])
    if loss in ("cross-entropy", "binary-cross-entropy"):
        assert ((iteration.tensor("p") > 0) & (iteration.tensor("p") < 1)).all()
    else:
        with pytest.raises(KeyError):
            iteration.tensor("p")
