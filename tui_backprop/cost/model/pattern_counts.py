"""The graph of a pattern as it is counted: each shape, and how often its operations and values occur."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tui_backprop.cost.model.symbolic_sizes import repeated
from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import fields

Repeats = tuple[
    tuple[int, int], ...
]  # numbers of blocks, and those that stand for how many of each there are


class PatternCounts:
    """The shapes of a pattern, in whose graph some blocks are repeated."""

    def __init__(self, pattern: Model, repeats: Repeats = ()) -> None:
        self.graph = pattern.graph
        self.shapes = self.graph.shapes(1)
        self._parameters = self.graph.parameters
        self._repeats = dict(repeats)

    def times(self, op: Op, name: str) -> int:
        """Return the number that stands for how often an operation occurs, or one of its VJPs, where it goes with the
        value ``name``: as often as its block, or else as that value."""
        return self._repeats.get(op.block, self._repeats.get(self.graph.block(name), 1))

    def every(self, names: Iterable[str]) -> tuple[Shape, ...]:
        """Return the shapes of values, of each as many as there are."""
        return tuple(repeated(self.shapes[name], self._of(name)) for name in names)

    def _of(self, name: str) -> int:
        return self._repeats.get(self.graph.block(name), 1)

    def inputs(self, op: Op) -> tuple[Shape, ...]:
        """Return the shapes of the inputs of an operation."""
        return tuple(self.shapes[name] for name in op.inputs)

    def parameters(self, names: Iterable[str]) -> tuple[Shape, ...]:
        """Return the shapes of those that are parameters."""
        return tuple(self.shapes[name] for name in names if name in self._parameters)

    def values(self, names: Iterable[str]) -> tuple[Shape, ...]:
        """Return the shapes of those that are not parameters."""
        return tuple(self.shapes[name] for name in names if name not in self._parameters)

    def values_of(self, op: Op) -> tuple[Shape, ...]:
        """Return the shapes of the values that an operation reads and makes; one outside of repeated blocks reads as
        many as there are in these."""
        names = (*op.inputs, op.output)
        if op.block in self._repeats:
            return self.values(names)
        return self.every(name for name in names if name not in self._parameters)

    def read(self, op: Op, formula: str) -> tuple[str, ...]:
        """Return the names of the arrays that the formula of a VJP reads; a cotangent is as large as its value."""
        named = {"y": op.output, "g": op.output, "v": op.inputs[0]}
        return tuple(
            named.get(field) or op.inputs[int(field)]
            for field in sorted(fields(formula))
            if field in named or field.isdigit()
        )


@lru_cache(maxsize=64)
def counts_of(pattern: Model, repeats: Repeats) -> PatternCounts:
    """Return the counts of a pattern."""
    return PatternCounts(pattern, repeats)
