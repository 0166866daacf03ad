"""One unit's arithmetic: the equation of a step with this network's own numbers put in.

A worked example is a receipt: rows that add up (or multiply out) to the value that the pass holds. Long sums
show their largest terms, and what is left as one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.notation import tidy
from tui_backprop.engine.primitives import ACTIVATIONS, Array
from tui_backprop.engine.trace import Step
from tui_backprop.engine.train import Pass


@dataclass(frozen=True)
class Row:
    """One line: ``sign`` is + or - (a summand), * or / (a factor of all above), = (a result)."""

    sign: str
    label: str
    value: float
    factors: tuple[float, ...] = ()  # where the value is a product, what it is a product of


def summands(labels: Callable[[int], str], left: Array, right: Array, most: int) -> list[Row]:
    """Rows for sum(left * right), both shape (m,): the ``most`` largest terms, then the rest as one row."""
    products = left.astype(float) * right.astype(float)
    shown = len(products) if len(products) <= most + 1 else most
    order = np.argsort(-np.abs(products), kind="stable")[:shown]
    rows = [Row("+", labels(i), products[i], (float(left[i]), float(right[i]))) for i in order.tolist()]
    if shown < len(products):
        rest = products.sum() - products[order].sum()
        rows.append(Row("+", f"{len(products) - shown} more terms", float(rest)))
    return rows


def worked(taken: Pass, step: Step, unit: int, terms: int = 3, sample: int = 0) -> tuple[Row, ...]:
    """The receipt of ``step`` for ``unit`` of its layer, for row ``sample`` of the batch.

    ``terms`` is how many terms of a long sum are shown. Raises KeyError for an unknown kind of step.
    """
    return tuple(_RECEIPTS[step.kind](taken, step, unit, terms, sample))


def selected_input(taken: Pass, layer: int, unit: int) -> int:
    """The weight into ``unit`` that a weight step shows: the one with the largest gradient."""
    return int(np.argmax(np.abs(taken.tensor(f"dW{layer}")[:, unit])))


def telling_unit(taken: Pass, layer: int, sample: int = 0) -> int:
    """The unit of a layer with the largest |delta|, the one that answers most for the loss.

    For the input (layer 0), which has no delta, the entry with the largest value.
    """
    of = taken.tensor(f"δ{layer}" if layer else "x")[sample]
    return int(np.argmax(np.abs(np.nan_to_num(of))))


def _name_before(layer: int) -> str:
    return f"a{layer - 1}" if layer > 1 else "x"


def _input(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    return [Row("=", f"x[{j}]", float(taken.tensor("x")[s, j]))]


def _affine(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, _name_before(step.layer)
    a, w = taken.tensor(before)[s], taken.tensor(f"W{k}")[:, j]
    rows = summands(lambda i: f"{before}[{i}] · W{k}[{i},{j}]", a, w, terms)
    if taken.spec.bias:
        rows.append(Row("+", f"b{k}[{j}]", float(taken.tensor(f"b{k}")[j])))
    return [*rows, Row("=", f"z{k}[{j}]", float(taken.tensor(f"z{k}")[s, j]))]


def _activation(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    row = ACTIVATIONS[taken.spec.activation]
    z, a = float(taken.tensor(f"z{k}")[s, j]), float(taken.tensor(f"a{k}")[s, j])
    return [Row("+", f"z{k}[{j}]", z), Row("=", f"a{k}[{j}] = {tidy(row.formula.format(f'z{k}[{j}]'))}", a)]


def _loss(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, mean = step.layer, "L" if taken.batch == 1 else f"L, mean of {taken.batch} samples"
    z, p, t = (taken.tensor(name)[s] for name in (f"z{k}", "p", "t"))
    if taken.spec.loss == "cross-entropy":
        y = int(np.argmax(t))
        with np.errstate(divide="ignore"):
            rows = [Row("+", f"z{k}[{y}], the logit of the target {y}", float(z[y])),
                    Row("=", f"p[{y}] = e^z{k}[{y}] / Σ e^z{k}", float(p[y])),
                    Row("=", f"−ln p[{y}]", float(-np.log(p[y])))]  # fmt: skip
    else:
        shown = "p" if taken.spec.loss == "binary-cross-entropy" else f"z{k}"
        made = float((p if shown == "p" else z)[j])
        rows = [
            Row("+", f"{shown}[{j}]", made),
            Row("-", f"t[{j}]", float(t[j])),
            Row("=", f"{shown}[{j}] − t[{j}]", made - float(t[j])),
        ]
    return [*rows, Row("=", mean, taken.loss)]


def _output_delta(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, t = step.layer, float(taken.tensor("t")[s, j])
    if taken.spec.loss in ("cross-entropy", "binary-cross-entropy"):
        rows = [Row("+", f"p[{j}]", float(taken.tensor("p")[s, j])), Row("-", f"t[{j}]", t)]
    else:
        rows = [Row("+", f"z{k}[{j}]", float(taken.tensor(f"z{k}")[s, j])), Row("-", f"t[{j}]", t)]
    if taken.spec.loss == "mse":
        rows += [Row("*", "2", 2.0), Row("/", "entries", float(taken.tensor("t").size))]
    elif taken.batch > 1:
        rows.append(Row("/", "n samples", float(taken.batch)))
    return [*rows, Row("=", f"δ{k}[{j}]", float(taken.tensor(f"δ{k}")[s, j]))]


def _weights(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k, before = step.layer, _name_before(step.layer)
    i = selected_input(taken, k, j)
    a, delta = taken.tensor(before)[:, i], taken.tensor(f"δ{k}")[:, j]
    term = f"{before}[{i}] · δ{k}[{j}]"
    rows = summands(lambda n: term if taken.batch == 1 else f"sample {n}: {term}", a, delta, terms)
    return [*rows, Row("=", f"dW{k}[{i},{j}]", float(taken.tensor(f"dW{k}")[i, j]))]


def _delta(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    delta, w = taken.tensor(f"δ{k + 1}")[s], taken.tensor(f"W{k + 1}")[j]
    rows = summands(lambda i: f"δ{k + 1}[{i}] · W{k + 1}[{j},{i}]", delta, w, terms)
    slope = tidy(ACTIVATIONS[taken.spec.activation].slope.format(f"z{k}[{j}]", y=f"a{k}[{j}]"))
    return [
        *rows,
        Row("*", slope, float(taken.slope(k)[s, j])),
        Row("=", f"δ{k}[{j}]", float(taken.tensor(f"δ{k}")[s, j])),
    ]


def _update(taken: Pass, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    k = step.layer
    i = selected_input(taken, k, j)
    g = float(taken.tensor(f"dW{k}")[i, j])
    return [
        Row("+", f"W{k}[{i},{j}] before", float(taken.tensor(f"W{k}")[i, j])),
        Row("-", f"α · dW{k}[{i},{j}]", taken.lr * g, (taken.lr, g)),
        Row("=", f"W{k}[{i},{j}] after", float(taken.new[f"W{k}"][i, j])),
    ]


_RECEIPTS: dict[str, Callable[[Pass, Step, int, int, int], Sequence[Row]]] = {
    "input": _input,
    "affine": _affine,
    "activation": _activation,
    "loss": _loss,
    "output delta": _output_delta,
    "weights": _weights,
    "delta": _delta,
    "update": _update,
}
