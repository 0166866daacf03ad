"""Whose fault it is when two methods differ. Within a kink's reach, or where the loss bends sharply, a difference is
wrong although the derivative is right; the complex step, which takes no difference, knows."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tui_backprop.engine.gradients.check.directional import ALONG, DirectionalSlope, moved_loss
from tui_backprop.engine.gradients.check.report import Artifact, CheckedEntry
from tui_backprop.engine.gradients.methods import METHODS, Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array


class Arbiter:
    """Judges between two methods that do not agree."""

    def __init__(self, problem: Problem, first: str, second: str) -> None:
        self._problem = problem
        self._subtracts = tuple(METHODS[name].subtracts for name in (first, second))

    @cached_property
    def _program(self) -> Program:
        return self._problem.program()

    @cached_property
    def _kink_inputs(self) -> list[Array]:
        """What functions with a kink are given."""
        return [self._program.values[op.inputs[0]] for op in self._program.ops if op.primitive.kink]

    @cached_property
    def _exact(self) -> DirectionalSlope:
        return ALONG["complex-step"][0](self._problem.in_precision("float64"))

    def artifact(self, entry: CheckedEntry, part: slice, nudge: Array) -> Artifact:
        """What makes the difference wrong that one method takes with this ``nudge`` of a ``part`` of the parameters,
        if the other one takes none and agrees with the complex step. Of two differences, a kink spoils both."""
        if not any(self._subtracts):
            return ""
        kink = bool(self._kink_inputs) and self._crosses_kink(part, nudge)
        if all(self._subtracts):
            return "kink" if kink else ""
        with np.errstate(all="ignore"):  # of infinite parameters
            direction = nudge / np.linalg.norm(nudge)
        exact = self._exact(part, direction, 1e-30)
        value = entry.second if self._subtracts[0] else entry.first
        if not abs(value - exact) <= entry.allowed:
            return ""
        return "kink" if kink else "bend"

    def _crosses_kink(self, part: slice, nudge: Array) -> bool:
        """Return whether any kink is crossed between the parameters minus, without and plus a nudge."""
        sides = []
        for sign in (0, -1, 1):
            with np.errstate(all="ignore"):  # of infinite parameters
                by = sign * nudge
            moved_loss(self._program, part, by)
            sides.append([z > 0 for z in self._kink_inputs])
        return any(
            (here != there).any() for moved in sides[1:] for here, there in zip(sides[0], moved, strict=True)
        )
