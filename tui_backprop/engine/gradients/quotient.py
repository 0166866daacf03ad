"""The difference quotients, with all that they are computed from."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.engine.network.program import Program


@dataclass(frozen=True, slots=True)
class Quotient:
    """(above − below) / divisor: the losses on both sides, L(w + h) and L(w − h), or L(w) for a forward difference.

    ``up`` is the step as floating point has it, (w + h) − w, and ``down`` the other one, w − (w − h), 0 for a forward
    difference. ``divisor`` is their sum, and the nominal step where that is 0. Along a direction, the steps
    are the nominal ones.
    """

    above: float
    below: float
    up: float
    down: float
    divisor: float
    central: bool = False

    @property
    def slope(self) -> float:
        return (self.above - self.below) / self.divisor


def forward_quotient(program: Program, i: int, h: float, base: float | None = None) -> Quotient:
    """Take a forward difference by parameter ``i`` with the step h max(1, |w|). ``base`` is L(w), if known."""
    parameters, forward = program.parameters, program.forward
    below = float(forward()) if base is None else base
    w = float(parameters[i])
    parameters[i] = w + h * max(1.0, abs(w))
    up, above = float(parameters[i]) - w, float(forward())
    parameters[i] = w
    return Quotient(above, below, up, 0.0, up or h)


def central_quotient(program: Program, i: int, h: float) -> Quotient:
    """Take a central difference by parameter ``i`` with the step h max(1, |w|)."""
    parameters, forward = program.parameters, program.forward
    w = float(parameters[i])
    parameters[i] = w + h * max(1.0, abs(w))
    right, above = float(parameters[i]), float(forward())
    parameters[i] = w - h * max(1.0, abs(w))
    left, below = float(parameters[i]), float(forward())
    parameters[i] = w
    return Quotient(above, below, right - w, w - left, (right - left) or 2 * h, True)
