"""The text of ``cost`` on the ledger: operations by layer or block, and bytes of memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tui_backprop.cost.accounting.ledger import LedgerRow
from tui_backprop.cost.accounting.ledger_findings import findings
from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model
from tui_backprop.render.draw.spans import cut
from tui_backprop.report.cost_result import CostResult, time_ratio
from tui_backprop.report.rows import BLANK, Column, Row, Sentence, Table
from tui_backprop.support.quantity import Content, Quantity, Text

PART = 24  # characters of what a block does
LEDGER = (
    Column("layer", "left"),
    Column("weights"),
    Column("forward"),
    Column("delta"),
    Column("dW"),
    Column("kept"),
)
MEMORY = (
    Column("", "left"),
    Column("training"),
    Column("inference"),
    Column("formula", "left", wrapped=True),
)


def ledger_rows(result: CostResult) -> Iterator[Row]:
    """Yield multiply-accumulates by layer, and why they are not three times those of a forward pass."""
    ledger, spec, batch = result.ledger, result.session.network, result.session.batch
    weights = _weights(spec.graph)
    rows = [
        (_part(spec, entry), weights.get(entry.layer, ""), *_booked(entry, ledger.unit))
        for entry in ledger.layers
    ]
    samples = "one sample" if batch == 1 else f"a batch of {batch:,}"
    units = {"MACs": "Multiply-accumulates (MACs)", "FLOPs": "Floating-point operations (FLOPs)"}
    what = f"{units[ledger.unit]} of one gradient"
    yield Sentence(f"{what}, {samples}, and memory kept for the backward pass")
    columns = (replace(LEDGER[0], head=spec.part), *LEDGER[1:])
    total = f"{sum(size(value.shape) for value in spec.graph.with_role('weight')):,}" if weights else ""
    yield Table(columns, (*rows, ("total", total, *_booked(ledger.total, ledger.unit))))
    yield BLANK
    yield from (Sentence(finding.text) for finding in findings(ledger, time_ratio(result)))


def _part(spec: Model, entry: LedgerRow) -> Content:
    """Return the number of a layer, or what a block of another kind does."""
    if spec.graph.layered:
        return Text(str(entry.layer), f"{spec.part} {entry.layer}")
    return cut(entry.kind, PART)


def _weights(graph: Graph) -> dict[int, str]:
    """Return the shape of the weights of each layer; of blocks of other kinds, the number of their weights."""
    found: dict[int, list[Shape]] = {}
    for value in graph.with_role("weight"):
        found.setdefault(graph.block(value.name), []).append(value.shape)
    if graph.layered:
        return {block: "x".join(map(str, shape)) for block, (shape,) in found.items()}
    return {block: f"{sum(map(size, shapes)):,}" for block, shapes in found.items()}


def memory_rows(result: CostResult) -> Iterator[Row]:
    """Yield bytes for training and for inference, each with its formula and numbers."""
    memory, batch = result.memory, result.session.batch
    samples = "one sample" if batch == 1 else f"a batch of {batch:,}"
    yield Sentence(
        f"Memory of a training step with {result.session.optimizer.name} and of inference, {samples}"
    )
    rows: list[tuple[Content, ...]] = [
        (row.name, *_bytes(row.training, row.inference), f"{row.formula} = {row.numbers}")
        for row in memory.rows
    ]
    yield Table(MEMORY, (*rows, ("total", *_bytes(memory.training, memory.inference), "")))


def _bytes(*sizes: int) -> tuple[Quantity, ...]:
    return tuple(Quantity(size, "bytes") for size in sizes)


def _booked(entry: LedgerRow, unit: str) -> tuple[Content, ...]:
    return (*(f"{share.counted(unit):,}" for share in entry.costs), Quantity(entry.kept, "bytes"))
