"""The ledger of one gradient: what every operation takes forward, for its input's gradient and for its parameters'.

Multiply-accumulates of a dense layer are as many as it has weights, for each sample, in all three columns; the first
layer needs no gradient of its input. So forward and backward together come near three times forward where no layer
stands out, and to less where the first one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tui_backprop.cost.accounting.operation_times import Timing, rule_of
from tui_backprop.engine.network import tensor_names as names
from tui_backprop.engine.network.graph import (
    Op,
    Visit,
    backward_visits,
    costs_of,
    forward_visits,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec
from tui_backprop.engine.network.tensor_names import INPUT, STRENGTH, TARGET
from tui_backprop.engine.primitives import Shape, fields, size

LEDGER_COLUMNS = ("forward", "delta", "dW")  # dW: every parameter's gradient
MOST_HIDDEN_LAYERS = (
    1000  # hidden layers; a network that needs more to come near 3 is none that anybody builds
)

IN_CACHE = "left"  # what an operation's cache holds for its VJPs


@dataclass(frozen=True)
class OperationCost:
    """What one column takes: multiply-accumulates, all floating-point operations, and seconds (0 if not timed)."""

    macs: int = 0
    flops: int = 0
    seconds: float = 0.0

    def __add__(self, other: OperationCost) -> OperationCost:
        return OperationCost(self.macs + other.macs, self.flops + other.flops, self.seconds + other.seconds)


@dataclass(frozen=True)
class LedgerRow:
    """A row: the operations of ``kind`` in a ``layer`` (0 in a total), its three shares, and the bytes that the
    forward pass keeps there for the backward pass."""

    layer: int
    kind: str
    forward: OperationCost = OperationCost()
    delta: OperationCost = OperationCost()
    dW: OperationCost = OperationCost()
    kept: int = 0

    @property
    def costs(self) -> tuple[OperationCost, OperationCost, OperationCost]:
        return self.forward, self.delta, self.dW

    def __add__(self, other: LedgerRow) -> LedgerRow:
        forward, delta, dw = (a + b for a, b in zip(self.costs, other.costs, strict=True))
        return LedgerRow(self.layer, self.kind, forward, delta, dw, self.kept + other.kept)


@dataclass(frozen=True)
class Ledger:
    """All rows in forward order, and what follows from them."""

    spec: NetworkSpec
    batch: int
    entries: tuple[LedgerRow, ...]
    timed: bool

    @cached_property
    def total(self) -> LedgerRow:
        return sum(self.entries, LedgerRow(0, "total"))

    @cached_property
    def layers(self) -> tuple[LedgerRow, ...]:
        """A row for each layer."""
        rows = [LedgerRow(k, f"layer {k}") for k in range(1, self.spec.depth + 1)]
        for entry in self.entries:
            rows[entry.layer - 1] += entry
        return tuple(rows)

    @property
    def ratio(self) -> float:
        """Forward and backward over forward, in multiply-accumulates."""
        forward, delta, dw = self.total.costs
        return (forward.macs + delta.macs + dw.macs) / forward.macs

    @property
    def without_dw(self) -> float:
        """That ratio without the gradients of parameters, as Nielsen counts it (2015, chapter 2)."""
        forward, delta, _ = self.total.costs
        return (forward.macs + delta.macs) / forward.macs

    @property
    def ratio_in_time(self) -> float | None:
        forward, delta, dw = (share.seconds for share in self.total.costs)
        return (forward + delta + dw) / forward if self.timed and forward else None

    @property
    def first_share(self) -> float:
        """The first layer's part of all weights."""
        first = self.spec.layers[0] * self.spec.layers[1]
        return first / self.spec.weights


def ledger(spec: NetworkSpec, batch: int, timing: Timing | None = None) -> Ledger:
    """The ledger of one pass of a network, with seconds if they were measured. Raises KeyError for a timing of
    another network."""
    shapes = value_shapes(spec, batch)
    rows: dict[tuple[int, str], LedgerRow] = {}
    kept, parameters = kept_bytes(spec, batch), parameter_shapes(spec)

    def book(visit: Visit, column: str, kept: int = 0) -> None:
        macs, flops, _ = costs_of(visit, shapes)
        seconds = timing.rules[rule_of(visit)].median if timing else 0.0
        at = layer_of(visit.op), visit.op.primitive.kind
        forward, delta, dw = (
            OperationCost(macs, flops, seconds) if name == column else OperationCost()
            for name in LEDGER_COLUMNS
        )
        rows[at] = rows.get(at, LedgerRow(*at)) + LedgerRow(*at, forward, delta, dw, kept)

    for visit in forward_visits(spec):
        book(visit, "forward", kept.get(visit.op.output, 0))
    for visit in backward_visits(spec):
        book(visit, "dW" if visit.writes in parameters else "delta")
    return Ledger(spec, batch, tuple(rows.values()), timing is not None)


def layer_of(op: Op) -> int:
    """The layer that an operation works for: a penalty, which comes after the loss, for that of its weights."""
    return names.layer_of(op.inputs[1]) if op.primitive.kind == "penalty" else op.layer


# --- what is kept ----------------------------------------------------------------------------------------

CacheKey = tuple[
    str, str
]  # the output of the operation that left it, and what it is: that itself, or beside it


def kept_bytes(spec: NetworkSpec, batch: int) -> dict[str, int]:
    """Bytes that the backward pass needs of the forward pass, by the output of the operation that leaves them: that
    value itself, what a cache holds beside it, a dropout mask. Parameters and the batch (labels too) are there
    anyway."""
    kept: dict[str, int] = {}
    for (output, _), bytes_ in needed(spec, value_shapes(spec, batch), backward_visits(spec)).items():
        kept[output] = kept.get(output, 0) + bytes_
    return kept


def needed(spec: NetworkSpec, shapes: Mapping[str, Shape], visits: Iterable[Visit]) -> dict[CacheKey, int]:
    """What these visits back need of the forward pass, each with its bytes; ``shapes`` are those of all values."""
    there = parameter_shapes(spec)
    return {
        (output, name): size(shape) * ITEMSIZE[spec.dtype]
        for visit in visits
        for output, name, shape in _read(visit, shapes)
        if name not in there and name not in (INPUT, TARGET, STRENGTH)
    }


def _read(visit: Visit, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str, Shape]]:
    """What a VJP reads of the forward pass: which operation left it, its name and its shape."""
    op, row, x = visit.op, visit.op.primitive, visit.op.inputs
    used = fields(row.vjp_formulas[visit.of or 0])
    if row.kind == "loss":  # p or the residual, in its cache
        yield op.output, IN_CACHE, shapes[x[0]]
        return
    if row.saves:
        yield op.output, IN_CACHE, shapes[x[0]]
        used = {"0"}
    if row.kind == "dropout":  # drawn for this pass
        yield op.output, x[1], shapes[x[1]]
        used -= {"1"}
    if "v" in used:
        yield op.output, IN_CACHE, shapes[x[0]]
    if row.kind == "normalization" and visit.of == 0:
        yield op.output, "deviation", shapes[x[0]][:1]
    for name in [x[int(field)] for field in sorted(used) if field.isdigit()]:
        yield name, name, shapes[name]
    if "y" in used:
        yield op.output, op.output, shapes[op.output]


def with_hidden_layers(spec: NetworkSpec, hidden: int) -> NetworkSpec:
    """A network with so many hidden layers, all as wide as this one's widest."""
    width = max(spec.layers[1:-1] or spec.layers)
    activation = spec.activations[0] if spec.activations else NetworkSpec.activation
    return NetworkSpec((spec.layers[0], *[width] * hidden, spec.layers[-1]), activation, spec.loss)


def hidden_layers_near_three(spec: NetworkSpec) -> int | None:
    """How many hidden layers, as wide as this network's widest, take forward and backward to 2.9 times forward.

    The ratio is 3 - first / weights, so that takes ten times the weights of the first layer. None above a thousand
    layers."""
    inputs, outputs = spec.layers[0], spec.layers[-1]
    width = with_hidden_layers(spec, 1).layers[1]
    more = -(-(9 * inputs - outputs) // width)  # layers behind the first; rounded up
    hidden = max(more, 0) + 1
    return hidden if hidden <= MOST_HIDDEN_LAYERS else None
