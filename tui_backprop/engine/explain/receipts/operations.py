"""Receipts of operations that are only a part of an equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.receipts.layers import (
    from_units,
    input_terms,
    parameter_terms,
    penalty_rows,
    slope,
)
from tui_backprop.engine.explain.receipts.rows import (
    ParameterReceipt,
    Receipt,
    ReceiptRow,
    entry,
    of_largest,
    parameter_entry,
)
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import SO_FAR
from tui_backprop.engine.training.iteration import Iteration


def _matmul(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    rows = input_terms(iteration, step.visits[-1].op, j, terms, s)
    return [*rows, entry(iteration, "=", step.tensor, j, s)]


def _matmul_to_inputs(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    rows = from_units(iteration, step.visits[-1].op, j, terms, s)
    return [*rows, entry(iteration, "=", step.tensor, j, s)]


def _to_parameter(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    return [
        *parameter_terms(iteration, tensor, index, terms),
        parameter_entry(iteration, "=", step.tensor, index),
    ]


def _penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    before, w, strength = step.visits[-1].op.inputs
    square, factor = (
        iteration.summary(w).norm * iteration.summary(w).norm,
        iteration.graph.by_name[strength].constant,
    )
    return [
        ReceiptRow("+", before, float(iteration.tensor(before))),
        ReceiptRow("+", f"½ {strength} Σ {w}²", factor / 2 * square, (factor, square), "½ × {0} × {1}"),
        ReceiptRow("=", step.tensor, float(iteration.tensor(step.tensor))),
    ]


def _penalty_to_parameters(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    return [
        parameter_entry(iteration, "+", step.tensor + SO_FAR, index),
        *penalty_rows(iteration, tensor, index),
        parameter_entry(iteration, "=", step.tensor, index),
    ]


def _factor(row: Callable[[Iteration, Op, int, int], ReceiptRow]) -> Receipt:
    """Return the receipt of an elementwise VJP: the incoming cotangent, times a factor."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        op = step.visits[-1].op
        return [
            entry(iteration, "+", iteration.graph.gradient_of(op.output), j, s),
            row(iteration, op, j, s),
            entry(iteration, "=", step.tensor, j, s),
        ]

    return rows


def _sum(*more: str) -> Receipt:
    """Return the receipt of the VJP of a residual sum: the incoming cotangent is passed on, or added to ``more``."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        came = iteration.graph.gradient_of(step.visits[-1].op.output)
        before = [entry(iteration, "+", step.tensor + each, j, s) for each in more]
        return [*before, entry(iteration, "+", came, j, s), entry(iteration, "=", step.tensor, j, s)]

    return rows


def _bias(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    op = step.visits[-1].op
    parts = (("+", op.inputs[0]), ("+", op.inputs[1]), ("=", op.output))
    return [entry(iteration, sign, name, j, s) for sign, name in parts]


# By operation, and number of the input for a VJP (see Step.operation). Operations that are whole equations have
# the receipts of those.
PARAMETERS: dict[tuple[str, int | None], ParameterReceipt] = {
    ("matmul", 1): _to_parameter,
    ("bias add", 1): _to_parameter,
    ("penalty", 1): _penalty_to_parameters,
    ("normalization", 1): _to_parameter,
    ("normalization", 2): _to_parameter,
}
RECEIPTS: dict[tuple[str, int | None], Receipt] = {
    ("matmul", None): _matmul,
    ("bias add", None): _bias,
    ("penalty", None): _penalty,
    ("matmul", 0): _matmul_to_inputs,
    ("residual", 0): _sum(),
    ("residual", 1): _sum(SO_FAR),
    ("activation", 0): _factor(slope),
    ("dropout", 0): _factor(lambda iteration, op, j, s: entry(iteration, "*", op.inputs[1], j, s)),
    **{operation: of_largest(receipt) for operation, receipt in PARAMETERS.items()},
}
