"""The gradient of every kind of network, against methods that share nothing with the backward rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.losses import LOSSES

EVERY_KIND = pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec((4, 5, 3, 2), activation, loss, dtype="float64", bias=bias)
        for activation in ACTIVATIONS
        for loss in LOSSES
        for bias in (True, False)
    ],
    ids=lambda spec: f"{spec.activation}-{spec.loss}-{'bias' if spec.bias else 'no-bias'}",
)


@pytest.mark.parametrize("batch", [1, 3])
@EVERY_KIND
def test_loss_and_gradient_equal_the_textbook(calculus, spec, batch):
    problem = calculus.problem(spec, batch)
    program = calculus.run(problem)
    loss, gradient = calculus.textbook(problem)
    assert float(program.values["L"]) == pytest.approx(loss, rel=1e-13)
    assert calculus.worst(program.gradient, gradient) < 1e-12
    assert calculus.worst(calculus.complex_step(problem), gradient) < 1e-12


@st.composite
def networks(draw, widths=st.integers(1, 6)):
    """Any network: activations mixed; half of them of one width, where residual connections can be."""
    depth = draw(st.integers(1, 5))
    if draw(st.booleans()):
        layers = (*[draw(widths)] * depth, draw(widths))
    else:
        layers = draw(st.tuples(*[widths] * (depth + 1)))
    names = draw(st.lists(st.sampled_from([*ACTIVATIONS]), min_size=depth - 1, max_size=depth - 1))
    return NetworkSpec(
        layers,
        ",".join(names or ["relu"]),
        draw(st.sampled_from([*LOSSES])),
        dtype="float64",
        bias=draw(st.booleans()),
        layer_norm=draw(st.booleans()),
        residual=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.3])),
        l2=draw(st.sampled_from([0.0, 0.1])),
    )


@settings(derandomize=True, deadline=None, max_examples=200)
@given(spec=networks(), batch=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_any_network_s_gradient_equals_complex_step_and_forward_mode(calculus, spec, batch, seed):
    problem = calculus.problem(spec, batch, seed)
    gradient = calculus.run(problem).gradient
    assert calculus.worst(gradient, calculus.complex_step(problem)) < 1e-10
    assert calculus.worst(gradient, METHODS["batched-forward-mode"].gradient(problem)) < 1e-10


@settings(derandomize=True, deadline=None, max_examples=50)
@given(spec=networks(st.integers(1, 4)), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_any_network_s_loss_and_gradient_equal_the_textbook(calculus, spec, batch, seed):
    problem = calculus.problem(spec, batch, seed)
    program = calculus.run(problem)
    loss, gradient = calculus.textbook(problem)
    assert float(program.values["L"]) == pytest.approx(loss, rel=1e-12)
    assert calculus.worst(program.gradient, gradient) < 1e-9


@settings(derandomize=True, deadline=None, max_examples=200)
@given(spec=networks(), batch=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_any_network_s_float32_gradient_is_the_float64_one_to_single_precision(calculus, spec, batch, seed):
    single = calculus.problem(replace(spec, dtype="float32"), batch, seed)
    found, right = (calculus.run(p).gradient for p in (single, single.in_precision("float64")))
    assert found.dtype == np.float32
    assert np.abs(found - right).max() <= 1e-4 * np.abs(right).max()


def test_the_lesson_s_gradient_equals_the_complex_step(calculus):
    spec = NetworkSpec(dtype="float64")
    problem = calculus.problem(spec, 2, scale=0.05)
    gradient, rng = calculus.run(problem).gradient, np.random.default_rng(1)
    for _ in range(3):
        direction = rng.normal(size=spec.parameters)
        slope = calculus.along(problem, direction)
        # A sum of 335,114 terms: its round-off goes by the size of the terms.
        assert slope == pytest.approx(gradient @ direction, abs=1e-14 * np.abs(gradient * direction).sum())
    indices = rng.choice(spec.parameters, 40)
    some = METHODS["complex-step"].gradient(problem, indices)
    assert calculus.worst(gradient[indices], some) < 1e-12
