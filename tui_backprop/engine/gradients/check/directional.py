"""The slope of the loss along a direction of length 1, by the methods that have such a form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_backprop.engine.gradients.branches import Branches
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.gradients.problem import COMPLEX
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

# (part of the flat vector, its direction, h): the slope
DirectionalSlope = Callable[[slice, Array, float], float]
DirectionalQuotient = Callable[[Program, slice, Array, float], Quotient]


def _loss_of(program: Program) -> Any:
    return program.values[program.graph.loss].item()


def moved_loss(
    program: Program,
    part: slice,
    by: Array,
    branches: Branches | None = None,
    read: Callable[[Program], Any] = _loss_of,
) -> Any:
    """Return the loss with a part of the parameters moved, on given branches if any, or what ``read`` returns of that
    pass; the parameters move back."""
    parameters = program.parameters[part]
    at = parameters.copy()
    with np.errstate(all="ignore"):  # of infinite parameters
        parameters[...] = at + by
    if branches is None:
        program.forward()
    else:
        branches.forward(program)
    found = read(program)
    parameters[...] = at
    return found


def _forward_quotient(program: Program, part: slice, direction: Array, h: float) -> Quotient:
    return Quotient(moved_loss(program, part, h * direction), program.forward().item(), h, 0.0, h)


def _central_quotient(program: Program, part: slice, direction: Array, h: float) -> Quotient:
    above, below = (moved_loss(program, part, side * h * direction) for side in (1, -1))
    return Quotient(above, below, h, h, 2 * h, True)


def _slope_by(quotient: DirectionalQuotient) -> Callable[[Problem], DirectionalSlope]:
    def make(problem: Problem) -> DirectionalSlope:
        program = problem.program()
        return lambda part, direction, h: float(quotient(program, part, direction, h).slope)

    return make


def complex_along(problem: Problem, branches: Branches | None = None) -> DirectionalSlope:
    """Return the slope by the complex step, on given branches (those of the problem's own pass, if None)."""
    program, kept = problem.program(dtype=COMPLEX[problem.spec.dtype]), branches or Branches(problem)
    return lambda part, direction, h: float(moved_loss(program, part, 1j * h * direction, kept).imag / h)


def _jvp_along(problem: Problem) -> DirectionalSlope:
    program = problem.program()
    program.forward()
    seed = np.zeros_like(program.parameters)
    tangents = ForwardMode(program, problem.spec.graph.views(seed))

    def slope(part: slice, direction: Array, h: float) -> float:
        seed[part] = direction
        found = float(tangents.push())
        seed[part] = 0
        return found

    return slope


@dataclass(frozen=True)
class Along:
    """A method's directional form: ``slope`` makes the slope of a problem, which takes so many ``evaluations``;
    ``quotient`` is the difference quotient, for methods that take one."""

    slope: Callable[[Problem], DirectionalSlope]
    evaluations: int
    quotient: DirectionalQuotient | None = None


ALONG: dict[str, Along] = {
    "forward-difference": Along(_slope_by(_forward_quotient), 2, _forward_quotient),
    "central-difference": Along(_slope_by(_central_quotient), 2, _central_quotient),
    "complex-step": Along(complex_along, 1),
    "forward-mode": Along(_jvp_along, 1),
}
