"""Forward mode: the JVP column of the table, run along with the values of a program."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.arrays.team import Call
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array


class ForwardMode:
    """Tangents of a program's values, after its forward pass has been run.

    ``given`` are tangents set from outside, by the values' names; ``dots`` has those and all that follow from them.
    With ``many``, that many tangents are pushed through at once: each array has them as its first axis."""

    def __init__(self, program: Program, given: dict[str, Array], many: int | None = None) -> None:
        lead = () if many is None else (many,)
        self.dots = dict(given)
        self._loss = program.graph.loss
        self._zero = np.zeros((*lead, *program.shapes[self._loss]), program.dtype)
        self._calls: list[Call] = []
        for op in program.ops:
            sources = [i for i, _ in enumerate(op.primitive.jvps) if op.inputs[i] in self.dots]
            if not sources or op.output in given:
                continue
            y_dot = self.dots[op.output] = np.zeros((*lead, *program.shapes[op.output]), program.dtype)
            inputs = [program.values[name] for name in op.inputs]
            rest = (program.values[op.output], program.caches[op.output], *inputs)
            for i in sources:  # the tangents through several inputs add up
                to = y_dot if i == sources[0] else np.empty_like(y_dot)
                self._calls.append((op.primitive.jvps[i], (to, self.dots[op.inputs[i]], *rest)))
                if to is not y_dot:
                    self._calls.append((np.add, (y_dot, to, y_dot)))

    def push(self) -> Array:
        """Push the given tangents through; return the tangent of the loss, of its shape, or with many in front."""
        with np.errstate(all="ignore"):
            for rule, arguments in self._calls:
                rule(*arguments)
        return self.dots.get(self._loss, self._zero)
