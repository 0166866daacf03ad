"""Receipts of the forward and the backward pass through the layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.receipts.rows import (
    ReceiptRow,
    entry,
    largest,
    product,
    summands,
    worked_sum,
)
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network import tensor_names as names
from tui_backprop.engine.network.graph import penalized
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import ACTIVATIONS
from tui_backprop.engine.primitives.normalization import LAYER_NORM_EPSILON
from tui_backprop.engine.training.iteration import Iteration

FORMULA_COLUMNS = 24  # most characters of a formula in a label; a longer one is replaced by its name


def input_(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    return [entry(iteration, "=", "x", j, s)]


def affine(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    k = step.layer
    rows = input_terms(iteration, k, j, terms, s)
    bias = [entry(iteration, "+", names.bias(k), j, s)] if iteration.spec.bias else []
    return [*rows, *bias, entry(iteration, "=", names.preactivation(k), j, s)]


def input_terms(iteration: Iteration, k: int, j: int, terms: int, s: int) -> list[ReceiptRow]:
    """Products of inputs and weights that sum to the pre-activation of unit j of layer k, without the bias."""
    before, weights = names.activation(k - 1), names.weight(k)
    return summands(
        lambda i: f"{entry_name(before, (i,))} · {entry_name(weights, (i, j))}",
        iteration.tensor(before)[s],
        iteration.tensor(weights)[:, j],
        terms,
    )


def normalization(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    k, z = step.layer, names.preactivation(step.layer)
    return [
        entry(iteration, "+", z, j, s),
        _mean(iteration, k, s),
        _deviation(iteration, k, s),
        entry(iteration, "*", names.gain(k), j, s),
        entry(iteration, "+", names.shift(k), j, s),
        entry(iteration, "=", names.normalized(k), j, s),
    ]


def _mean(iteration: Iteration, k: int, s: int) -> ReceiptRow:
    """Row of the mean of the pre-activations of a layer, worked out where they are few."""
    z = names.preactivation(k)
    values = iteration.tensor(z)[s].astype(float)
    return ReceiptRow(
        "-", f"mean {z}", float(values.mean()), *worked_sum(values, "{0}", f"({{0}}) / {len(values)}")
    )


def _deviation(iteration: Iteration, k: int, s: int) -> ReceiptRow:
    """Row of the divisor √(variance + ε) of a layer normalization."""
    z = names.preactivation(k)
    variance = float(iteration.tensor(z)[s].astype(float).var())
    deviation = float(iteration.deviation(k)[s, 0])
    return ReceiptRow("/", f"deviation {z}", deviation, (variance,), f"√({{0}} + {LAYER_NORM_EPSILON:g})")


def activation(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    op, name = iteration.activation(step.layer), iteration.spec.activations[step.layer - 1]
    before, after = entry(iteration, "+", op.inputs[0], j, s), entry(iteration, "=", op.output, j, s)
    formula = tidy(ACTIVATIONS[name].formula.format(before.label))
    formula = formula if len(formula) <= FORMULA_COLUMNS else f"{name}({before.label})"
    return [before, ReceiptRow("=", f"{after.label} = {formula}", after.value, (), _undefined(before, after))]


def _undefined(before: ReceiptRow, after: ReceiptRow) -> str:
    """Return the product that is NaN where an activation of an infinity is: z σ(z) of −∞."""
    return "−∞ · 0" if math.isinf(before.value) and math.isnan(after.value) else ""


def elementwise(sign: str) -> Callable[[Iteration, Step, int, int, int], Sequence[ReceiptRow]]:
    """Return the receipt of dropout (a product) or of a residual connection (a sum)."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
        (made, _), (first, _), (second, _) = step.operands
        signs = (("+", first), (sign, second), ("=", made))
        return [entry(iteration, each, name, j, s) for each, name in signs]

    return rows


def weight_terms(iteration: Iteration, k: int, i: int, j: int, terms: int) -> list[ReceiptRow]:
    """Terms of the gradient of W[i, j], one per sample."""
    return _products(iteration, (names.activation(k - 1), i), (names.delta(k), j), terms)


def _products(
    iteration: Iteration, one: tuple[str, int], other: tuple[str, int], terms: int
) -> list[ReceiptRow]:
    """Sum over the samples of products of two units' values; a unit is given as (tensor, index)."""

    def label(n: int) -> str:
        return " · ".join(_of_sample(iteration, tensor, n, unit) for tensor, unit in (one, other))

    left, right = (iteration.tensor(tensor)[:, unit] for tensor, unit in (one, other))
    return summands(label, left, right, terms)


def _of_sample(iteration: Iteration, tensor: str, n: int, unit: int) -> str:
    """Name of a unit's value, with the sample's index n if the batch has several samples."""
    return entry_name(tensor, (unit,) if iteration.batch == 1 else (n, unit))


def weight_rows(iteration: Iteration, k: int, i: int, j: int, terms: int) -> list[ReceiptRow]:
    """Receipt of the gradient of W[i, j] of layer k."""
    rows = weight_terms(iteration, k, i, j, terms)
    w = names.weight(k)
    rows += penalty_rows(iteration, w, (i, j))
    return [*rows, matrix_entry(iteration, "=", names.gradient_of(w), i, j)]


def penalty_rows(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> list[ReceiptRow]:
    """Return the row of what the L2 penalty adds to the gradient of a parameter, if it has one."""
    if tensor not in penalized(iteration.spec):
        return []
    label = f"{names.STRENGTH} · {entry_name(tensor, index)}"
    return [product("+", label, iteration.spec.l2, float(iteration.tensor(tensor)[index]))]


def matrix_entry(iteration: Iteration, sign: str, name: str, i: int, j: int) -> ReceiptRow:
    """Return the row of an entry of a weight matrix or of its gradient."""
    return parameter_entry(iteration, sign, name, (i, j))


def parameter_entry(iteration: Iteration, sign: str, name: str, index: tuple[int, ...]) -> ReceiptRow:
    """Return the row of an entry of a parameter tensor or of its gradient."""
    return ReceiptRow(sign, entry_name(name, index), float(iteration.tensor(name)[index]))


def samples(iteration: Iteration, of: str, j: int, terms: int) -> list[ReceiptRow]:
    """Sum over the samples of unit j's derivatives in the array ``of``, shape (n, units)."""
    values = iteration.tensor(of)[:, j].astype(float)
    return largest(lambda n: _of_sample(iteration, of, n, j), values, terms)


def _gain_terms(iteration: Iteration, k: int, j: int, terms: int) -> list[ReceiptRow]:
    return _products(
        iteration,
        (names.gradient_of(names.normalized(k)), j),
        (names.standardized(k), j),
        terms,
    )


# Terms of the gradient of a bias, a gain or a shift of layer k, by the kind of tensor.
VECTOR_TERMS: dict[names.Kind, Callable[[Iteration, int, int, int], list[ReceiptRow]]] = {
    "bias": lambda iteration, k, j, terms: samples(iteration, names.delta(k), j, terms),
    "gain": _gain_terms,
    "shift": lambda iteration, k, j, terms: samples(
        iteration, names.gradient_of(names.normalized(k)), j, terms
    ),
}


def vector_terms(iteration: Iteration, layer: int, tensor: str, j: int, terms: int) -> list[ReceiptRow]:
    """Return the rows that add up to the gradient of entry j of a bias, a gain or a shift, without a penalty."""
    return VECTOR_TERMS[names.kind_of(tensor)](iteration, layer, j, terms)


def gradient(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    """Receipt of the gradient of a parameter of the step's layer."""
    *row, j = index
    if row:
        return weight_rows(iteration, step.layer, row[0], j, terms)
    rows = vector_terms(iteration, step.layer, tensor, j, terms)
    rows += penalty_rows(iteration, tensor, (j,))
    return [*rows, entry(iteration, "=", names.gradient_of(tensor), j, 0)]


def from_units(iteration: Iteration, k: int, j: int, terms: int, s: int) -> list[ReceiptRow]:
    """Terms of da[j] of layer k: the deltas of layer k + 1, each times a weight."""
    onward, weights = names.delta(k + 1), names.weight(k + 1)
    return summands(
        lambda i: f"{entry_name(onward, (i,))} · {entry_name(weights, (j, i))}",
        iteration.tensor(onward)[s],
        iteration.tensor(weights)[j],
        terms,
    )


def _collected(iteration: Iteration, k: int, j: int, terms: int, s: int) -> list[ReceiptRow]:
    """Terms of ``from_units``, and the gradient by way of the residual connection."""
    rows = from_units(iteration, k, j, terms, s)
    if iteration.spec.adds_input(k + 1):
        rows.append(entry(iteration, "+", names.gradient_of(names.activation(k + 1)), j, s))
    return rows


def carried(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    return [*_collected(iteration, step.layer, j, terms, s), entry(iteration, "=", step.tensor, j, s)]


def delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    k, spec = step.layer, iteration.spec
    there = (
        [entry(iteration, "+", names.gradient_of(names.activation(k)), j, s)] if spec.adds_input(k) else []
    )
    rows = there or _collected(iteration, k, j, terms, s)
    if spec.dropout:
        rows.append(entry(iteration, "*", names.mask(k), j, s))
    return [*rows, slope(iteration, k, j, s), entry(iteration, "=", step.tensor, j, s)]


def slope(iteration: Iteration, k: int, j: int, s: int) -> ReceiptRow:
    """Row of the factor f' of a hidden unit."""
    op = iteration.activation(k)
    formula = ACTIVATIONS[iteration.spec.activations[k - 1]].slope_formula
    names_in = entry_name(op.inputs[0], (j,)), entry_name(op.output, (j,))
    numbers = tuple(float(iteration.tensor(name)[s, j]) for name in (op.inputs[0], op.output))
    label, template = (tidy(formula.format(a, y=b)) for a, b in (names_in, ("{0}", "{1}")))
    return ReceiptRow("*", label, float(iteration.slope(k, s)[j]), *_worked(template, numbers))


def _worked(template: str, numbers: tuple[float, ...]) -> tuple[tuple[float, ...], str]:
    """Factors and template of a row, if there are any numbers in it."""
    return (numbers, template) if "{" in template else ((), "")


def normalization_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    k = step.layer
    made, gains, v = (
        names.gradient_of(names.normalized(k)),
        names.gain(k),
        names.standardized(k),
    )
    given, gain, values = iteration.tensor(made)[s], iteration.tensor(gains), iteration.tensor(v)[s]
    h = given.astype(float) * gain
    label = f"h[{j}] = {entry_name(made, (j,))} · {entry_name(gains, (j,))}"
    return [
        product("+", label, float(given[j]), float(gain[j])),
        ReceiptRow("-", "mean h", float(h.mean())),
        product("-", f"{entry_name(v, (j,))} · mean(h ⊙ {v})", float(values[j]), float((h * values).mean())),
        _deviation(iteration, k, s),
        entry(iteration, "=", names.delta(k), j, s),
    ]
