"""Receipts of the loss, of the penalty on large weights, and of the first delta."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tui_backprop.engine.explain.walk import Step
from tui_backprop.engine.explain.worked.rows import Row, largest
from tui_backprop.engine.primitives import LOSSES, Array, fields
from tui_backprop.engine.training.iteration import Iteration


def loss(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    """One sample's loss, and the mean over the batch."""
    k, n = step.layer, iteration.batch
    z, p, t = (np.asarray(iteration.tensor(name)[s], float) for name in (f"z{k}", _read(iteration, k), "t"))
    rows, sample = _OF_A_SAMPLE[iteration.spec.loss](k, z, p, t, terms)
    name, value = step.tensor, float(iteration.tensor(step.tensor))
    if n == 1 and rows[-1].sign == "=":
        return [*rows[:-1], Row("=", f"{name} = {rows[-1].label}", value)]
    if n == 1:
        return [*rows, Row("=", name, value)]
    return [*rows, Row("=", f"for sample {s}", sample), Row("=", f"{name}, the mean of {n} samples", value)]


def _read(iteration: Iteration, k: int) -> str:
    """What the derivative reads: the probabilities, if the loss makes some, or the outputs."""
    return "p" if "v" in fields(LOSSES[iteration.spec.loss].formula) else f"z{k}"


def _cross_entropy(k: int, z: Array, p: Array, t: Array, terms: int) -> tuple[list[Row], float]:
    y = int(t)
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


_OF_A_SAMPLE: dict[str, Callable[[int, Array, Array, Array, int], tuple[list[Row], float]]] = {
    "cross-entropy": _cross_entropy,
    "binary-cross-entropy": _binary_cross_entropy,
    "mse": lambda k, z, p, t, terms: _squares(k, z, t, terms, 1 / z.size, "entries of a sample"),
    "half-squares": lambda k, z, p, t, terms: _squares(k, z, t, terms, 0.5, "2"),
}


def penalties(iteration: Iteration) -> Array:
    """½ λ Σ W² of each layer, first layer first."""
    norms = [iteration.summary(f"W{k}").norm for k in range(1, iteration.spec.depth + 1)]
    return np.array([iteration.spec.l2 / 2 * norm * norm for norm in norms])


def penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    """The loss of the outputs, and what the weights of each layer add to it."""
    return [
        Row("+", "L0", float(iteration.tensor("L0"))),
        *largest(lambda i: f"½ λ Σ W{i + 1}²", penalties(iteration), terms),
        Row("=", "L", iteration.loss),
    ]


def output_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[Row]:
    """What the loss asks of one output."""
    k, t, name = step.layer, iteration.tensor("t"), iteration.spec.loss
    if LOSSES[name].labels:
        target = Row("-", f"onehot({t[s]})[{j}]", float(t[s] == j))
    else:
        target = Row("-", f"t[{j}]", float(t[s, j]))
    of = _read(iteration, k)
    rows = [Row("+", f"{of}[{j}]", float(iteration.tensor(of)[s, j])), target]
    if name == "mse":
        rows += [Row("*", "2", 2.0), Row("/", "entries", float(t.size))]
    elif iteration.batch > 1:
        rows.append(Row("/", "n samples", float(iteration.batch)))
    return [*rows, Row("=", f"δ{k}[{j}]", float(iteration.tensor(f"δ{k}")[s, j]))]
