"""The slope of the loss along a direction of length 1, by the methods that have such a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import views
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

DirectionalSlope = Callable[
    [slice, Array, float], float
]  # (part of the flat vector, its direction, h): the slope


def moved_loss(program: Program, part: slice, by: Array) -> Any:
    """The loss with a part of the parameters moved; they move back."""
    parameters = program.parameters[part]
    at = parameters.copy()
    with np.errstate(all="ignore"):  # of infinite parameters
        parameters[...] = at + by
    loss = program.forward().item()
    parameters[...] = at
    return loss


def _forward_along(problem: Problem) -> DirectionalSlope:
    program = problem.program()
    base = program.forward().item()
    return lambda part, direction, h: float((moved_loss(program, part, h * direction) - base) / h)


def _central_along(problem: Problem) -> DirectionalSlope:
    program = problem.program()

    def slope(part: slice, direction: Array, h: float) -> float:
        above, below = (moved_loss(program, part, side * h * direction) for side in (1, -1))
        return float((above - below) / (2 * h))

    return slope


def _complex_along(problem: Problem) -> DirectionalSlope:
    program = problem.program(dtype="complex64" if problem.spec.dtype == "float32" else "complex128")
    return lambda part, direction, h: float(moved_loss(program, part, 1j * h * direction).imag / h)


def _jvp_along(problem: Problem) -> DirectionalSlope:
    program = problem.program()
    program.forward()
    seed = np.zeros_like(program.parameters)
    tangents = ForwardMode(program, views(seed, problem.spec))

    def slope(part: slice, direction: Array, h: float) -> float:
        seed[part] = direction
        found = float(tangents.push())
        seed[part] = 0
        return found

    return slope


# What makes a Slope of a problem, and how many evaluations each slope takes.
ALONG: dict[str, tuple[Callable[[Problem], DirectionalSlope], int]] = {
    "forward-difference": (_forward_along, 2),
    "central-difference": (_central_along, 2),
    "complex-step": (_complex_along, 1),
    "forward-mode": (_jvp_along, 1),
}
