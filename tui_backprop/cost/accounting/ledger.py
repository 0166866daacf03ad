"""The cost of one gradient by operation: forward, for the gradient of the input, and for those of the parameters.

A dense layer takes one multiply-accumulate for each weight and sample in each of the three columns; the first layer
needs no gradient of its input. Forward and backward together therefore take almost three times as many as forward
alone, and fewer where the first layer is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tui_backprop.cost.accounting.operation_times import Timing, rule_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.primitives import Shape, fields, size

LEDGER_COLUMNS = ("forward", "delta", "dW")  # dW: every parameter's gradient
MOST_HIDDEN_LAYERS = 1000  # hidden layers; deeper networks are not suggested

GIVEN = ("input", "target", "constant")  # roles of values that a pass is given, besides the parameters
IN_CACHE = "cache"  # an array that an operation saves for its VJPs


@dataclass(frozen=True)
class OperationCost:
    """Cost in one column: multiply-accumulates, all floating-point operations, and seconds (0 if not timed)."""

    macs: int = 0
    flops: int = 0
    seconds: float = 0.0

    def counted(self, unit: str) -> int:
        """Return the operations in a unit: MACs or FLOPs."""
        return self.macs if unit == "MACs" else self.flops

    def __add__(self, other: OperationCost) -> OperationCost:
        return OperationCost(self.macs + other.macs, self.flops + other.flops, self.seconds + other.seconds)


@dataclass(frozen=True)
class LedgerRow:
    """A row: the operations of ``kind`` in a ``layer`` (0 in a total), their cost in each column, and the bytes that
    the forward pass keeps there for the backward pass."""

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
    """All rows in forward order, and the ratios that follow from them."""

    spec: Model
    batch: int
    entries: tuple[LedgerRow, ...]
    timed: bool

    @cached_property
    def total(self) -> LedgerRow:
        return sum(self.entries, LedgerRow(0, "total"))

    @cached_property
    def layers(self) -> tuple[LedgerRow, ...]:
        """One row for each layer."""
        rows = [LedgerRow(k, block.title) for k, block in enumerate(self.spec.graph.blocks)][1:]
        for entry in self.entries:
            rows[entry.layer - 1] += entry
        return tuple(rows)

    @property
    def unit(self) -> str:
        """What operations are counted in: multiply-accumulates; FLOPs where there are no matrix products."""
        return "MACs" if self.total.forward.macs else "FLOPs"

    @property
    def ratio(self) -> float:
        """Forward and backward over forward, in its unit."""
        forward, delta, dw = (share.counted(self.unit) for share in self.total.costs)
        return (forward + delta + dw) / max(forward, 1)

    @property
    def without_dw(self) -> float:
        """Ratio without the gradients of the parameters, as Nielsen counts it (2015, chapter 2)."""
        forward, delta, _ = (share.counted(self.unit) for share in self.total.costs)
        return (forward + delta) / max(forward, 1)

    @property
    def ratio_in_time(self) -> float | None:
        forward, delta, dw = (share.seconds for share in self.total.costs)
        return (forward + delta + dw) / forward if self.timed and forward else None

    @property
    def first_share(self) -> float:
        """Share of all weights that the first layer has."""
        graph = self.spec.graph
        return size(graph.parameters[graph.weight(1)]) / self.spec.weights


def ledger(spec: Model, batch: int, timing: Timing | None = None) -> Ledger:
    """Compute the ledger of one pass of a network, with seconds if they were measured. Raises KeyError for a timing
    of another network."""
    shapes = spec.graph.shapes(batch)
    rows: dict[tuple[int, str], LedgerRow] = {}
    kept, parameters = kept_bytes(spec, batch), spec.graph.parameters

    def book(visit: Visit, column: str, kept: int = 0) -> None:
        macs, flops, _ = visit.costs(shapes)
        seconds = timing.rules[rule_of(visit)].median if timing else 0.0
        at = layer_of(spec.graph, visit.op), visit.op.primitive.kind
        forward, delta, dw = (
            OperationCost(macs, flops, seconds) if name == column else OperationCost()
            for name in LEDGER_COLUMNS
        )
        rows[at] = rows.get(at, LedgerRow(*at)) + LedgerRow(*at, forward, delta, dw, kept)

    for visit in spec.graph.forward_visits:
        book(visit, "forward", kept.get(visit.op.output, 0))
    for visit in spec.graph.backward_visits:
        book(visit, "dW" if visit.writes in parameters else "delta")
    return Ledger(spec, batch, tuple(rows.values()), timing is not None)


def layer_of(graph: Graph, op: Op) -> int:
    """Return the layer of an operation; a penalty, which comes after the loss, belongs to the layer of its
    weights."""
    return graph.block(op.inputs[1]) if op.primitive.kind == "penalty" else op.block


# --- what is kept ----------------------------------------------------------------------------------------

CacheKey = tuple[
    str, str
]  # the output of the operation that made it, and which array: that output or a saved one


def kept_bytes(spec: Model, batch: int) -> dict[str, int]:
    """Return the bytes that the backward pass needs of the forward pass, by the output of the operation that makes
    them: that output, arrays saved with it, a dropout mask. Parameters and the batch (with its labels) are not
    counted."""
    kept: dict[str, int] = {}
    for (output, _), bytes_ in needed(spec, spec.graph.shapes(batch), spec.graph.backward_visits).items():
        kept[output] = kept.get(output, 0) + bytes_
    return kept


def needed(spec: Model, shapes: Mapping[str, Shape], visits: Iterable[Visit]) -> dict[CacheKey, int]:
    """Return the arrays of the forward pass that these backward visits need, with their bytes; ``shapes`` are those
    of all values."""
    given = {value.name for value in spec.graph.values if value.is_parameter or value.role in GIVEN}
    return {
        (output, name): size(shape) * ITEMSIZE[spec.dtype]
        for visit in visits
        for output, name, shape in _read(visit, shapes)
        if name not in given
    }


def _read(visit: Visit, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str, Shape]]:
    """Yield the arrays of the forward pass that a VJP reads: the operation that made it, its name and its shape."""
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
    """Return a network with that many hidden layers, each as wide as the widest of this one."""
    width = max(spec.layers[1:-1] or spec.layers)
    activation = spec.activations[0] if spec.activations else NetworkSpec.activation
    return NetworkSpec((spec.layers[0], *[width] * hidden, spec.layers[-1]), activation, spec.loss)


def hidden_layers_near_three(spec: NetworkSpec) -> int | None:
    """Return how many hidden layers, as wide as the widest of this network, bring forward and backward to 2.9 times
    forward; None if more than a thousand.

    The ratio is 3 - first / weights, so the network needs ten times the weights of its first layer."""
    inputs, outputs = spec.layers[0], spec.layers[-1]
    width = with_hidden_layers(spec, 1).layers[1]
    more = -(-(9 * inputs - outputs) // width)  # layers after the first; rounded up
    hidden = max(more, 0) + 1
    return hidden if hidden <= MOST_HIDDEN_LAYERS else None
