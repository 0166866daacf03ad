"""The ledger of one gradient: what every operation takes forward, for its input's gradient and for its parameters'.

Multiply-accumulates of a dense layer are as many as it has weights, for each sample, in all three columns; the first
layer needs no gradient of its input. So forward and backward together come near three times forward where no layer
stands out, and to less where the first one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tui_backprop.engine.formulas import kept_name
from tui_backprop.engine.network import (
    Visit,
    backward_visits,
    forward_visits,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.primitives import size
from tui_backprop.engine.primitives.primitive import fields
from tui_backprop.engine.spec import ITEMSIZE, NetworkSpec, backprop_ratio
from tui_backprop.engine.timing import Timing, rule_of
from tui_backprop.engine.trace import costs_of

COLUMNS = ("forward", "delta", "dW")  # dW: every parameter's gradient
NEAR = 2.9  # times a forward pass: as good as 3
DEEPEST = 1000  # layers that are tried for it


@dataclass(frozen=True)
class Share:
    """What one column takes: multiply-accumulates, all floating-point operations, and seconds (0 if not timed)."""

    macs: int = 0
    flops: int = 0
    seconds: float = 0.0

    def __add__(self, other: Share) -> Share:
        return Share(self.macs + other.macs, self.flops + other.flops, self.seconds + other.seconds)


@dataclass(frozen=True)
class Entry:
    """A row: the operations of ``kind`` in a ``layer`` (0 in a total), its three shares, and the bytes that the
    forward pass keeps there for the way back."""

    layer: int
    kind: str
    forward: Share = Share()
    delta: Share = Share()
    dW: Share = Share()
    kept: int = 0

    @property
    def shares(self) -> tuple[Share, Share, Share]:
        return self.forward, self.delta, self.dW

    def __add__(self, other: Entry) -> Entry:
        forward, delta, dw = (a + b for a, b in zip(self.shares, other.shares, strict=True))
        return Entry(self.layer, self.kind, forward, delta, dw, self.kept + other.kept)


@dataclass(frozen=True)
class Ledger:
    """All rows in forward order, and what follows from them."""

    spec: NetworkSpec
    batch: int
    entries: tuple[Entry, ...]
    timed: bool

    @property
    def total(self) -> Entry:
        return _sum(self.entries, 0, "total")

    @property
    def layers(self) -> tuple[Entry, ...]:
        """A row for each layer."""
        numbers = range(1, self.spec.depth + 1)
        return tuple(_sum((e for e in self.entries if e.layer == k), k, f"layer {k}") for k in numbers)

    @property
    def ratio(self) -> float:
        """Forward and backward over forward, in multiply-accumulates."""
        forward, delta, dw = self.total.shares
        return (forward.macs + delta.macs + dw.macs) / forward.macs

    @property
    def without_dw(self) -> float:
        """The same without the gradients of parameters, as Nielsen counts it (2015, chapter 2)."""
        forward, delta, _ = self.total.shares
        return (forward.macs + delta.macs) / forward.macs

    @property
    def ratio_in_time(self) -> float | None:
        forward, delta, dw = (share.seconds for share in self.total.shares)
        return (forward + delta + dw) / forward if self.timed and forward else None

    @property
    def first_share(self) -> float:
        """The first layer's part of all weights."""
        first = self.spec.layers[0] * self.spec.layers[1]
        return first / self.spec.weights


def ledger(spec: NetworkSpec, batch: int, timing: Timing | None = None) -> Ledger:
    """The ledger of one pass of a network, with seconds if they were measured."""
    shapes = value_shapes(spec, batch)
    rows: dict[tuple[int, str], Entry] = {}
    kept = kept_bytes(spec, batch)

    def book(visit: Visit, column: str) -> None:
        op = visit.op
        macs, flops, _ = costs_of(visit, dict(shapes))
        seconds = timing.rules[rule_of(visit)].median if timing else 0.0
        at = op.layer, op.primitive.kind
        forward, delta, dw = (Share(macs, flops, seconds) if name == column else Share() for name in COLUMNS)
        rows[at] = rows.get(at, Entry(*at)) + Entry(*at, forward, delta, dw)

    for visit in forward_visits(spec):
        book(visit, "forward")
    parameters = parameter_shapes(spec)
    for visit in backward_visits(spec):
        book(visit, "dW" if visit.writes in parameters else "delta")
    for op in dict.fromkeys(visit.op for visit in forward_visits(spec)):
        at = op.layer, op.primitive.kind
        rows[at] = replace(rows[at], kept=rows[at].kept + kept.get(op.output, 0))
    return Ledger(spec, batch, tuple(rows.values()), timing is not None)


def kept_bytes(spec: NetworkSpec, batch: int) -> dict[str, int]:
    """Bytes that the way back needs of the forward pass, by the value made (or the cache left beside it). Parameters
    and the batch itself are there anyway."""
    shapes, parameters = value_shapes(spec, batch), parameter_shapes(spec)
    made = {visit.op.output: visit.op for visit in forward_visits(spec)}
    kept: dict[str, int] = {}
    for visit in backward_visits(spec):
        for name in _read(visit):
            if name in made and name not in parameters:
                kept[name] = size(shapes[name]) * ITEMSIZE[spec.dtype]
            elif name == kept_name(visit.op.output) and name not in made:
                kept[visit.op.output] = size(shapes[visit.op.inputs[0]]) * ITEMSIZE[spec.dtype]
    return kept


def _read(visit: Visit) -> Iterator[str]:
    """The values of the forward pass that a VJP reads."""
    op = visit.op
    for field in fields(op.primitive.vjp_formulas[visit.of or 0]):
        if field.isdigit():
            yield op.inputs[int(field)]
        elif field == "y":
            yield op.output
        elif field == "v":
            yield kept_name(op.output)


def _sum(entries: Iterable[Entry], layer: int, kind: str) -> Entry:
    total = Entry(layer, kind)
    for entry in entries:
        total = total + entry
    return replace(total, layer=layer, kind=kind)


def deep(spec: NetworkSpec, hidden: int) -> NetworkSpec:
    """A network with so many hidden layers, all as wide as this one's widest."""
    width = max(spec.layers[1:-1] or spec.layers)
    activation = spec.activations[0] if spec.activations else "relu"
    return NetworkSpec((spec.layers[0], *[width] * hidden, spec.layers[-1]), activation, spec.loss)


def nearly_three(spec: NetworkSpec) -> int | None:
    """How many hidden layers, as wide as this network's widest, take forward and backward to 2.9 times forward."""
    fits = (n for n in range(1, DEEPEST + 1) if backprop_ratio(deep(spec, n)) >= NEAR)
    return next(fits, None)
