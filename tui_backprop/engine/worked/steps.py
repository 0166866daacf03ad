"""Receipts of the way forward and of the way back, through the layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.iteration import Pass
from tui_backprop.engine.notation import tidy
from tui_backprop.engine.primitives import ACTIVATIONS
from tui_backprop.engine.trace import Step
from tui_backprop.engine.worked.rows import Row, product, summands
from tui_backprop.engine.worked.updates import selected_input

LONGEST = 24  # characters of a formula in a label; a longer one is there by its name


def _name_before(layer: int) -> str:
    return f"a{layer - 1}" if layer > 1 else "x"


def _entry(taken: Pass, sign: str, name: str, j: int, s: int) -> Row:
    """One sample's entry of an array, or an entry of a vector of parameters."""
    array = taken.tensor(name)
    return Row(sign, f"{name}[{j}]", float(array[j] if array.ndim == 1 else array[s, j]))


def input_(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [_entry(taken, "=", "x", j, s)]


def affine(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, _name_before(step.layer)
    a, w = taken.tensor(before)[s], taken.tensor(f"W{k}")[:, j]
    rows = summands(lambda i: f"{before}[{i}] · W{k}[{i},{j}]", a, w, terms)
    bias = [_entry(taken, "+", f"b{k}", j, s)] if taken.spec.bias else []
    return [*rows, *bias, _entry(taken, "=", f"z{k}", j, s)]


def normalisation(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    return [
        _entry(taken, "+", f"z{k}", j, s),
        Row("-", f"mean z{k}", float(taken.tensor(f"z{k}")[s].mean(dtype=float))),
        Row("/", f"deviation z{k}", float(taken.deviation(k)[s, 0])),
        _entry(taken, "*", f"γ{k}", j, s),
        _entry(taken, "+", f"β{k}", j, s),
        _entry(taken, "=", f"n{k}", j, s),
    ]


def activation(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    op, name = taken.activation(step.layer), taken.spec.activations[step.layer - 1]
    before, after = _entry(taken, "+", op.inputs[0], j, s), _entry(taken, "=", op.output, j, s)
    formula = tidy(ACTIVATIONS[name].formula.format(before.label))
    formula = formula if len(formula) <= LONGEST else f"{name}({before.label})"
    return [before, Row("=", f"{after.label} = {formula}", after.value)]


def elementwise(sign: str) -> Callable[[Pass, Step, int, int, int], Sequence[Row]]:
    """The receipt of dropout (a product) and of a residual (a sum): all operands of the formula in a row."""

    def rows(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
        (made, _), (first, _), (second, _) = step.operands
        signs = (("+", first), (sign, second), ("=", made))
        return [_entry(taken, each, name, j, s) for each, name in signs]

    return rows


def weights(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, _name_before(step.layer)
    i = selected_input(taken, k, j)
    a, delta = taken.tensor(before)[:, i], taken.tensor(f"δ{k}")[:, j]
    at = "" if taken.batch == 1 else "{n},"  # with more samples, the first index is the sample's
    label = f"{before}[{at}{i}] · δ{k}[{at}{j}]"
    rows = summands(lambda n: label.format(n=n), a, delta, terms)
    if taken.spec.l2:
        rows.append(product("+", f"λ · W{k}[{i},{j}]", taken.spec.l2, float(taken.tensor(f"W{k}")[i, j])))
    return [*rows, Row("=", f"dW{k}[{i},{j}]", float(taken.tensor(f"dW{k}")[i, j]))]


def gains(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    at = "" if taken.batch == 1 else "{n},"
    label = f"dn{k}[{at}{j}] · v{k}[{at}{j}]"
    given, v = taken.tensor(f"dn{k}")[:, j], taken.tensor(f"v{k}")[:, j]
    return [*summands(lambda n: label.format(n=n), given, v, terms), _entry(taken, "=", f"dγ{k}", j, s)]


def _collected(taken: Pass, k: int, j: int, terms: int, s: int) -> list[Row]:
    """What a unit of layer k gets back from all units it fed, and past them where a residual goes around."""
    delta, w = taken.tensor(f"δ{k + 1}")[s], taken.tensor(f"W{k + 1}")[j]
    rows = summands(lambda i: f"δ{k + 1}[{i}] · W{k + 1}[{j},{i}]", delta, w, terms)
    past = [_entry(taken, "+", f"da{k + 1}", j, s)] if taken.spec.adds_input(k + 1) else []
    return [*rows, *past]


def carried(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [*_collected(taken, step.layer, j, terms, s), _entry(taken, "=", step.tensor, j, s)]


def delta(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, spec, op = step.layer, taken.spec, taken.activation(step.layer)
    there = [_entry(taken, "+", f"da{k}", j, s)] if spec.adds_input(k) else []
    rows = there or _collected(taken, k, j, terms, s)
    if spec.dropout:
        rows.append(_entry(taken, "*", f"m{k}", j, s))
    slope = ACTIVATIONS[spec.activations[k - 1]].slope_formula
    label = tidy(slope.format(f"{op.inputs[0]}[{j}]", y=f"{op.output}[{j}]"))
    return [*rows, Row("*", label, float(taken.slope(k, s)[j])), _entry(taken, "=", step.tensor, j, s)]


def normalisation_delta(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    given, gain, v = taken.tensor(f"dn{k}")[s], taken.tensor(f"γ{k}"), taken.tensor(f"v{k}")[s]
    h = given.astype(float) * gain
    return [
        product("+", f"h[{j}] = dn{k}[{j}] · γ{k}[{j}]", float(given[j]), float(gain[j])),
        Row("-", "mean h", float(h.mean())),
        product("-", f"v{k}[{j}] · mean(h ⊙ v{k})", float(v[j]), float((h * v).mean())),
        Row("/", f"deviation z{k}", float(taken.deviation(k)[s, 0])),
        _entry(taken, "=", f"δ{k}", j, s),
    ]
