"""A step of the walk: what it computes from what, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Shape


@dataclass(frozen=True)
class Step:
    """One step of the walk.

    ``kind`` is one of input, affine, normalization, activation, dropout, residual, loss, penalty; output
    delta, weights, gains (of a normalization), carried (the gradient that a residual connection splits), delta,
    normalization delta; update. ``tensor`` names the result (see ``Iteration.tensor``). ``operands`` are
    the values in the formula with their shapes, ``reused`` those of them that the forward pass computed.
    ``macs`` counts the multiply-accumulates of matrix products, ``flops`` all floating-point operations, ``moved``
    the bytes read and written, each array once per operation; ``total`` is the cumulative ``macs`` (updates are not
    part of the cost of a gradient and leave it unchanged), ``forward`` those of one forward pass. ``visits`` are
    those of the program that the step consists of (none for the input and for updates), ``done`` counts visits and
    updates up to its end. ``parts`` are the equations of a layer's step, ``grain`` is that of the walk. ``products``
    are the matrix products: samples, inputs and units, whose product are the ``macs`` of each. ``makes`` are those of
    the ``visits`` that compute a new value.
    """

    index: int
    phase: str
    block: int
    kind: str
    op: str
    formula: str
    tensor: str
    operands: tuple[tuple[str, Shape], ...]
    reused: tuple[str, ...]
    macs: int
    flops: int
    moved: int
    total: int
    forward: int
    visits: tuple[Visit, ...] = ()
    done: int = 0
    parts: tuple[Step, ...] = ()
    grain: str = "equation"
    products: tuple[Shape, ...] = ()
    makes: tuple[Visit, ...] = ()

    @property
    def ratio(self) -> float:
        """The cumulative multiply-accumulates relative to one forward pass; 0 without any."""
        return self.total / self.forward if self.forward else 0.0

    @property
    def pieces(self) -> tuple[Step, ...]:
        """The equations of a layer's step; any other step is its own single piece."""
        return self.parts or (self,)

    @property
    def operation(self) -> tuple[str, int | None] | None:
        """Kind (or name) of the primitive, and for a VJP its input number; None unless the step is one operation."""
        if len(self.makes) != 1:
            return None
        row = self.makes[0].op.primitive
        return row.name if row.kind == "affine" else row.kind, self.makes[0].of
