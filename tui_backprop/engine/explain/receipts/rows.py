"""Rows of receipts, and sums that are too long to be shown whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from tui_backprop.engine.explain.entries import entry_at
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

MOST_WORKED = 4  # terms of a sum that are written out in a single row


@dataclass(frozen=True)
class ReceiptRow:
    """One line of a receipt: ``sign`` is + or - (a summand), * or / (a factor of everything above), "," (another
    input of a function), = (a result) or ≠ (what a result has more than its sum, where they differ by more than
    rounding). A summand after a result begins the next sum, which may use that result."""

    sign: str
    label: str
    value: float
    factors: tuple[float, ...] = ()  # the numbers that make the value: their product, if there is no template
    template: str = ""  # of the value, with {0}, {1}, ... for the factors
    terms: int = 1  # of the sum that it stands for


# Receipt of a kind of step: (iteration, step, unit, number of terms shown of a long sum, sample) to rows.
Receipt = Callable[[Iteration, Step, int, int, int], Sequence[ReceiptRow]]
# Receipt of a step about parameters: (iteration, step, tensor, index, number of terms shown) to rows.
ParameterReceipt = Callable[[Iteration, Step, str, tuple[int, ...], int], Sequence[ReceiptRow]]


def selected_input(iteration: Iteration, layer: int, unit: int) -> int:
    """Input of the weight into ``unit`` with the largest gradient, which the steps of the weights show."""
    return int(
        abs(iteration.tensor(iteration.graph.gradient_of(iteration.graph.weight(layer)))[:, unit]).argmax()
    )


def of_largest(receipt: ParameterReceipt) -> Receipt:
    """Return the receipt for a unit, of the weight into it with the largest gradient."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        if not iteration.graph.layered:
            return receipt(iteration, step, *entry_at(iteration.graph, step, j), terms)
        tensor = iteration.graph.value_of(step.tensor)
        weights = iteration.graph.is_weight(tensor)
        index = (selected_input(iteration, step.block, j), j) if weights else (j,)
        return receipt(iteration, step, tensor, index, terms)

    return rows


def entry(iteration: Iteration, sign: str, name: str, j: int, s: int) -> ReceiptRow:
    """Row of entry j of a vector of parameters, or of row s of an array."""
    array = iteration.tensor(name)
    return ReceiptRow(sign, entry_name(name, (j,)), float(array[j] if array.ndim == 1 else array[s, j]))


def parameter_entry(iteration: Iteration, sign: str, name: str, index: tuple[int, ...]) -> ReceiptRow:
    """Return the row of an entry of a parameter tensor or of its gradient."""
    return ReceiptRow(sign, entry_name(name, index), float(iteration.tensor(name)[index]))


def op_of(step: Step, kind: str) -> Op:
    """Return the operation of a kind that a step runs, forward or backward."""
    return next(visit.op for visit in step.visits if visit.op.primitive.kind == kind)


def product(sign: str, label: str, *factors: float) -> ReceiptRow:
    """Row of a product."""
    return ReceiptRow(sign, label, prod(factors), factors)


def worked_sum(values: Array, term: str, whole: str = "{0}") -> tuple[tuple[float, ...], str]:
    """Factors and template of the sum of a ``term`` of each of some values (m,), put into ``whole``; nothing where
    they are many."""
    if not 1 < len(values) <= MOST_WORKED:
        return (), ""
    terms = " + ".join(term.format(f"{{{i}}}") for i in range(len(values)))
    return tuple(map(float, values)), whole.format(terms)


def in_range(row: ReceiptRow, dtype: np.dtype[Any]) -> ReceiptRow:
    """Return the row as a pass in the precision ``dtype`` computes it: a value beyond the range is infinite, or 0."""
    with np.errstate(all="ignore"):
        rounded = float(dtype.type(row.value))
    return replace(row, value=rounded) if math.isinf(rounded) or rounded == 0 else row


def summands(labels: Callable[[int], str], left: Array, right: Array, most: int) -> list[ReceiptRow]:
    """Rows of sum(left * right), both shape (m,): the ``most`` largest terms, then the rest as one row."""
    products = left.astype(float) * right.astype(float)
    return [
        replace(row, factors=(float(left[i]), float(right[i]))) if i is not None else row
        for i, row in _largest(labels, products, most)
    ]


def largest(
    labels: Callable[[int], str],
    values: Array,
    most: int,
    worked: Callable[[int], tuple[str, tuple[float, ...]]] = lambda i: ("", ()),
) -> list[ReceiptRow]:
    """Rows of sum(values), shape (m,): the ``most`` largest in magnitude, each with the template and factors of
    ``worked``, then the rest as one row."""
    rows = []
    for i, row in _largest(labels, values, most):
        template, factors = worked(i) if i is not None else ("", ())
        rows.append(replace(row, template=template, factors=factors))
    return rows


def _largest(labels: Callable[[int], str], values: Array, most: int) -> list[tuple[int | None, ReceiptRow]]:
    shown = len(values) if len(values) <= most + 1 else most
    order = np.argsort(-np.abs(values), kind="stable")[:shown]
    rows: list[tuple[int | None, ReceiptRow]] = [
        (i, ReceiptRow("+", labels(i), float(values[i]))) for i in order.tolist()
    ]
    if shown < len(values):
        rest, more = float(np.delete(values, order).sum(dtype=float)), len(values) - shown
        rows.append((None, ReceiptRow("+", f"{more} more terms", rest, terms=more)))
    return rows
