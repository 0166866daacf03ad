"""A program, its buffers, and what a pass does with special inputs."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.network.graph import parameter_shapes, views
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.spec import ACTIVATIONS, LOSSES, NetworkSpec
from tui_backprop.engine.primitives import LOSSES as LOSS_TABLE
from tui_backprop.engine.training.iteration import State, Update, mask_stream, take_pass
from tui_backprop.engine.training.optimizer_spec import OPTIMISERS, OptimiserSpec, learning_rate
from tui_backprop.engine.training.optimizers import Optimiser, new_slots

SMALL = NetworkSpec((3, 4, 2), "relu", "cross-entropy", dtype="float64")


def pass_of(spec, x, lr=0.1, optimiser=OptimiserSpec(), t=0):
    """An iteration on samples that are all of class 0."""
    labels = np.zeros(len(x), int)
    target = labels if LOSS_TABLE[spec.loss].labels else np.eye(spec.layers[-1], dtype=spec.dtype)[labels]
    slots = new_slots(optimiser, spec.parameters, spec.dtype)
    state = State(t, initial_parameters(spec), slots)
    return take_pass(spec, Update(np.asarray(x, spec.dtype), target, lr), state, optimiser)


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
    taken = pass_of(spec, np.ones((6, 3)))
    for name, shape in parameter_shapes(spec).items():
        assert taken.tensor(name).shape == taken.tensor(f"d{name}").shape == taken.new[name].shape == shape
    for k, width in enumerate((4, 5, 2), 1):
        for name in (f"z{k}", f"a{k}", f"δ{k}", f"delta{k}"):
            assert taken.tensor(name).shape == (6, width)
    assert ("b1" in parameter_shapes(spec)) is bias


def test_the_last_layer_is_linear():
    taken = pass_of(SMALL, [[1, 2, 3]])
    assert taken.tensor("a2") is taken.tensor("z2")


def test_an_unknown_tensor_is_a_key_error():
    with pytest.raises(KeyError):
        pass_of(SMALL, [[1, 2, 3]]).tensor("q1")


def test_the_update_is_one_step_down_the_gradient():
    taken = pass_of(SMALL, [[1, 2, 3], [3, 2, 1]], lr=0.25)
    old = views(initial_parameters(SMALL), SMALL)
    for name, w in taken.new.items():
        np.testing.assert_array_equal(w, old[name] - 0.25 * taken.tensor(f"d{name}"))
    assert taken.loss_after < taken.loss


def test_a_pass_is_read_only():
    taken = pass_of(SMALL, [[1, 2, 3]])
    for array in (
        taken.tensor("z1"),
        taken.tensor("W1"),
        taken.tensor("dW1"),
        taken.after.parameters,
        taken.new["W1"],
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_an_input_of_zeros_stands_at_the_kink_and_sends_nothing_back():
    taken = pass_of(SMALL, [[0, 0, 0]])  # biases start at zero, so every z1 is exactly 0
    assert not taken.tensor("z1").any()
    assert taken.tensor("δ2").any()
    for name in ("a1", "δ1", "dW1", "db1", "dW2"):
        assert not taken.tensor(name).any()
    assert taken.tensor("db2").any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_input_that_is_no_number_gives_a_loss_that_is_none_and_no_exception(activation, loss, bad):
    spec = NetworkSpec((2, 3, 2), activation, loss, dtype="float64")
    taken = pass_of(spec, [[bad, 1.0]])
    if np.isnan(bad):
        assert np.isnan(taken.loss)
        assert np.isnan(taken.loss_after)
        assert np.isnan(taken.tensor("dW1")).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_learning_rate_that_overflows_shows_as_a_loss_that_is_no_number(dtype):
    taken = pass_of(NetworkSpec((2, 3, 2), "identity", "mse", dtype=dtype), [[1.0, 2.0]], lr=1e300)
    assert np.isfinite(taken.loss)
    assert not np.isfinite(taken.loss_after)


@pytest.mark.parametrize(
    "layers", [(784, 10), (1, 1), (2, *(3,) * 49, 2)], ids=["one layer", "1,1", "50 layers"]
)
@pytest.mark.parametrize("bias", [True, False])
def test_shallow_and_deep_networks_run(layers, bias):
    spec = NetworkSpec(layers, "tanh", "mse", "xavier", "float64", bias)
    taken = pass_of(spec, np.linspace(0, 1, 2 * layers[0]).reshape(2, -1))
    assert np.isfinite(taken.loss)
    assert taken.tensor(f"dW{spec.depth}").any()
    assert taken.tensor("dW1").any()


def test_a_pass_can_be_run_again_and_gives_the_same_bits():
    program = Program(SMALL, 2, initial_parameters(SMALL))
    program.feed(np.ones((2, 3)), np.array([0, 1]))
    loss, gradient = float(program.forward()), program.backward().copy()
    assert float(program.forward()) == loss
    np.testing.assert_array_equal(program.backward(), gradient)


def slopes(taken):
    return np.array([taken.slope(1, sample) for sample in range(len(taken.tensor("x")))])


def test_the_slope_of_a_layer_is_what_its_delta_was_multiplied_by():
    taken = pass_of(NetworkSpec((3, 4, 2), "tanh", dtype="float64"), [[1, 2, 3]])
    before = taken.tensor("δ2") @ taken.tensor("W2").T
    np.testing.assert_allclose(before * slopes(taken), taken.tensor("δ1"), rtol=1e-14)


EVERYTHING = NetworkSpec(
    (2, 6, 6, 2), "gelu,silu", dtype="float64", layer_norm=True, residual=True, dropout=0.4, l2=0.01
)
X = [[1.0, -0.5], [0.3, 2.0], [-1.0, 0.1]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_a_normalised_layer_with_dropout_is_taken_at_its_normalised_sums(activation):
    spec = NetworkSpec((2, 6, 2), activation, dtype="float64", layer_norm=True, dropout=0.4)
    taken = pass_of(spec, X)
    before = taken.tensor("δ2") @ taken.tensor("W2").T * taken.tensor("m1")
    np.testing.assert_allclose(before * slopes(taken), taken.tensor("dn1"), rtol=1e-13, atol=1e-18)


def test_the_loss_after_the_update_is_taken_with_the_same_masks():
    taken = pass_of(EVERYTHING, X, t=7)
    again = Program(EVERYTHING, 3, taken.after.parameters)
    again.feed(np.array(X), np.zeros(3, int))
    again.draw(mask_stream(EVERYTHING, 7))
    assert float(again.forward()) == taken.loss_after
    for name in ("m1", "m2"):
        np.testing.assert_array_equal(again.values[name], taken.tensor(name))
    assert not np.array_equal(pass_of(EVERYTHING, X, t=8).tensor("m1"), taken.tensor("m1"))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_pass_ends_in_the_state_that_its_optimiser_leaves(optimiser):
    settings = OptimiserSpec(optimiser, weight_decay=0.1, clip=0.5, schedule="linear", horizon=10)
    taken = pass_of(EVERYTHING, X, 0.1, settings, t=4)
    w, rule = taken.before.parameters.copy(), Optimiser(settings, 0.1, EVERYTHING.parameters, "float64")
    rule.apply(w, taken.program.gradient, 4)
    np.testing.assert_array_equal(taken.after.parameters, w)
    assert (taken.before.t, taken.after.t, taken.lr) == (4, 5, learning_rate(settings, 0.1, 4))
    for name, slot in rule.slots.items():
        np.testing.assert_array_equal(taken.after.slots[name], slot)
        assert not taken.before.slots[name].any()


@pytest.mark.parametrize(("clip", "scale"), [(0, 1), (1e9, 1), (0.5, 0.5)])
def test_a_pass_tells_what_its_gradient_was_clipped_by(clip, scale):
    taken = pass_of(EVERYTHING, X, 1.0, OptimiserSpec(clip=clip))
    norm = np.linalg.norm(taken.program.gradient)
    assert taken.clipping == pytest.approx(scale / norm if 0 < clip < 1 else 1, rel=1e-14)
    moved = taken.before.parameters - taken.after.parameters
    np.testing.assert_allclose(moved, taken.clipping * taken.program.gradient, rtol=1e-9, atol=1e-15)


def test_the_deviation_is_what_the_sums_of_a_sample_were_divided_by():
    taken = pass_of(EVERYTHING, X)
    z, v = taken.tensor("z1"), taken.tensor("v1")
    assert taken.deviation(1).shape == (3, 1)
    np.testing.assert_allclose((z - z.mean(axis=1, keepdims=True)) / taken.deviation(1), v, rtol=1e-13)


def test_a_pass_says_where_a_loss_that_is_no_number_came_from_and_nothing_of_one_that_is():
    assert pass_of(SMALL, [[1, 2, 3]]).bad is None
    bad = pass_of(SMALL, [[1, np.nan, 3]]).bad
    assert (bad.value, bad.index) == ("x", (0, 1))


LINE = NetworkSpec((1, 1, 1), "identity", "half-squares", dtype="float32", bias=False)


def line_pass(x, target, parameters, lr=0.1, optimiser=OptimiserSpec(), **more):
    x, target = (np.array([[value]], "float32") for value in (x, target))
    slots = new_slots(optimiser, 2, "float32")
    return take_pass(LINE, Update(x, target, lr), State(0, np.array(parameters, "float32"), slots), optimiser)


def test_an_infinite_gradient_under_a_finite_loss_is_traced_to_the_rule_that_made_it():
    taken = line_pass(1e20, 0, [1e-10, 1e5], lr=1e-3)
    assert np.isfinite(taken.loss)
    assert (taken.bad.op, taken.bad.value) == ("matmul vjp", "dW1")
    assert "the vjp of matmul in layer 1 made it" in taken.bad.why


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_an_update_that_overflows_is_named_with_its_rate(name):
    taken = line_pass(1, 1e15, [1, 1], lr=1e30, optimiser=OptimiserSpec(name))
    assert np.isfinite(taken.program.gradient).all()
    assert (taken.bad.op, taken.bad.layer, taken.bad.value) == (f"{name} update", 1, "W1")
    assert taken.bad.why == (
        f"W1[0,0] after the update is inf: {name} in layer 1 made it at α = 1e+30, from numbers that are all finite"
    )


def test_what_an_optimiser_remembers_is_made_before_the_parameters():
    taken = line_pass(1, 1e15, [1e-6, 1e6], lr=1e-30, optimiser=OptimiserSpec("adam"))
    assert (taken.bad.op, taken.bad.value) == ("adam update", "v of W1")
    assert taken.bad.why.startswith("v of W1[0,0] after the update is inf")


def test_where_both_overflow_what_is_remembered_is_to_blame():
    x, target = np.array([[1]], "float32"), np.array([[-1e19]], "float32")
    state = State(0, np.array([1e-19, 1e19], "float32"), {"v": np.array([3e38, 0], "float32")})
    taken = take_pass(LINE, Update(x, target, 0.1), state, OptimiserSpec("momentum"))
    assert np.isfinite(taken.program.gradient).all()
    assert not np.isfinite(taken.after.parameters[0])
    assert taken.bad.value == "v of W1"


def test_a_loss_that_overflows_only_with_the_updated_weights_is_traced_in_their_pass():
    taken = line_pass(1, 1e10, [1, 1], lr=1e5)
    assert np.isfinite([taken.loss, *taken.after.parameters]).all()
    assert not np.isfinite(taken.loss_after)
    assert (taken.bad.op, taken.bad.layer) == ("half sum of squares", 2)
    assert taken.bad.why.endswith("from numbers that are all finite, with the updated weights")


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_no_array_of_a_pass_can_be_written_to(optimiser):
    taken = pass_of(EVERYTHING, X, optimiser=OptimiserSpec(optimiser))
    states = (taken.before, taken.after)
    arrays = [*taken.program.arrays(), taken.tensor("p"), taken.tensor("v1"), taken.deviation(1)]
    arrays += [array for state in states for array in (state.parameters, *state.slots.values())]
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_a_loss_that_makes_probabilities_has_some(loss):
    taken = pass_of(NetworkSpec((3, 4, 2), loss=loss), [[1, 2, 3]])
    if loss in ("cross-entropy", "binary-cross-entropy"):
        assert ((taken.tensor("p") > 0) & (taken.tensor("p") < 1)).all()
    else:
        with pytest.raises(KeyError):
            taken.tensor("p")
