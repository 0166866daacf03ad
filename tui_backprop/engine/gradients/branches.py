"""Functions with a kink, differentiated on the branch that a pass took.

ReLU has no derivative at 0; backprop takes that of one branch, by convention f'(0) = 0. A complex step moves real
parts by O(h²), so behind a curved layer it may leave the branch at an input of exactly 0, however small h is. Here
each input of a kink is kept on its side, so that what is differentiated is the branch, and the derivative exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.gradients.problem import Problem
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array


@dataclass(frozen=True, eq=False)
class KinkInput:
    """The input ``name`` of the operation number ``at``, which has a kink at 0, and where it is ``above`` 0."""

    at: int
    name: str
    above: Array

    def keep(self, z: Array) -> None:
        """Move the entries of ``z`` that are on the other side to the kink, or next to it."""
        moved = (z.real > 0) != self.above
        if moved.any():
            z.real[moved] = np.where(self.above[moved], np.finfo(z.real.dtype).tiny, 0)


class Branches:
    """The branches that the pass of a problem takes, in its own precision."""

    def __init__(self, problem: Problem) -> None:
        kinks = [(at, op.inputs[0]) for at, op in enumerate(problem.spec.graph.ops) if op.primitive.kink]
        values = self._values(problem) if kinks else {}
        self.inputs = tuple(KinkInput(at, name, values[name] > 0) for at, name in kinks)

    @staticmethod
    def _values(problem: Problem) -> dict[str, Array]:
        program = problem.program()
        program.forward()
        return program.values

    def forward(self, program: Program) -> Array:
        """Run a forward pass on these branches; return the loss, an array of shape ()."""
        start = 0
        for kink in self.inputs:
            program.forward(start, kink.at)
            kink.keep(program.values[kink.name])
            start = kink.at
        return program.forward(start)


def sides_of(program: Program) -> list[Array]:
    """List the pieces of all piecewise functions that the values of a pass are on; of complex numbers, by their real
    parts."""
    return [
        np.asarray(op.primitive.side(*(program.values[name] for name in op.inputs)))
        for op in program.ops
        if op.primitive.side
    ]
