"""An operation of a graph, and a visit of it: forward, or one of its VJPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.primitives.base import Primitive


@dataclass(frozen=True)
class Op:
    """One operation: a primitive, the names of the values it reads, and of the value it computes."""

    primitive: Primitive
    inputs: tuple[str, ...]
    output: str
    block: int  # the number of its block
    # Kinds of the equations that it and its VJPs are part of: neighbors make one equation. Without any, each is an
    # equation of its own.
    equations: tuple[str, ...] = ()

    @property
    def differentiated(self) -> tuple[str, ...]:
        """The inputs that it has a derivative by."""
        return self.inputs[: len(self.primitive.vjps)]

    def equation(self, of: int | None) -> str:
        """Return the kind of the equation that it is part of, or its VJP by input number ``of``."""
        if not self.equations:
            return self.primitive.kind if of is None else f"{self.primitive.kind} vjp"
        return self.equations[0 if of is None else 1 + of]


@dataclass(frozen=True)
class Visit:
    """One step of the walk: an operation run forward (``of`` is None), or its VJP by input number ``of``.

    ``adds`` is True if this cotangent is added to an earlier one of the same value."""

    op: Op
    of: int | None = None
    adds: bool = False

    @property
    def writes(self) -> str:
        """Name of the value computed here, or of the value whose cotangent is computed here."""
        return self.op.output if self.of is None else self.op.inputs[self.of]

    def costs(self, shapes: Mapping[str, Shape]) -> tuple[int, int, int]:
        """Count multiply-accumulates, floating-point operations, and numbers read and written."""
        row, i = self.op.primitive, self.of
        inputs = [shapes[name] for name in self.op.inputs]
        if i is None:
            return row.macs(*inputs), row.flops(*inputs), row.moved(*inputs)
        added = size(shapes[self.writes]) if self.adds else 0
        return row.macs(*inputs), row.vjp_flops[i](*inputs) + added, row.vjp_moved(i, *inputs) + 3 * added
