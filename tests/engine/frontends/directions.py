"""The gradient of a model against the slopes of its loss along random directions, by two other methods."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.network.forward_mode import ForwardMode

STEP = 1e-30
DIRECTIONS = 4


def check_gradient(program_of, seed):
    """Compare the gradient with the complex step and with forward mode; ``program_of`` makes a program of the model
    and its batch, in a precision."""
    program, moved = program_of("float64"), program_of("complex128")
    program.forward()
    gradient, rng = program.backward(), np.random.default_rng(seed)
    for _ in range(DIRECTIONS):
        direction = rng.normal(size=len(gradient))
        moved.parameters[:] = program.parameters + STEP * 1j * direction
        slope = float(moved.forward().imag) / STEP
        assert gradient @ direction == pytest.approx(slope, rel=1e-10, abs=1e-13)
        tangents = ForwardMode(program, program.graph.views(direction))
        assert float(tangents.push()) == pytest.approx(slope, rel=1e-10, abs=1e-13)
