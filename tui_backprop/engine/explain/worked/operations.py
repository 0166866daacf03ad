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
from tui_backprop.engine.training.iteration import Pass


def _matmul(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, name_before(step.layer)
    a, w = taken.tensor(before)[s], taken.tensor(f"W{k}")[:, j]
    rows = summands(lambda i: f"{before}[{i}] · W{k}[{i},{j}]", a, w, terms)
    return [*rows, entry(taken, "=", step.tensor, j, s)]


def _matmul_to_inputs(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [*from_units(taken, step.layer, j, terms, s), entry(taken, "=", step.tensor, j, s)]


def _matmul_to_weights(
    taken: Pass, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[Row]:
    i, j = index
    return [*weight_terms(taken, step.layer, i, j, terms), _weight(taken, "=", step.tensor, i, j)]


def _weight(taken: Pass, sign: str, name: str, i: int, j: int) -> Row:
    bare = name.removesuffix(SO_FAR)
    return Row(sign, f"{bare}[{i},{j}]{name.removeprefix(bare)}", float(taken.tensor(name)[i, j]))


def _penalty(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    before, w, _ = step.visits[-1].op.inputs
    norm = taken.summary(w).norm
    return [
        Row("+", before, float(taken.tensor(before))),
        Row("+", f"½ λ Σ {w}²", taken.spec.l2 / 2 * norm * norm),
        Row("=", step.tensor, float(taken.tensor(step.tensor))),
    ]


def _penalty_to_weights(taken: Pass, step: Step, w: str, index: tuple[int, ...], terms: int) -> Sequence[Row]:
    i, j = index
    return [
        _weight(taken, "+", step.tensor + SO_FAR, i, j),
        product("+", f"λ · {w}[{i},{j}]", taken.spec.l2, float(taken.tensor(w)[i, j])),
        _weight(taken, "=", step.tensor, i, j),
    ]


def _factor(row: Callable[[Pass, int, int, int], Row]) -> Receipt:
    """What comes back, times one factor of the unit's own."""

    def rows(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        came = cotangent_name(step.visits[-1].op.output)
        return [
            entry(taken, "+", came, j, s),
            row(taken, step.layer, j, s),
            entry(taken, "=", step.tensor, j, s),
        ]

    return rows


def _sum(*more: str) -> Receipt:
    """What comes back to a sum of two: handed on whole, or added to what came back another way."""

    def rows(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        came = cotangent_name(step.visits[-1].op.output)
        before = [entry(taken, "+", step.tensor + each, j, s) for each in more]
        return [*before, entry(taken, "+", came, j, s), entry(taken, "=", step.tensor, j, s)]

    return rows


def _bias(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    return [entry(taken, sign, name, j, s) for sign, name in (("+", f"u{k}"), ("+", f"b{k}"), ("=", f"z{k}"))]


# By what the operation is, and of which input it is the VJP (see Step.operation). Operations that are whole
# equations have their receipts there.
PARAMETERS: dict[tuple[str, int | None], ParameterReceipt] = {
    ("matmul", 1): _matmul_to_weights,
    ("bias add", 1): gradient,
    ("penalty", 1): _penalty_to_weights,
    ("normalisation", 1): gradient,
    ("normalisation", 2): gradient,
}
RECEIPTS: dict[tuple[str, int | None], Receipt] = {
    ("matmul", None): _matmul,
    ("bias add", None): _bias,
    ("penalty", None): _penalty,
    ("matmul", 0): _matmul_to_inputs,
    ("residual", 0): _sum(),
    ("residual", 1): _sum(SO_FAR),
    ("activation", 0): _factor(slope),
    ("dropout", 0): _factor(lambda taken, k, j, s: entry(taken, "*", f"m{k}", j, s)),
    **{operation: of_largest(receipt) for operation, receipt in PARAMETERS.items()},
}
