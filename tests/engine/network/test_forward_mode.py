"""Tangents pushed down the list, against the complex step of every value and against backprop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES

STEP = 1e-30
NETWORKS = st.builds(
    NetworkSpec,
    st.tuples(*[st.integers(1, 4)] * 4) | st.integers(1, 4).map(lambda width: (width,) * 4),
    st.tuples(*[st.sampled_from([*ACTIVATIONS])] * 2).map(",".join),
    st.sampled_from([*LOSSES]),
    dtype=st.just("float64"),
    bias=st.booleans(),
    layer_norm=st.booleans(),
    residual=st.booleans(),
    dropout=st.sampled_from([0.0, 0.3]),
    l2=st.sampled_from([0.0, 0.1]),
)


def directions(spec, *lead):
    return np.random.default_rng(5).normal(size=(*lead, spec.parameters))


def many_views(flat, spec):
    """Like ``views``, of (m, P) numbers."""
    named, start = {}, 0
    for name, array in spec.graph.views(flat[0]).items():
        named[name] = flat[:, start : start + array.size].reshape(len(flat), *array.shape)
        start += array.size
    return named


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spec=NETWORKS, batch=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_the_tangent_of_every_value_is_its_complex_step(calculus, spec, batch, seed):
    problem = calculus.problem(spec, batch, seed)
    program, nudged = problem.program(), problem.program("complex128")
    program.forward()
    direction = directions(spec)
    tangents = ForwardMode(program, spec.graph.views(direction))
    tangents.push()
    nudged.parameters += STEP * 1j * direction
    nudged.forward()
    assert tangents.dots.keys() == spec.graph.differentiable
    for name, dot in tangents.dots.items():
        if name[0] == "u" and spec.bias:
            continue  # the bias has been added to the same array
        assert calculus.worst(dot, nudged.values[name].imag / STEP) < 1e-9, name


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spec=NETWORKS, batch=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_a_tangent_of_the_loss_is_the_gradient_times_the_direction(calculus, spec, batch, seed):
    program = calculus.run(calculus.problem(spec, batch, seed))
    flat = directions(spec, 3)
    slopes = ForwardMode(program, many_views(flat, spec), 3).push()
    assert slopes.shape == (3,)
    terms = np.abs(flat * program.gradient).sum(axis=1)
    np.testing.assert_allclose(slopes, flat @ program.gradient, rtol=0, atol=1e-13 * terms.max())


def test_many_tangents_at_once_are_each_of_them_alone(calculus):
    spec = calculus.everything
    program = calculus.run(calculus.problem(spec, 3))
    flat = directions(spec, 5)
    together = ForwardMode(program, many_views(flat, spec), 5)
    slopes = together.push()
    for m, direction in enumerate(flat):
        alone = ForwardMode(program, spec.graph.views(direction.copy()))
        assert alone.push() == pytest.approx(slopes[m], rel=1e-13)
        for name in ("z3", "a2"):
            np.testing.assert_allclose(together.dots[name][m], alone.dots[name], rtol=1e-12, atol=1e-15)


def test_a_tangent_of_the_input_goes_through_too(calculus):
    """dL/dx, which the backward pass leaves out."""
    problem = calculus.problem(calculus.everything, 2)
    program = calculus.run(problem)
    x_dot = np.random.default_rng(1).normal(size=problem.x.shape)
    nudged = problem.program("complex128")
    nudged.values["x"] += STEP * 1j * x_dot
    slope = ForwardMode(program, {"x": x_dot}).push()
    assert slope == pytest.approx(nudged.forward().imag / STEP, rel=1e-12)


@pytest.mark.parametrize("name", ["u1", "z1", "n1", "h1", "a1", "h2", "r2", "a2", "u3", "z3", "L0", "L2"])
def test_a_tangent_may_start_at_any_value_and_meets_the_cotangent_there(calculus, name):
    """<dL/dv, v_dot>, whichever value v it is that moves."""
    program = calculus.run(calculus.problem(calculus.everything, 3))
    seed = np.asarray(np.random.default_rng(2).normal(size=program.shapes[name]))
    tangents = ForwardMode(program, {name: seed})
    assert tangents.push() == pytest.approx(np.sum(program.cotangents[name] * seed), rel=1e-12)
    assert tangents.dots[name] is seed


def test_a_tangent_that_is_given_takes_the_place_of_one_that_would_follow(calculus):
    program = calculus.run(calculus.problem(NetworkSpec((4, 5, 3), "tanh", dtype="float64"), 3))
    seed = np.random.default_rng(2).normal(size=program.shapes["a1"])
    both = ForwardMode(program, {"a1": seed, "W1": np.ones((4, 5))})
    assert both.push() == ForwardMode(program, {"a1": seed.copy()}).push()
    assert both.dots["a1"] is seed


def test_new_parameters_new_seeds_and_another_push_make_it_anew(calculus):
    spec = calculus.everything
    program = calculus.run(calculus.problem(spec, 3))
    direction = directions(spec)
    tangents = ForwardMode(program, spec.graph.views(direction))
    first = float(tangents.push())
    assert float(tangents.push()) == first
    direction *= -2
    assert float(tangents.push()) == pytest.approx(-2 * first, rel=1e-12)
    program.parameters *= 0.5
    program.forward()
    assert float(tangents.push()) == pytest.approx(program.backward() @ direction, rel=1e-12)


def test_a_parameter_without_a_tangent_stays_where_it_is(calculus):
    program = calculus.run(calculus.problem(calculus.everything, 3))
    for name, shape in program.spec.graph.parameters.items():
        tangents = ForwardMode(program, {name: np.ones(shape)})
        assert tangents.push() == pytest.approx(program.cotangents[name].sum(), rel=1e-11, abs=1e-14), name


def test_a_single_precision_pass_has_single_precision_tangents(calculus):
    spec = NetworkSpec(**{**calculus.everything.__dict__, "dtype": "float32"})
    program = calculus.run(calculus.problem(spec, 3))
    direction = directions(spec).astype(np.float32)
    tangents = ForwardMode(program, spec.graph.views(direction))
    assert tangents.push() == pytest.approx(float(program.gradient @ direction), rel=1e-5)
    assert {dot.dtype for dot in tangents.dots.values()} == {np.dtype("float32")}
