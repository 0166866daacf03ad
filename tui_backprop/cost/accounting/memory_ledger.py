"""Bytes of a training step and of inference: parameters, gradients, optimizer state and values, each with its
formula.

These are the least that the computation needs. The app holds more, so that it can step back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from tui_backprop.cost.accounting.ledger import Ledger
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import size
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

PARAMETER_KINDS = {
    "weight": "weights",
    "bias": "biases",
    "gain": "gains",
    "shift": "shifts",
    "parameter": "P",
}
NOT_IN_INFERENCE = ("loss", "penalty")  # kinds of operations


@dataclass(frozen=True)
class MemoryRow:
    """Bytes of one kind for ``training`` and for ``inference``; the ``formula`` in words and symbols, and the same
    with ``numbers``."""

    name: str
    training: int
    inference: int
    formula: str
    numbers: str


@dataclass(frozen=True)
class MemoryLedger:
    """All rows, and their totals."""

    rows: tuple[MemoryRow, ...]

    @property
    def training(self) -> int:
        return sum(row.training for row in self.rows)

    @property
    def inference(self) -> int:
        return sum(row.inference for row in self.rows)


def memory_ledger(ledger: Ledger, optimizer: OptimizerSpec) -> MemoryLedger:
    """Return the bytes of a network on a batch with an optimizer."""
    return MemoryLedger((*_of_parameters(ledger.spec, optimizer), *_of_values(ledger)))


def _of_parameters(spec: Model, optimizer: OptimizerSpec) -> tuple[MemoryRow, ...]:
    """Return parameters, and what there is one of for each parameter."""
    each, p = ITEMSIZE[spec.dtype], spec.parameters
    slots, kinds = UPDATE_RULES[optimizer.name].slots, _parameters_by_kind(spec)
    terms, numbers = " + ".join(kinds), _sum(kinds.values())
    names = (
        f"P × {len(slots)} ({', '.join(slots)} of {optimizer.name})"
        if slots
        else f"0 ({optimizer.name} has none)"
    )
    state = f"{p:,} × {len(slots)}" if slots else "0"
    return (
        MemoryRow("parameters", each * p, each * p, f"bytes × ({terms})", f"{each} × ({numbers})"),
        MemoryRow("gradients", each * p, 0, "bytes × P", f"{each} × {p:,}"),
        MemoryRow("optimizer state", len(slots) * each * p, 0, f"bytes × {names}", f"{each} × {state}"),
    )


def _of_values(ledger: Ledger) -> tuple[MemoryRow, ...]:
    """Return the values that the forward pass makes and the backward pass reads (the input is the user's), and those
    that inference holds at once."""
    each, held = ITEMSIZE[ledger.spec.dtype], most_alive(ledger.spec, ledger.batch)
    kept = _sum_of_runs(layer.kept // each for layer in ledger.layers)
    read = "bytes × values made for the backward pass, by layer"
    at_once = f"bytes × ({' + '.join(held)}), the most at any time"
    return (
        MemoryRow("kept values", ledger.total.kept, 0, read, f"{each} × ({kept})"),
        MemoryRow(
            "values at once", 0, each * sum(held.values()), at_once, f"{each} × ({_sum(held.values())})"
        ),
    )


def _parameters_by_kind(spec: Model) -> dict[str, int]:
    """Count weights, biases, gains and shifts, those that there are."""
    counts: dict[str, int] = {}
    for name, shape in spec.graph.parameters.items():
        kind = PARAMETER_KINDS[spec.graph.role(name)]
        counts[kind] = counts.get(kind, 0) + size(shape)
    return counts


def _sum(numbers: Iterable[int]) -> str:
    """Write a sum: 334,336 + 778."""
    return " + ".join(f"{number:,}" for number in numbers)


def _sum_of_runs(numbers: Iterable[int]) -> str:
    """Write a sum, equal numbers in a row as a product: 3 × 512 + 10."""
    runs = [(len(list(run)), number) for number, run in groupby(numbers)]
    return " + ".join(f"{times} × {number:,}" if times > 1 else f"{number:,}" for times, number in runs)


def most_alive(spec: Model, batch: int) -> dict[str, int]:
    """Return the values (name: numbers) that inference holds when it holds most: the output of an operation, and
    earlier values that it or a later operation reads. The batch is not counted; nothing is dropped and no loss is
    computed."""
    graph = spec.at_inference().graph
    ops = [op for op in graph.ops if op.primitive.kind not in NOT_IN_INFERENCE]
    shapes = graph.shapes(batch)
    held = [{name: size(shapes[name]) for name in _alive(ops, at)} for at in range(len(ops))]
    return max(held, key=lambda values: sum(values.values()))


def _alive(ops: list[Op], at: int) -> list[str]:
    """Return the values that exist while operation number ``at`` runs; one in place needs no room for its output."""
    needed = {name for op in ops[at:] for name in op.inputs}
    if ops[at].primitive.in_place:
        needed -= {ops[at].inputs[0]} - {name for op in ops[at + 1 :] for name in op.inputs}
    return [op.output for op in ops[:at] if op.output in needed] + [ops[at].output]
