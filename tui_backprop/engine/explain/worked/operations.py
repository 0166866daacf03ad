"""Receipts of single operations, where those are only a part of an equation of the textbook."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.walk import Step
from tui_backprop.engine.explain.worked.layers import from_units, gradient, slope, weight_terms
from tui_backprop.engine.explain.worked.rows import (
    ParameterReceipt,
    Receipt,
    Row,
    entry,
    of_largest,
    product,
    summands,
)
from tui_backprop.engine.network.names import SO_FAR, cotangent_name, name_before
from tui_backprop.engine.training.iteration import Iteration


def _matmul(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, name_before(step.layer)
    a, w = iteration.tensor(before)[s], iteration.tensor(f"W{k}")[:, j]
    rows = summands(lambda i: f"{before}[{i}] · W{k}[{i},{j}]", a, w, terms)
    return [*rows, entry(iteration, "=", step.tensor, j, s)]


def _matmul_to_inputs(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [*from_units(iteration, step.layer, j, terms, s), entry(iteration, "=", step.tensor, j, s)]


def _matmul_to_weights(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[Row]:
    i, j = index
    return [*weight_terms(iteration, step.layer, i, j, terms), _weight(iteration, "=", step.tensor, i, j)]


def _weight(iteration: Iteration, sign: str, name: str, i: int, j: int) -> Row:
    bare = name.removesuffix(SO_FAR)
    return Row(sign, f"{bare}[{i},{j}]{name.removeprefix(bare)}", float(iteration.tensor(name)[i, j]))


def _penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    before, w, _ = step.visits[-1].op.inputs
    norm = iteration.summary(w).norm
    return [
        Row("+", before, float(iteration.tensor(before))),
        Row("+", f"½ λ Σ {w}²", iteration.spec.l2 / 2 * norm * norm),
        Row("=", step.tensor, float(iteration.tensor(step.tensor))),
    ]


def _penalty_to_weights(
    iteration: Iteration, step: Step, w: str, index: tuple[int, ...], terms: int
) -> Sequence[Row]:
    i, j = index
    return [
        _weight(iteration, "+", step.tensor + SO_FAR, i, j),
        product("+", f"λ · {w}[{i},{j}]", iteration.spec.l2, float(iteration.tensor(w)[i, j])),
        _weight(iteration, "=", step.tensor, i, j),
    ]


def _factor(row: Callable[[Iteration, int, int, int], Row]) -> Receipt:
    """What comes back, times one factor of the unit's own."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        came = cotangent_name(step.visits[-1].op.output)
        return [
            entry(iteration, "+", came, j, s),
            row(iteration, step.layer, j, s),
            entry(iteration, "=", step.tensor, j, s),
        ]

    return rows


def _sum(*more: str) -> Receipt:
    """What comes back to a sum of two: handed on whole, or added to what came back another way."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        came = cotangent_name(step.visits[-1].op.output)
        before = [entry(iteration, "+", step.tensor + each, j, s) for each in more]
        return [*before, entry(iteration, "+", came, j, s), entry(iteration, "=", step.tensor, j, s)]

    return rows


def _bias(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    return [
        entry(iteration, sign, name, j, s) for sign, name in (("+", f"u{k}"), ("+", f"b{k}"), ("=", f"z{k}"))
    ]


# By what the operation is, and of which input it is the VJP (see Step.operation). Operations that are whole
# equations have their receipts there.
PARAMETERS: dict[tuple[str, int | None], ParameterReceipt] = {
    ("matmul", 1): _matmul_to_weights,
    ("bias add", 1): gradient,
    ("penalty", 1): _penalty_to_weights,
    ("normalization", 1): gradient,
    ("normalization", 2): gradient,
}
RECEIPTS: dict[tuple[str, int | None], Receipt] = {
    ("matmul", None): _matmul,
    ("bias add", None): _bias,
    ("penalty", None): _penalty,
    ("matmul", 0): _matmul_to_inputs,
    ("residual", 0): _sum(),
    ("residual", 1): _sum(SO_FAR),
    ("activation", 0): _factor(slope),
    ("dropout", 0): _factor(lambda iteration, k, j, s: entry(iteration, "*", f"m{k}", j, s)),
    **{operation: of_largest(receipt) for operation, receipt in PARAMETERS.items()},
}
