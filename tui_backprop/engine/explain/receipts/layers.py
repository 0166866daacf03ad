"""Receipts of the forward and the backward pass through the operations of a layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.receipts.rows import (
    ReceiptRow,
    entry,
    largest,
    op_of,
    parameter_entry,
    product,
    summands,
    worked_sum,
)
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import ACTIVATIONS
from tui_backprop.engine.primitives.normalization import NORMALIZATION_EPSILON
from tui_backprop.engine.training.iteration import Iteration

FORMULA_COLUMNS = 24  # most characters of a formula in a label; a longer one is replaced by its name


def input_(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    return [entry(iteration, "=", iteration.graph.input, j, s)]


def affine(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    product_op, *added = (visit.op for visit in step.visits)
    rows = input_terms(iteration, product_op, j, terms, s)
    bias = [entry(iteration, "+", op.inputs[1], j, s) for op in added]
    return [*rows, *bias, entry(iteration, "=", step.visits[-1].op.output, j, s)]


def input_terms(iteration: Iteration, op: Op, j: int, terms: int, s: int) -> list[ReceiptRow]:
    """Products of inputs and weights that sum to entry j of a matrix product."""
    before, weights = op.inputs
    return summands(
        lambda i: f"{entry_name(before, (i,))} · {entry_name(weights, (i, j))}",
        iteration.tensor(before)[s],
        iteration.tensor(weights)[:, j],
        terms,
    )


def normalization(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    op = op_of(step, "normalization")
    z, gain, shift = op.inputs
    return [
        entry(iteration, "+", z, j, s),
        _mean(iteration, z, s),
        _deviation(iteration, op, s),
        entry(iteration, "*", gain, j, s),
        entry(iteration, "+", shift, j, s),
        entry(iteration, "=", op.output, j, s),
    ]


def _mean(iteration: Iteration, z: str, s: int) -> ReceiptRow:
    """Row of the mean of the pre-activations of a layer, worked out where they are few."""
    values = iteration.tensor(z)[s].astype(float)
    return ReceiptRow(
        "-", f"mean {z}", float(values.mean()), *worked_sum(values, "{0}", f"({{0}}) / {len(values)}")
    )


def _deviation(iteration: Iteration, op: Op, s: int) -> ReceiptRow:
    """Row of the divisor √(variance + ε) of a layer normalization."""
    z = op.inputs[0]
    variance = float(iteration.tensor(z)[s].astype(float).var())
    deviation = float(iteration.deviation(op.block)[s, 0])
    return ReceiptRow("/", f"deviation {z}", deviation, (variance,), f"√({{0}} + {NORMALIZATION_EPSILON:g})")


def activation(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    op = op_of(step, "activation")
    name = op.primitive.name
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


# --- gradients of parameters ------------------------------------------------------------------------------


def _product_terms(iteration: Iteration, op: Op, index: tuple[int, ...], terms: int) -> list[ReceiptRow]:
    """Terms of the gradient of W[i, j], one per sample, by the matrix product that reads W."""
    i, j = index
    return _products(iteration, (op.inputs[0], i), (iteration.graph.gradient_of(op.output), j), terms)


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


def penalty_rows(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> list[ReceiptRow]:
    """Return the row of what an L2 penalty adds to the gradient of a parameter, if it has one."""
    readers = iteration.graph.readers[tensor]
    found = []
    for op in (op for op in readers if op.primitive.kind == "penalty"):
        strength = iteration.graph.by_name[op.inputs[2]]
        label = f"{strength.name} · {entry_name(tensor, index)}"
        found.append(product("+", label, strength.constant, float(iteration.tensor(tensor)[index])))
    return found


def samples(iteration: Iteration, of: str, j: int, terms: int) -> list[ReceiptRow]:
    """Sum over the samples of unit j's derivatives in the array ``of``, shape (n, units)."""
    values = iteration.tensor(of)[:, j].astype(float)
    return largest(lambda n: _of_sample(iteration, of, n, j), values, terms)


def _sum_terms(iteration: Iteration, op: Op, index: tuple[int, ...], terms: int) -> list[ReceiptRow]:
    return samples(iteration, iteration.graph.gradient_of(op.output), index[-1], terms)


def _gain_terms(iteration: Iteration, op: Op, index: tuple[int, ...], terms: int) -> list[ReceiptRow]:
    made = iteration.graph.by_name[op.output]
    return _products(iteration, (made.gradient, index[-1]), (made.saved, index[-1]), terms)


# Terms of the gradient of a parameter by the operation that reads it, and the number of the input that it is.
TERMS: dict[tuple[str, int], Callable[[Iteration, Op, tuple[int, ...], int], list[ReceiptRow]]] = {
    ("matmul", 1): _product_terms,
    ("bias add", 1): _sum_terms,
    ("layer normalization", 1): _gain_terms,
    ("layer normalization", 2): _sum_terms,
}


def parameter_terms(
    iteration: Iteration, tensor: str, index: tuple[int, ...], terms: int
) -> list[ReceiptRow]:
    """Return the rows that add up to the gradient of an entry of a parameter, without a penalty."""
    op = iteration.graph.readers[tensor][0]
    return TERMS[op.primitive.name, op.inputs.index(tensor)](iteration, op, index, terms)


def gradient(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[ReceiptRow]:
    """Receipt of the gradient of a parameter of the step's layer."""
    rows = parameter_terms(iteration, tensor, index, terms) + penalty_rows(iteration, tensor, index)
    return [*rows, parameter_entry(iteration, "=", iteration.graph.gradient_of(tensor), index)]


# --- gradients of values ----------------------------------------------------------------------------------


def from_units(iteration: Iteration, op: Op, j: int, terms: int, s: int) -> list[ReceiptRow]:
    """Terms of the gradient of input j of a matrix product: the deltas of its units, each times a weight."""
    onward, weights = iteration.graph.gradient_of(op.output), op.inputs[1]
    return summands(
        lambda i: f"{entry_name(onward, (i,))} · {entry_name(weights, (j, i))}",
        iteration.tensor(onward)[s],
        iteration.tensor(weights)[j],
        terms,
    )


def _passed(iteration: Iteration, op: Op, j: int, terms: int, s: int) -> list[ReceiptRow]:
    return [entry(iteration, "+", iteration.graph.gradient_of(op.output), j, s)]


def _kept(iteration: Iteration, op: Op, j: int, terms: int, s: int) -> list[ReceiptRow]:
    return [entry(iteration, "*", op.inputs[1], j, s)]


def _sloped(iteration: Iteration, op: Op, j: int, terms: int, s: int) -> list[ReceiptRow]:
    return [slope(iteration, op, j, s)]


# Rows that the VJP of an operation, by the number of its input, adds to the receipt of a delta.
FACTORS: dict[tuple[str, int], Callable[[Iteration, Op, int, int, int], list[ReceiptRow]]] = {
    ("affine", 0): from_units,
    ("residual", 0): _passed,
    ("residual", 1): _passed,
    ("dropout", 0): _kept,
    ("activation", 0): _sloped,
}


def delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of the gradient of a value: what comes from the operations that read it, times what its own do."""
    visits = [visit for visit in step.visits if not _through_bias(visit)]
    rows = _came_in(iteration, visits[0], j, s)
    for visit in visits:
        rows += FACTORS[visit.op.primitive.kind, visit.of or 0](iteration, visit.op, j, terms, s)
    return [*rows, entry(iteration, "=", step.tensor, j, s)]


def _through_bias(visit: Visit) -> bool:
    """Return whether a VJP hands a gradient on through the addition of a bias, which is part of no receipt."""
    return visit.op.primitive.kind == "affine" and visit.op.primitive.passes_on and visit.of == 0


def _came_in(iteration: Iteration, first: Visit, j: int, s: int) -> list[ReceiptRow]:
    """Row of the gradient that the first of some VJPs multiplies, if an earlier step has computed that."""
    multiplies = first.op.primitive.kind in ("activation", "dropout")
    return _passed(iteration, first.op, j, 0, s) if multiplies else []


def slope(iteration: Iteration, op: Op, j: int, s: int) -> ReceiptRow:
    """Row of the factor f' of a hidden unit."""
    formula = ACTIVATIONS[op.primitive.name].slope_formula
    names_in = entry_name(op.inputs[0], (j,)), entry_name(op.output, (j,))
    numbers = tuple(float(iteration.tensor(name)[s, j]) for name in (op.inputs[0], op.output))
    label, template = (tidy(formula.format(a, y=b)) for a, b in (names_in, ("{0}", "{1}")))
    return ReceiptRow("*", label, float(iteration.slope(op.block, s)[j]), *_worked(template, numbers))


def _worked(template: str, numbers: tuple[float, ...]) -> tuple[tuple[float, ...], str]:
    """Factors and template of a row, if there are any numbers in it."""
    return (numbers, template) if "{" in template else ((), "")


def normalization_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    op = op_of(step, "normalization")
    output, gains = iteration.graph.by_name[op.output], op.inputs[1]
    made, v = output.gradient, output.saved
    given, gain, values = iteration.tensor(made)[s], iteration.tensor(gains), iteration.tensor(v)[s]
    h = given.astype(float) * gain
    label = f"h[{j}] = {entry_name(made, (j,))} · {entry_name(gains, (j,))}"
    return [
        product("+", label, float(given[j]), float(gain[j])),
        ReceiptRow("-", "mean h", float(h.mean())),
        product("-", f"{entry_name(v, (j,))} · mean(h ⊙ {v})", float(values[j]), float((h * values).mean())),
        _deviation(iteration, op, s),
        entry(iteration, "=", iteration.graph.gradient_of(op.inputs[0]), j, s),
    ]
