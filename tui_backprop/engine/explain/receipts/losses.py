"""Receipts of the loss, of the L2 penalty, and of the delta of the outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tui_backprop.engine.explain.receipts.rows import ReceiptRow, entry, largest, worked_sum
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import penalized
from tui_backprop.engine.network.tensor_names import (
    LOSS,
    PROBABILITIES,
    STRENGTH,
    TARGET,
    delta,
    entry_name,
    partial_loss,
    preactivation,
)
from tui_backprop.engine.primitives import LOSSES, Array
from tui_backprop.engine.primitives.losses import Loss
from tui_backprop.engine.training.iteration import Iteration


def loss(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of one sample's loss, and the mean over the batch."""
    k, n = step.layer, iteration.batch
    read = (preactivation(k), _read(iteration, k), TARGET)
    z, p, t = (np.asarray(iteration.tensor(name)[s], float) for name in read)
    rows, sample = _of_a_sample(LOSSES[iteration.spec.loss], k, z, p, t, terms)
    name, value = step.tensor, float(iteration.tensor(step.tensor))
    if n == 1 and rows[-1].sign == "=":
        return [*rows[:-1], ReceiptRow("=", f"{name} = {rows[-1].label}", value)]
    if n == 1:
        return [*rows, ReceiptRow("=", name, value)]
    mean = (sample, n * value - sample, float(n)), "({0} + {1}) / {2}"
    return [
        *rows,
        ReceiptRow("=", f"for sample {s}", sample),
        ReceiptRow("=", f"{name}, the mean of {n} samples", value, *mean),
    ]


def _read(iteration: Iteration, k: int) -> str:
    """Name of the array in the derivative of the loss: the probabilities, if it computes them, or the outputs."""
    return PROBABILITIES if LOSSES[iteration.spec.loss].probabilities else preactivation(k)


def _cross_entropy(k: int, z: Array, p: Array, t: Array, terms: int) -> tuple[list[ReceiptRow], float]:
    y = int(t)
    top = z.max() if z.max() > 80 else 0.0  # subtracted only where e^z would overflow
    less = "" if top == 0 else f"−{top:.3g}"
    logits = preactivation(k)
    rows = [
        ReceiptRow(
            "+",
            f"e^({entry_name(logits, (y,))}{less}), label {y}",
            float(np.exp(z[y] - top)),
            (float(z[y] - top),),
            "e^({0})",
        ),
        ReceiptRow(
            "/", f"Σ e^({logits}{less})", float(np.exp(z - top).sum()), *worked_sum(z - top, "e^({0})")
        ),
        ReceiptRow("=", entry_name(PROBABILITIES, (y,)), float(p[y])),
        ReceiptRow("=", f"−ln {entry_name(PROBABILITIES, (y,))}", float(np.logaddexp.reduce(z) - z[y])),
    ]
    return rows, rows[-1].value


def _binary_cross_entropy(k: int, z: Array, p: Array, t: Array, terms: int) -> tuple[list[ReceiptRow], float]:
    def label(j: int) -> str:
        p_j = entry_name(PROBABILITIES, (j,))
        return f"−ln {p_j}" if t[j] else f"−ln(1 − {p_j})"

    each = np.logaddexp(0, z) - z * t
    rows = largest(label, each, terms, lambda j: ("−ln {0}" if t[j] else "−ln(1 − {0})", (float(p[j]),)))
    return rows, float(each.sum())


def _squares(
    k: int, z: Array, t: Array, terms: int, scale: float, name: str
) -> tuple[list[ReceiptRow], float]:
    each = (z - t) ** 2
    rows = largest(
        lambda j: f"({entry_name(preactivation(k), (j,))} − {entry_name(TARGET, (j,))})²",
        each,
        terms,
        lambda j: ("({0} − {1})²", (float(z[j]), float(t[j]))),
    )
    return [*rows, ReceiptRow("/", name, 1 / scale)], float(each.sum() * scale)


def _of_a_sample(
    row: Loss, k: int, z: Array, p: Array, t: Array, terms: int
) -> tuple[list[ReceiptRow], float]:
    """Receipt of one sample's loss, and its value."""
    if row.labels:
        return _cross_entropy(k, z, p, t, terms)
    if row.probabilities:
        return _binary_cross_entropy(k, z, p, t, terms)
    if row.over_outputs:
        return _squares(k, z, t, terms, 1 / z.size, "entries of a sample")
    return _squares(k, z, t, terms, 0.5, "2")


def penalties(iteration: Iteration) -> Array:
    """Return ½ λ Σ W² of each penalized tensor, in the order of ``penalized``."""
    norms = [iteration.summary(name).norm for name in penalized(iteration.spec)]
    return np.array([iteration.spec.l2 / 2 * norm * norm for norm in norms])


def penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Return the loss of the outputs, and what each penalized tensor adds to it."""
    names = penalized(iteration.spec)
    return [
        ReceiptRow("+", partial_loss(0), float(iteration.tensor(partial_loss(0)))),
        *largest(
            lambda i: f"½ {STRENGTH} Σ {names[i]}²",
            penalties(iteration),
            terms,
            lambda i: (
                "½ × {0} × {1}",
                (iteration.spec.l2, iteration.summary(names[i]).norm * iteration.summary(names[i]).norm),
            ),
        ),
        ReceiptRow("=", LOSS, iteration.loss),
    ]


def output_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of the delta of one output."""
    k, t, row = step.layer, iteration.tensor(TARGET), LOSSES[iteration.spec.loss]
    if row.labels:
        target = ReceiptRow("-", f"onehot({t[s]})[{j}]", float(t[s] == j))
    else:
        target = ReceiptRow("-", entry_name(TARGET, (j,)), float(t[s, j]))
    of = _read(iteration, k)
    rows = [ReceiptRow("+", entry_name(of, (j,)), float(iteration.tensor(of)[s, j])), target]
    if row.over_outputs:
        rows += [ReceiptRow("*", "2", 2.0), ReceiptRow("/", "entries", float(t.size))]
    elif iteration.batch > 1:
        rows.append(ReceiptRow("/", "n samples", float(iteration.batch)))
    return [*rows, entry(iteration, "=", delta(k), j, s)]
