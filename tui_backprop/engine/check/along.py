"""The slope of the loss along a direction of length 1, by the methods that have such a form."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.forward_mode import ForwardMode
from tui_backprop.engine.methods import Problem
from tui_backprop.engine.network import views
from tui_backprop.engine.primitives import Array


def _forward_along(problem: Problem, way: Array, h: float) -> float:
    program = problem.program()
    base = float(program.forward())
    program.parameters[...] = problem.parameters + h * way
    return (float(program.forward()) - base) / h


def _central_along(problem: Problem, way: Array, h: float) -> float:
    program, losses = problem.program(), []
    for side in (1, -1):
        program.parameters[...] = problem.parameters + side * h * way
        losses.append(float(program.forward()))
    return (losses[0] - losses[1]) / (2 * h)


def _complex_along(problem: Problem, way: Array, h: float) -> float:
    program = problem.program(dtype="complex64" if problem.spec.dtype == "float32" else "complex128")
    program.parameters[...] = problem.parameters + 1j * h * way
    return float(program.forward().imag) / h


def _jvp_along(problem: Problem, way: Array, h: float) -> float:
    program = problem.program()
    program.forward()
    return float(ForwardMode(program, views(way.astype(problem.spec.dtype), problem.spec)).push())


# (problem, direction, h) -> slope, and how many evaluations it takes.
ALONG: dict[str, tuple[Callable[[Problem, Array, float], float], int]] = {
    "forward-difference": (_forward_along, 2),
    "central-difference": (_central_along, 2),
    "complex-step": (_complex_along, 1),
    "forward-mode": (_jvp_along, 1),
}
