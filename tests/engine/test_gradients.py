"""The gradient of every kind of network, against methods that share nothing with the backward rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.engine.spec import ACTIVATIONS, LOSSES, NetworkSpec

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
def test_the_gradient_equals_the_complex_step(calculus, spec, batch):
    problem = calculus.problem(spec, batch)
    assert calculus.worst(calculus.run(problem).gradient, calculus.complex_step(problem)) < 1e-12


@pytest.mark.parametrize("batch", [1, 3])
@EVERY_KIND
def test_loss_and_gradient_equal_the_textbook(calculus, spec, batch):
    problem = calculus.problem(spec, batch)
    program = calculus.run(problem)
    loss, gradient = calculus.textbook(problem)
    assert float(program.values["loss"]) == pytest.approx(loss, rel=1e-12)
    assert calculus.worst(program.gradient, gradient) < 1e-12


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])  # smooth: no step can cross a kink
def test_the_gradient_equals_central_differences(calculus, activation, loss):
    problem = calculus.problem(NetworkSpec((4, 5, 3, 2), activation, loss, dtype="float64"), 3)
    numeric = calculus.central_differences(problem, h=1e-3)
    assert calculus.worst(calculus.run(problem).gradient, numeric) < 1e-7


@st.composite
def networks(draw):
    widths = st.integers(1, 6)
    layers = draw(st.lists(widths, min_size=2, max_size=5))
    choices = (draw(st.sampled_from(names)) for names in (ACTIVATIONS, LOSSES))
    return NetworkSpec(tuple(layers), *choices, dtype="float64", bias=draw(st.booleans()))


@settings(derandomize=True, deadline=None)
@given(spec=networks(), batch=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_any_network_s_gradient_equals_the_complex_step(calculus, spec, batch, seed):
    problem = calculus.problem(spec, batch, seed)
    assert calculus.worst(calculus.run(problem).gradient, calculus.complex_step(problem)) < 1e-10


def test_the_lesson_s_gradient_equals_the_textbook(calculus):
    problem = calculus.problem(NetworkSpec(dtype="float64"), 2)
    small = 0.05 * problem.parameters  # keeps the logits where the textbook's e^z does not overflow
    problem = type(problem)(problem.spec, problem.x, problem.t, small)
    loss, gradient = calculus.textbook(problem)
    program = calculus.run(problem)
    assert float(program.values["loss"]) == pytest.approx(loss, rel=1e-12)
    # Sums of 784 terms leave round-off in proportion to the terms, so the largest entry sets the scale.
    assert np.abs(program.gradient - gradient).max() < 1e-12 * np.abs(gradient).max()


@pytest.mark.parametrize("batch", [1, 3])
def test_a_float32_gradient_is_the_float64_one_to_single_precision(calculus, batch):
    problem = calculus.problem(NetworkSpec((4, 5, 3, 2), "tanh", dtype="float32"), batch)
    single, double = calculus.run(problem).gradient, calculus.run(problem, "float64").gradient
    assert single.dtype == np.float32
    assert np.abs(single - double).max() < 1e-5 * np.abs(double).max()
