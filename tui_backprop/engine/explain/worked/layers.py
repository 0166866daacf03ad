"""Receipts of the way forward and of the way back, through the layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.walk import Step
from tui_backprop.engine.explain.worked.rows import Row, entry, largest, product, summands
from tui_backprop.engine.network.names import name_before
from tui_backprop.engine.primitives import ACTIVATIONS
from tui_backprop.engine.training.iteration import Iteration

LONGEST = 24  # characters of a formula in a label; a longer one is there by its name


def input_(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [entry(iteration, "=", "x", j, s)]


def affine(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, name_before(step.layer)
    a, w = iteration.tensor(before)[s], iteration.tensor(f"W{k}")[:, j]
    rows = summands(lambda i: f"{before}[{i}] · W{k}[{i},{j}]", a, w, terms)
    bias = [entry(iteration, "+", f"b{k}", j, s)] if iteration.spec.bias else []
    return [*rows, *bias, entry(iteration, "=", f"z{k}", j, s)]


def normalization(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    return [
        entry(iteration, "+", f"z{k}", j, s),
        Row("-", f"mean z{k}", float(iteration.tensor(f"z{k}")[s].mean(dtype=float))),
        Row("/", f"deviation z{k}", float(iteration.deviation(k)[s, 0])),
        entry(iteration, "*", f"γ{k}", j, s),
        entry(iteration, "+", f"β{k}", j, s),
        entry(iteration, "=", f"n{k}", j, s),
    ]


def activation(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    op, name = iteration.activation(step.layer), iteration.spec.activations[step.layer - 1]
    before, after = entry(iteration, "+", op.inputs[0], j, s), entry(iteration, "=", op.output, j, s)
    formula = tidy(ACTIVATIONS[name].formula.format(before.label))
    formula = formula if len(formula) <= LONGEST else f"{name}({before.label})"
    return [before, Row("=", f"{after.label} = {formula}", after.value)]


def elementwise(sign: str) -> Callable[[Iteration, Step, int, int, int], Sequence[Row]]:
    """The receipt of dropout (a product) and of a residual (a sum): all operands of the formula in a row."""

    def rows(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        (made, _), (first, _), (second, _) = step.operands
        signs = (("+", first), (sign, second), ("=", made))
        return [entry(iteration, each, name, j, s) for each, name in signs]

    return rows


def weight_terms(iteration: Iteration, k: int, i: int, j: int, terms: int) -> list[Row]:
    """What each sample adds to the gradient of W[i, j]."""
    before = name_before(k)
    a, delta = iteration.tensor(before)[:, i], iteration.tensor(f"δ{k}")[:, j]
    at = "" if iteration.batch == 1 else "{n},"  # with more samples, the first index is the sample's
    label = f"{before}[{at}{i}] · δ{k}[{at}{j}]"
    return summands(lambda n: label.format(n=n), a, delta, terms)


def weight_rows(iteration: Iteration, k: int, i: int, j: int, terms: int) -> list[Row]:
    """The gradient of W[i, j] of layer k."""
    rows = weight_terms(iteration, k, i, j, terms)
    if iteration.spec.l2:
        rows.append(
            product("+", f"λ · W{k}[{i},{j}]", iteration.spec.l2, float(iteration.tensor(f"W{k}")[i, j]))
        )
    return [*rows, Row("=", f"dW{k}[{i},{j}]", float(iteration.tensor(f"dW{k}")[i, j]))]


def samples(iteration: Iteration, of: str, j: int, terms: int) -> list[Row]:
    """A sum over the samples of the batch of one unit's derivatives ``of`` (n, units)."""
    at = "" if iteration.batch == 1 else "{n},"
    return largest(lambda n: f"{of}[{at.format(n=n)}{j}]", iteration.tensor(of)[:, j].astype(float), terms)


def _gain_terms(iteration: Iteration, k: int, j: int, terms: int) -> list[Row]:
    at = "" if iteration.batch == 1 else "{n},"
    label = f"dn{k}[{at}{j}] · v{k}[{at}{j}]"
    given, v = iteration.tensor(f"dn{k}")[:, j], iteration.tensor(f"v{k}")[:, j]
    return summands(lambda n: label.format(n=n), given, v, terms)


# What the gradient of a bias, a gain or a shift of layer k adds up, by the kind of tensor.
VECTORS: dict[str, Callable[[Iteration, int, int, int], list[Row]]] = {
    "b": lambda iteration, k, j, terms: samples(iteration, f"δ{k}", j, terms),
    "γ": _gain_terms,
    "β": lambda iteration, k, j, terms: samples(iteration, f"dn{k}", j, terms),
}


def gradient(
    iteration: Iteration, step: Step, tensor: str, index: tuple[int, ...], terms: int
) -> Sequence[Row]:
    """The gradient of one parameter of the step's layer."""
    *row, j = index
    if row:
        return weight_rows(iteration, step.layer, row[0], j, terms)
    return [*VECTORS[tensor[0]](iteration, step.layer, j, terms), entry(iteration, "=", f"d{tensor}", j, 0)]


def from_units(iteration: Iteration, k: int, j: int, terms: int, s: int) -> list[Row]:
    """What a unit of layer k gets back from all units it fed."""
    delta, w = iteration.tensor(f"δ{k + 1}")[s], iteration.tensor(f"W{k + 1}")[j]
    return summands(lambda i: f"δ{k + 1}[{i}] · W{k + 1}[{j},{i}]", delta, w, terms)


def _collected(iteration: Iteration, k: int, j: int, terms: int, s: int) -> list[Row]:
    """The same, and what comes past them where a residual goes around."""
    rows = from_units(iteration, k, j, terms, s)
    past = [entry(iteration, "+", f"da{k + 1}", j, s)] if iteration.spec.adds_input(k + 1) else []
    return [*rows, *past]


def carried(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [*_collected(iteration, step.layer, j, terms, s), entry(iteration, "=", step.tensor, j, s)]


def delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, spec = step.layer, iteration.spec
    there = [entry(iteration, "+", f"da{k}", j, s)] if spec.adds_input(k) else []
    rows = there or _collected(iteration, k, j, terms, s)
    if spec.dropout:
        rows.append(entry(iteration, "*", f"m{k}", j, s))
    return [*rows, slope(iteration, k, j, s), entry(iteration, "=", step.tensor, j, s)]


def slope(iteration: Iteration, k: int, j: int, s: int) -> Row:
    """The factor f' of a hidden unit."""
    op = iteration.activation(k)
    formula = ACTIVATIONS[iteration.spec.activations[k - 1]].slope_formula
    label = tidy(formula.format(f"{op.inputs[0]}[{j}]", y=f"{op.output}[{j}]"))
    return Row("*", label, float(iteration.slope(k, s)[j]))


def normalization_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    given, gain, v = iteration.tensor(f"dn{k}")[s], iteration.tensor(f"γ{k}"), iteration.tensor(f"v{k}")[s]
    h = given.astype(float) * gain
    return [
        product("+", f"h[{j}] = dn{k}[{j}] · γ{k}[{j}]", float(given[j]), float(gain[j])),
        Row("-", "mean h", float(h.mean())),
        product("-", f"v{k}[{j}] · mean(h ⊙ v{k})", float(v[j]), float((h * v).mean())),
        Row("/", f"deviation z{k}", float(iteration.deviation(k)[s, 0])),
        entry(iteration, "=", f"δ{k}", j, s),
    ]
