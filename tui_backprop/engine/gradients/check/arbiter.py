"""The arbiter between two methods that differ. Within reach of a kink, or where the loss bends sharply, a difference
quotient is wrong although the derivative is right; the complex step, which subtracts nothing, decides."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tui_backprop.engine.gradients.branches import Branches, sides_of
from tui_backprop.engine.gradients.check.directional import DirectionalSlope, complex_along, moved_loss
from tui_backprop.engine.gradients.check.report import Artifact, CheckedEntry
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array


class Arbiter:
    """Decides between two methods that differ."""

    def __init__(self, problem: Problem, first: str, second: str) -> None:
        self._problem = problem
        self._subtracts = tuple(METHODS[name].subtracts for name in (first, second))

    @cached_property
    def _program(self) -> Program:
        return self._problem.program()

    @cached_property
    def _branches(self) -> Branches:
        return Branches(self._problem)

    @cached_property
    def _sides(self) -> list[Array]:
        program = self._problem.program()
        program.forward()
        return sides_of(program)

    @cached_property
    def _exact(self) -> DirectionalSlope:
        return complex_along(self._problem.in_precision("float64"), self._branches)

    def artifact(self, entry: CheckedEntry, part: slice, nudge: Array) -> Artifact:
        """Return why the difference quotient is wrong that one method takes with this ``nudge`` of a ``part`` of the
        parameters: the other method takes none, and agrees with the complex step on the branches of the pass. Of two
        difference quotients, a kink makes both wrong. Return "" if no such reason is found."""
        if not any(self._subtracts):
            return ""
        kink = self._crosses_kink(part, nudge)
        if all(self._subtracts):
            return "kink" if kink else ""
        with np.errstate(all="ignore"):  # of infinite parameters
            scaled = nudge / np.abs(nudge).max()  # whose square does not vanish
            direction = scaled / np.linalg.norm(scaled)
        exact = self._exact(part, direction, 1e-30)
        value = entry.second if self._subtracts[0] else entry.first
        if not abs(value - exact) <= entry.allowed:
            return ""
        return "kink" if kink else "bend"

    def _crosses_kink(self, part: slice, nudge: Array) -> bool:
        """Return whether any kink is crossed between the parameters minus, without and plus a nudge."""
        for sign in (-1, 1):
            with np.errstate(all="ignore"):  # of infinite parameters
                by = sign * nudge
            after = moved_loss(self._program, part, by, read=sides_of)
            if any((here != there).any() for here, there in zip(self._sides, after, strict=True)):
                return True
        return False
