"""Receipts of the loss, of the L2 penalty, and of the delta of the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tui_backprop.engine.explain.receipts.rows import ReceiptRow, entry, largest, op_of, worked_sum
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.losses import Loss
from tui_backprop.engine.training.iteration import Iteration


def loss(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of one sample's loss, and the mean over the batch."""
    n, op = iteration.batch, op_of(step, "loss")
    read = Names(op.inputs[0], _read(iteration, op), op.inputs[1])
    z, p, t = (np.asarray(iteration.tensor(name)[s], float) for name in read)
    rows, sample = _of_a_sample(read, _row(op), z, p, t, terms)
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


class Names(NamedTuple):
    """The names of what a loss reads: outputs, probabilities (the outputs, if it computes none), and target."""

    z: str
    p: str
    t: str


def _row(op: Op) -> Loss:
    row = op.primitive
    assert isinstance(row, Loss)
    return row


def _read(iteration: Iteration, op: Op) -> str:
    """Name of the array in the derivative of the loss: the probabilities, if it computes them, or the outputs."""
    return iteration.graph.by_name[op.output].saved or op.inputs[0]


def _cross_entropy(names: Names, z: Array, p: Array, t: Array, terms: int) -> tuple[list[ReceiptRow], float]:
    y = int(t)
    top = z.max() if z.max() > 80 else 0.0  # subtracted only where e^z would overflow
    less = "" if top == 0 else f"−{top:.3g}"
    logits = names.z
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
        ReceiptRow("=", entry_name(names.p, (y,)), float(p[y])),
        ReceiptRow("=", f"−ln {entry_name(names.p, (y,))}", float(np.logaddexp.reduce(z) - z[y])),
    ]
    return rows, rows[-1].value


def _binary_cross_entropy(
    names: Names, z: Array, p: Array, t: Array, terms: int
) -> tuple[list[ReceiptRow], float]:
    def label(j: int) -> str:
        p_j = entry_name(names.p, (j,))
        return f"−ln {p_j}" if t[j] else f"−ln(1 − {p_j})"

    each = np.logaddexp(0, z) - z * t
    rows = largest(label, each, terms, lambda j: ("−ln {0}" if t[j] else "−ln(1 − {0})", (float(p[j]),)))
    return rows, float(each.sum())


def _squares(
    names: Names, z: Array, t: Array, terms: int, scale: float, name: str
) -> tuple[list[ReceiptRow], float]:
    each = (z - t) ** 2
    rows = largest(
        lambda j: f"({entry_name(names.z, (j,))} − {entry_name(names.t, (j,))})²",
        each,
        terms,
        lambda j: ("({0} − {1})²", (float(z[j]), float(t[j]))),
    )
    return [*rows, ReceiptRow("/", name, 1 / scale)], float(each.sum() * scale)


def _of_a_sample(
    names: Names, row: Loss, z: Array, p: Array, t: Array, terms: int
) -> tuple[list[ReceiptRow], float]:
    """Receipt of one sample's loss, and its value."""
    if row.labels:
        return _cross_entropy(names, z, p, t, terms)
    if row.probabilities:
        return _binary_cross_entropy(names, z, p, t, terms)
    if row.over_outputs:
        return _squares(names, z, t, terms, 1 / z.size, "entries of a sample")
    return _squares(names, z, t, terms, 0.5, "2")


def penalties(iteration: Iteration) -> Array:
    """Return ½ λ Σ W² of each penalized tensor, in the order of ``penalized``."""
    strengths = iteration.graph.penalties.items()
    norms = [(factor, iteration.summary(name).norm) for name, factor in strengths]
    return np.array([factor / 2 * norm * norm for factor, norm in norms])


def penalty(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Return the loss of the outputs, and what each penalized tensor adds to it."""
    penalized, op = iteration.graph.penalized, step.visits[0].op
    before, strength, factors = op.inputs[0], op.inputs[2], [*iteration.graph.penalties.values()]
    norms = [iteration.summary(name).norm for name in penalized]
    return [
        ReceiptRow("+", before, float(iteration.tensor(before))),
        *largest(
            lambda i: f"½ {strength} Σ {penalized[i]}²",
            penalties(iteration),
            terms,
            lambda i: ("½ × {0} × {1}", (factors[i], norms[i] * norms[i])),
        ),
        ReceiptRow("=", step.tensor, iteration.loss),
    ]


def output_delta(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of the delta of one output."""
    op = op_of(step, "loss")
    row, t, of = _row(op), iteration.tensor(op.inputs[1]), _read(iteration, op)
    if row.labels:
        target = ReceiptRow("-", f"onehot({t[s]})[{j}]", float(t[s] == j))
    else:
        target = ReceiptRow("-", entry_name(op.inputs[1], (j,)), float(t[s, j]))
    rows = [ReceiptRow("+", entry_name(of, (j,)), float(iteration.tensor(of)[s, j])), target]
    if row.over_outputs:
        rows += [ReceiptRow("*", "2", 2.0), ReceiptRow("/", "entries", float(t.size))]
    elif iteration.batch > 1:
        rows.append(ReceiptRow("/", "n samples", float(iteration.batch)))
    return [*rows, entry(iteration, "=", iteration.graph.gradient_of(op.inputs[0]), j, s)]
