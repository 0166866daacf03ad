"""Slices of the loss are real runs of the network; a unit's curve is the function that the passes use."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.engine.analysis import loss_slices as slices
from tui_backprop.engine.analysis.loss_slices import activation_curve, slice_along
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.training.iteration import TrainingState, Update, run_iteration

PLAIN = NetworkSpec((4, 6, 5, 3), "tanh", dtype="float64")
EVERYTHING = replace(PLAIN, layers=(4, 5, 5, 3), layer_norm=True, residual=True, dropout=0.2, l2=0.05)
NETWORKS = {
    "plain": PLAIN,
    "single precision": replace(PLAIN, dtype="float32"),
    "everything": EVERYTHING,
    "everything in single precision": replace(EVERYTHING, dtype="float32"),
    "no bias": replace(PLAIN, bias=False, activation="relu"),
    "two layers": replace(PLAIN, layers=(4, 1, 3)),
    "one layer": replace(PLAIN, layers=(4, 3)),
    "forty layers": replace(PLAIN, layers=(4, *(3,) * 39, 3)),
}
CASES = [
    (network, tensor) for network, spec in NETWORKS.items() for tensor in list(spec.graph.parameters)[:12]
]

SQUARE = np.sqrt(2 / np.pi)
TEXTBOOK = {
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(SQUARE * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}


def iteration(spec, batch=4, lr=0.1, scale=0.5):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype)
    update = Update(x, rng.integers(spec.layers[-1], size=batch), lr)
    parameters = rng.normal(scale=scale, size=spec.parameters).astype(spec.dtype)
    return run_iteration(spec, update, TrainingState(7, parameters))


def last_of(spec, tensor):
    """The last entry of a tensor, as a weight to slice along."""
    return tensor, tuple(n - 1 for n in spec.graph.parameters[tensor])


def whole(pass_, *weights, **keywords):
    *_, found = slice_along(pass_, weights, **keywords)
    return found


def run_at(pass_, moved):
    """The loss of a whole forward pass in double precision, with some parameters moved; the pass's own masks."""
    program = Program(pass_.spec, pass_.program.batch, pass_.program.parameters.astype(float), "float64")
    program.feed(pass_.tensor("x").astype(float), pass_.tensor("t"))
    for name, values in pass_.program.values.items():
        if name[0] == "m":
            program.values[name][...] = (values > 0) / (1 - pass_.spec.dropout)
    for (tensor, index), value in moved.items():
        program.values[tensor][index] = value
    return float(program.forward())


# --- the loss along one weight, and over two ---------------------------------------------------------------


@pytest.mark.parametrize(("network", "tensor"), CASES)
def test_every_point_of_a_slice_is_a_whole_run_of_the_network_with_that_weight_moved(network, tensor):
    pass_ = iteration(NETWORKS[network])
    weight = last_of(pass_.spec, tensor)
    found = whole(pass_, weight, points=9)
    assert found.done == found.losses.size == 9
    for value, loss in zip(found.values[0], found.losses, strict=True):
        assert loss == pytest.approx(run_at(pass_, {weight: value}), rel=1e-13)


@pytest.mark.parametrize(("first", "second"), [("W1", "b1"), ("b3", "W1"), ("W3", "γ2"), ("b2", "β2")])
def test_every_point_of_a_surface_is_a_whole_run_of_the_network_with_both_weights_moved(first, second):
    pass_ = iteration(EVERYTHING)
    one, other = last_of(EVERYTHING, first), last_of(EVERYTHING, second)
    found = whole(pass_, one, other, points=5)
    for i, a in enumerate(found.values[0]):
        for j, b in enumerate(found.values[1]):
            assert found.losses[i, j] == pytest.approx(run_at(pass_, {one: a, other: b}), rel=1e-13)
    assert (whole(pass_, other, one, points=5).losses == found.losses.T).all()


def test_a_slice_that_began_too_late_would_be_noticed(monkeypatch):
    """A bias is added in place: to begin there adds it to what it has been added to already."""
    monkeypatch.setattr(
        slices,
        "_entry",
        lambda program, tensors: next(i for i, op in enumerate(program.ops) if tensors & {*op.inputs}),
    )
    pass_ = iteration(PLAIN)
    weight = last_of(PLAIN, "b1")
    found = whole(pass_, weight, points=9)
    ran = [run_at(pass_, {weight: value}) for value in found.values[0]]
    assert np.abs(found.losses - ran).max() > 1e-3


@pytest.mark.parametrize("network", NETWORKS)
def test_a_slice_holds_the_pass_s_own_numbers(network):
    pass_ = iteration(NETWORKS[network])
    weight = last_of(pass_.spec, "W1")
    found = whole(pass_, weight)
    (tensor, index), (values,) = weight, found.values
    assert found.loss == pass_.loss
    assert found.losses[len(values) // 2] == found.base == pytest.approx(pass_.loss, rel=1e-5)
    assert values[len(values) // 2] == found.here[0] == pass_.tensor(tensor)[index]
    assert found.gradient == (pass_.tensor(f"d{tensor}")[index],)
    assert found.updated == (pass_.new[tensor][index],)
    assert found.actual_change == pytest.approx(
        run_at(pass_, {weight: found.updated[0]}) - found.base, abs=1e-14
    )
    assert found.predicted_change == found.gradient[0] * (found.updated[0] - found.here[0])
    where, least = found.lowest
    assert least == found.losses.min()
    assert run_at(pass_, {weight: where[0]}) == pytest.approx(least, rel=1e-13)


@pytest.mark.parametrize("tensor", EVERYTHING.graph.parameters)
def test_the_gradient_is_the_slope_of_the_slice(tensor):
    found = whole(iteration(EVERYTHING), last_of(EVERYTHING, tensor), points=3, zoom=1e5)
    slope = (found.losses[2] - found.losses[0]) / (found.values[0][2] - found.values[0][0])
    assert slope == pytest.approx(found.gradient[0], rel=1e-5, abs=1e-9)


def test_a_slice_of_a_network_in_single_precision_is_no_staircase():
    pass_ = iteration(replace(PLAIN, dtype="float32"))
    weight = last_of(PLAIN, "W2")
    found = whole(pass_, weight, zoom=1e5)
    assert (np.sign(np.diff(found.losses)) == np.sign(found.gradient[0])).all()
    program = Program(pass_.spec, 4, pass_.program.parameters.copy())
    program.feed(pass_.tensor("x"), pass_.tensor("t"))
    single = []
    for value in found.values[0]:
        program.values[weight[0]][weight[1]] = value
        single.append(float(program.forward()))
    assert (np.diff(single) == 0).any()


def test_a_slice_grows_point_by_point_and_may_be_left_at_any_time():
    pass_ = iteration(PLAIN)
    weights = last_of(PLAIN, "W1"), last_of(PLAIN, "b2")
    each = slice_along(pass_, weights, points=5)
    first = next(each)
    assert first.done == 0
    assert first.lowest is None
    assert np.isnan(first.losses).all()
    for done in (1, 2, 3):
        found = next(each)
        assert found.done == done
        assert np.isfinite(found.losses.flat[:done]).all()
        assert np.isnan(found.losses.flat[done:]).all()
    assert np.isnan(first.losses).all()  # what was handed out stays as it was
    each.close()


def test_the_pass_stays_as_it_was():
    pass_ = iteration(PLAIN)
    before = pass_.program.parameters.copy()
    whole(pass_, last_of(PLAIN, "W1"))
    assert (pass_.program.parameters == before).all()


@pytest.mark.parametrize("tensor", ["W1", "b1", "γ1"])
def test_the_range_is_six_spreads_of_the_layer_s_weights_or_four_updates(tensor):
    for lr, of in ((1e-6, "spread"), (1e3, "update")):
        pass_ = iteration(EVERYTHING, lr=lr)
        found = whole(pass_, last_of(EVERYTHING, tensor))
        spread, update = np.sqrt(np.mean(pass_.tensor("W1") ** 2)), abs(found.updated[0] - found.here[0])
        reach = {"spread": 6 * spread, "update": 4 * update}[of]
        assert found.values[0][-1] - found.here[0] == pytest.approx(reach)
        assert found.here[0] - found.values[0][0] == pytest.approx(reach)
        assert (np.diff(found.values[0]) > 0).all()


def test_a_network_of_zeros_has_a_range_too():
    spec = NetworkSpec((4, 3, 3), init="zeros", dtype="float64", bias=False)
    pass_ = run_iteration(
        spec, Update(np.ones((1, 4)), np.array([1]), 0.1), TrainingState(0, np.zeros(spec.parameters))
    )
    found = whole(pass_, ("W1", (0, 0)))
    assert found.gradient == (0,)
    assert (found.values[0][0], found.values[0][-1]) == (-1, 1)
    assert (found.losses == found.base).all()
    assert found.actual_change == found.predicted_change == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_where_the_loss_is_no_number_a_slice_has_a_gap_there(bad):
    spec = replace(PLAIN, activation="relu")
    pass_ = iteration(spec)
    parameters = pass_.program.parameters.copy()
    parameters[0] = bad
    broken = run_iteration(
        spec, Update(pass_.tensor("x"), pass_.tensor("t"), 0.1), TrainingState(0, parameters)
    )
    found = whole(broken, ("W1", (0, 1)))
    assert not np.isfinite(found.loss)
    assert not np.isfinite(found.losses).any()
    assert found.lowest is None
    own = whole(broken, ("W1", (0, 0)))
    assert not np.isfinite(own.values[0]).any()


def test_a_loss_that_overflows_at_one_end_is_infinite_there_and_finite_elsewhere():
    spec = NetworkSpec((1, 1), loss="half-squares", dtype="float64")
    update = Update(np.array([[1.0]]), np.array([[0.0]]), 1e200)
    found = whole(run_iteration(spec, update, TrainingState(0, np.array([1.0, 1.0]))), ("W1", (0, 0)))
    assert np.isinf(found.losses[0])
    assert found.lowest[1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    "weights",
    [
        (),
        (("W1", (0, 0)),) * 2,
        (("W1", (0, 0)), ("W1", (0, 1)), ("W1", (0, 2))),
        (("W9", (0, 0)),),
        (("W1", (0,)),),
        (("W1", (0, 6)),),
        (("W1", (-1, 0)),),
        (("z1", (0,)),),
    ],
)
def test_what_is_no_weight_is_refused(weights):
    with pytest.raises(ValueError, match=r"or two different ones|is not a parameter"):
        next(slice_along(iteration(PLAIN), weights))


@pytest.mark.parametrize(("points", "drawn"), [(None, 41), (1, 3), (8, 9), (9, 9)])
def test_the_points_along_a_weight_are_odd_in_number(points, drawn):
    assert whole(iteration(PLAIN), ("W1", (0, 0)), points=points).losses.shape == (drawn,)


def test_a_large_network_gets_fewer_points_and_less_of_it_more():
    def points(layers, weights, batch=1):
        given = SimpleNamespace(graph=NetworkSpec(layers).graph, program=SimpleNamespace(batch=batch))
        return slices._points(given, tuple((name, (0, 0)) for name in weights))

    lesson, large, huge = (784, 256, 256, 256, 10), (784, 2048, 2048, 2048, 10), (784, 20_000, 20_000, 10)
    assert (points(lesson, ["W1"]), points(lesson, ["W1", "W2"])) == (41, 21)
    assert points(large, ["W1"]) == 41
    assert 5 <= points(large, ["W1", "W2"], 32) < points(large, ["W1", "W2"]) < 21
    assert points(large, ["W4", "W1"], 32) == points(large, ["W1", "W4"], 32)
    assert points(large, ["W4"], 32) == 41
    assert (points(huge, ["W1"]), points(huge, ["W1", "W2"])) == (9, 5)


# --- the function of a unit --------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_curve_is_the_textbook_s_function_and_its_derivative(activation):
    curve = activation_curve(iteration(replace(PLAIN, activation=activation)), 1, 0, 801)
    assert curve.name == activation
    assert curve.f == pytest.approx(TEXTBOOK[activation](curve.x), abs=1e-12)
    smooth = np.abs(curve.x) > 0.02  # a difference across a kink is no derivative
    h = 1e-6
    slope = (TEXTBOOK[activation](curve.x + h) - TEXTBOOK[activation](curve.x - h)) / (2 * h)
    assert curve.slope[smooth] == pytest.approx(slope[smooth], abs=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_unit_s_own_numbers_are_the_pass_s_to_the_last_bit(activation, dtype):
    pass_ = iteration(replace(PLAIN, activation=activation, dtype=dtype), batch=32)
    for layer, unit, sample in ((1, 0, 0), (1, 5, 31), (2, 4, 7)):
        curve = activation_curve(pass_, layer, unit, 9, sample)
        assert curve.of == f"z{layer}"
        assert curve.at == pass_.tensor(f"z{layer}")[sample, unit]
        assert curve.value == pass_.tensor(f"a{layer}")[sample, unit]
        back = pass_.tensor(f"da{layer}")[sample, unit] * np.dtype(dtype).type(curve.slope_at)
        assert back == pass_.tensor(f"δ{layer}")[sample, unit]


def test_a_normalized_unit_is_seen_at_its_normalized_sum_before_dropout_and_residual():
    pass_ = iteration(EVERYTHING)
    curve = activation_curve(pass_, 2, 3, 9, sample=1)
    assert curve.of == "n2"
    assert curve.at == pass_.tensor("n2")[1, 3] != pass_.tensor("z2")[1, 3]
    assert curve.value == pass_.tensor("h2")[1, 3] == pytest.approx(np.tanh(curve.at))


def test_the_output_layer_is_linear():
    pass_ = iteration(PLAIN)
    curve = activation_curve(pass_, 3, 2, 9)
    assert (curve.name, curve.of, curve.slope_at) == ("identity", "z3", 1)
    assert curve.at == curve.value == pass_.tensor("z3")[0, 2]
    assert (curve.f == curve.x).all()
    assert (curve.slope == 1).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6, 1e300])
def test_the_range_holds_the_unit_and_where_the_function_bends(scale):
    with np.errstate(all="ignore"):
        pass_ = iteration(replace(PLAIN, activation="silu"), scale=scale)
    for unit in range(6):
        curve = activation_curve(pass_, 1, unit, 9)
        assert np.isfinite(curve.x).all()
        assert curve.x[0] <= min(-4, curve.at)
        assert curve.x[-1] >= max(4, curve.at)


def test_a_unit_that_is_no_number_has_a_curve_all_the_same():
    pass_ = iteration(PLAIN)
    parameters = pass_.program.parameters.copy()
    parameters[0] = np.nan
    broken = run_iteration(
        PLAIN, Update(pass_.tensor("x"), pass_.tensor("t"), 0.1), TrainingState(0, parameters)
    )
    curve = activation_curve(broken, 1, 0, 9)
    assert isnan(curve.at)
    assert isnan(curve.value)
    assert (curve.x[0], curve.x[-1]) == (-4, 4)
    assert np.isfinite(curve.f).all()
