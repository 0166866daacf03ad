"""One unit's arithmetic: the equation of a step with this network's own numbers put in.

A worked example is a receipt: rows that add up (or multiply out) to the value that the pass holds. Long sums
show their largest terms, and what is left as one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
    return [
        replace(row, factors=(float(left[i]), float(right[i]))) if i is not None else row
        for i, row in _largest(labels, products, most)
    ]


def largest(labels: Callable[[int], str], values: Array, most: int) -> list[Row]:
    """Rows for sum(values), shape (m,): the ``most`` largest in magnitude, then the rest as one row."""
    return [row for _, row in _largest(labels, values, most)]


def _largest(labels: Callable[[int], str], values: Array, most: int) -> list[tuple[int | None, Row]]:
    shown = len(values) if len(values) <= most + 1 else most
    order = np.argsort(-np.abs(values), kind="stable")[:shown]
    rows: list[tuple[int | None, Row]] = [(i, Row("+", labels(i), float(values[i]))) for i in order.tolist()]
    if shown < len(values):
        rest = float(values.sum() - values[order].sum())
        rows.append((None, Row("+", f"{len(values) - shown} more terms", rest)))
    return rows


def worked(taken: Pass, step: Step, unit: int, terms: int = 3, sample: int = 0) -> tuple[Row, ...]:
    """The receipt of ``step`` for ``unit`` of its layer, for row ``sample`` of the batch.

    ``terms`` is how many terms of a long sum are shown. Raises KeyError for an unknown kind of step.
    """
    with np.errstate(all="ignore"):  # where training has diverged, inf and NaN are what there is to show
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
    k, n = step.layer, taken.batch
    z, p, t = (taken.tensor(name)[s].astype(float) for name in (f"z{k}", "p", "t"))
    with np.errstate(all="ignore"):
        rows, sample = _LOSSES[taken.spec.loss](k, z, p, t, terms)
    if n == 1 and rows[-1].sign == "=":
        return [*rows[:-1], Row("=", f"L = {rows[-1].label}", taken.loss)]
    if n == 1:
        return [*rows, Row("=", "L", taken.loss)]
    return [*rows, Row("=", f"for sample {s}", sample), Row("=", f"L, the mean of {n} samples", taken.loss)]


def _cross_entropy(k: int, z: Array, p: Array, t: Array, terms: int) -> tuple[list[Row], float]:
    y = int(np.argmax(t))
    top = z.max() if z.max() > 80 else 0.0  # only there for logits whose powers no float holds
    less = "" if top == 0 else f"−{top:.3g}"
    exponent = f"z{k}[{y}]{less}"
    rows = [
        Row("+", f"e^({exponent}), {y} is the target", float(np.exp(z[y] - top))),
        Row("/", f"Σ e^(z{k}{less})", float(np.exp(z - top).sum())),
        Row("=", f"p[{y}]", float(p[y])),
        Row("=", f"−ln p[{y}]", float(np.logaddexp.reduce(z) - z[y])),
    ]
    return rows, rows[-1].value


def _binary_cross_entropy(k: int, z: Array, p: Array, t: Array, terms: int) -> tuple[list[Row], float]:
    each = np.logaddexp(0, z) - z * t
    rows = largest(lambda j: f"−ln p[{j}]" if t[j] else f"−ln(1 − p[{j}])", each, terms)
    return rows, float(each.sum())


def _squares(k: int, z: Array, t: Array, terms: int, scale: float, name: str) -> tuple[list[Row], float]:
    each = (z - t) ** 2
    rows = largest(lambda j: f"(z{k}[{j}] − t[{j}])²", each, terms)
    return [*rows, Row("/", name, 1 / scale)], float(each.sum() * scale)


_LOSSES: dict[str, Callable[[int, Array, Array, Array, int], tuple[list[Row], float]]] = {
    "cross-entropy": _cross_entropy,
    "binary-cross-entropy": _binary_cross_entropy,
    "mse": lambda k, z, p, t, terms: _squares(k, z, t, terms, 1 / z.size, "entries of a sample"),
    "half-squares": lambda k, z, p, t, terms: _squares(k, z, t, terms, 0.5, "2"),
}


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
    one = taken.batch == 1  # with more samples, the first index is the sample's
    rows = summands(
        lambda n: f"{before}[{i}] · δ{k}[{j}]" if one else f"{before}[{n},{i}] · δ{k}[{n},{j}]",
        a,
        delta,
        terms,
    )
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
