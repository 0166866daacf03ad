"""Receipts of operations that are only a part of an equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.receipts.layers import (
    from_units,
    input_terms,
    matrix_entry,
    parameter_entry,
    penalty_rows,
    slope,
    vector_terms,
    weight_terms,
)
from tui_backprop.engine.explain.receipts.rows import (
    ParameterReceipt,
    Receipt,
    ReceiptRow,
    entry,
    of_largest,
)
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network import tensor_names as names
from tui_backprop.engine.network.tensor_names import SO_FAR, gradient_of
from tui_backprop.engine.training.iteration import Iteration


def _matmul(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    rows = input_terms(iteration, step.layer, j, terms, s)
    return [*rows, entry(iteration, "=", step.tensor, j, s)]


def _matmul_to_inputs(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    return [*from_units(iteration, step.layer, j, terms, s), entry(iteration, "=", step.tensor, j, s)]


def _matmul_to_weights(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    i, j = index
    return [
        *weight_terms(iteration, step.layer, i, j, terms),
        matrix_entry(iteration, "=", step.tensor, i, j),
    ]


def _penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    before, w, _ = step.visits[-1].op.inputs
    norm = iteration.summary(w).norm
    return [
        ReceiptRow("+", before, float(iteration.tensor(before))),
        ReceiptRow(
            "+",
            f"½ λ Σ {w}²",
            iteration.spec.l2 / 2 * norm * norm,
            (iteration.spec.l2, norm * norm),
            "½ × {0} × {1}",
        ),
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


def _to_vector(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    return [
        *vector_terms(iteration, step.layer, tensor, index[0], terms),
        parameter_entry(iteration, "=", step.tensor, index),
    ]


def _factor(row: Callable[[Iteration, int, int, int], ReceiptRow]) -> Receipt:
    """Return the receipt of an elementwise VJP: the incoming cotangent, times a factor."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        came = gradient_of(step.visits[-1].op.output)
        return [
            entry(iteration, "+", came, j, s),
            row(iteration, step.layer, j, s),
            entry(iteration, "=", step.tensor, j, s),
        ]

    return rows


def _sum(*more: str) -> Receipt:
    """Return the receipt of the VJP of a residual sum: the incoming cotangent is passed on, or added to ``more``."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        came = gradient_of(step.visits[-1].op.output)
        before = [entry(iteration, "+", step.tensor + each, j, s) for each in more]
        return [*before, entry(iteration, "+", came, j, s), entry(iteration, "=", step.tensor, j, s)]

    return rows


def _bias(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    k = step.layer
    parts = (
        ("+", names.product(k)),
        ("+", names.bias(k)),
        ("=", names.preactivation(k)),
    )
    return [entry(iteration, sign, name, j, s) for sign, name in parts]


# By operation, and number of the input for a VJP (see Step.operation). Operations that are whole equations have
# the receipts of those.
PARAMETERS: dict[tuple[str, int | None], ParameterReceipt] = {
    ("matmul", 1): _matmul_to_weights,
    ("bias add", 1): _to_vector,
    ("penalty", 1): _penalty_to_parameters,
    ("normalization", 1): _to_vector,
    ("normalization", 2): _to_vector,
}
RECEIPTS: dict[tuple[str, int | None], Receipt] = {
    ("matmul", None): _matmul,
    ("bias add", None): _bias,
    ("penalty", None): _penalty,
    ("matmul", 0): _matmul_to_inputs,
    ("residual", 0): _sum(),
    ("residual", 1): _sum(SO_FAR),
    ("activation", 0): _factor(slope),
    ("dropout", 0): _factor(lambda iteration, k, j, s: entry(iteration, "*", names.mask(k), j, s)),
    **{operation: of_largest(receipt) for operation, receipt in PARAMETERS.items()},
}
