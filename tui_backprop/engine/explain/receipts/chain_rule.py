"""Receipts of the derivative of the loss by the chain rule, before it collapses to p − t.

With probabilities p of outputs z, dL/dz[j] = Σ_i dL/dp[i] ∂p[i]/∂z[j]. For softmax the derivative of p[i] by z[j] is
p[i] ([i = j] − p[j]), and the loss reads the probability of the label only; for sigmoid that of p[j] by z[j] is
p[j] (1 − p[j]), and those of all others are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tui_backprop.engine.explain.receipts.losses import output_delta
from tui_backprop.engine.explain.receipts.rows import ReceiptRow, op_of, product
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.losses import Loss
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class Output:
    """The output ``j`` of one sample: probabilities p (outputs,), target t, and n, the samples of the mean."""

    z: str  # the name of the outputs
    probabilities: str
    target: str
    j: int
    p: Array
    t: Array
    n: int

    def probability(self, i: int) -> str:
        return entry_name(self.probabilities, (i,))

    def by_probability(self, i: int) -> str:
        """Name of dL/dp[i]."""
        return f"dL/d{self.probability(i)}"

    def slope(self, i: int) -> str:
        """Name of the derivative of p[i] by z[j]."""
        return f"∂{self.probability(i)}/∂{entry_name(self.z, (self.j,))}"


def loss_by_chain_rule(iteration: Iteration, step: Step, j: int, terms: int, s: int) -> Sequence[ReceiptRow]:
    """Receipt of the delta of one output; in a walk by operations, by the chain rule before it is simplified. That is
    left out where a factor is not finite, as with a probability that is rounded to 0."""
    simplified, op = output_delta(iteration, step, j, terms, s), op_of(step, "loss")
    row = op.primitive
    assert isinstance(row, Loss)
    if step.grain != "operation" or row.over_outputs:
        return simplified
    if not row.probabilities:
        return _half_square(simplified)
    probabilities = iteration.graph.by_name[op.output].saved
    p, t = (np.asarray(iteration.tensor(name)[s], float) for name in (probabilities, op.inputs[1]))
    output = Output(op.inputs[0], probabilities, op.inputs[1], j, p, t, iteration.batch)
    rows = _softmax(output) if row.labels else _sigmoid(output)
    *steps, total = simplified
    difference = f"{probabilities} − {op.inputs[1]}"
    short = f"({difference}) / n" if output.n > 1 else difference
    steps.append(ReceiptRow("=", f"{total.label} = {short}", total.value))
    return [*rows, total, *steps] if all(isfinite(each.value) for each in rows) else simplified


def _softmax(o: Output) -> list[ReceiptRow]:
    """Σ_i dL/dp[i] ∂p[i]/∂z[j]: the loss reads the probability of the label alone."""
    y, hot = int(o.t), float(o.t == o.j)
    by_p, slope = -1 / o.p[y] / o.n, o.p[y] * (hot - o.p[o.j])
    return [
        ReceiptRow("+", "−1", -1.0),
        ReceiptRow("/", o.probability(y), float(o.p[y])),
        *_mean(o),
        ReceiptRow("=", o.by_probability(y), float(by_p)),
        ReceiptRow("+", f"[{y} = {o.j}]", hot),
        ReceiptRow("-", o.probability(o.j), float(o.p[o.j])),
        ReceiptRow("*", o.probability(y), float(o.p[y])),
        ReceiptRow("=", o.slope(y), float(slope)),
        *_sum_over_outputs(o, y, by_p, slope, "dL/dp[i]"),
    ]


def _sigmoid(o: Output) -> list[ReceiptRow]:
    """Σ_i dL/dp[i] ∂p[i]/∂z[j]: an output answers for its own probability alone."""
    p, t, name, target = float(o.p[o.j]), float(o.t[o.j]), o.probability(o.j), entry_name(o.target, (o.j,))
    below, above = np.divide(-t, p), np.divide(1 - t, 1 - p)
    by_p, slope = (below + above) / o.n, p * (1 - p)
    return [
        ReceiptRow("+", f"−{target} / {name}", float(below)),
        ReceiptRow("+", f"(1 − {target}) / (1 − {name})", float(above)),
        *_mean(o),
        ReceiptRow("=", o.by_probability(o.j), float(by_p)),
        ReceiptRow("+", name, p),
        ReceiptRow("*", f"1 − {name}", 1 - p),
        ReceiptRow("=", o.slope(o.j), slope),
        *_sum_over_outputs(o, o.j, by_p, slope, f"∂p[i]/∂{entry_name(o.z, (o.j,))}"),
    ]


def _mean(o: Output) -> list[ReceiptRow]:
    return [ReceiptRow("/", "n samples", float(o.n))] if o.n > 1 else []


def _sum_over_outputs(o: Output, i: int, by_p: float, slope: float, zero: str) -> list[ReceiptRow]:
    """The one term that is not 0, and how many others there are."""
    rows = [product("+", f"{o.by_probability(i)} · {o.slope(i)}", float(by_p), float(slope))]
    others = o.p.size - 1
    return rows + [ReceiptRow("+", f"{others} more: {zero} = 0", 0.0)] * (others > 0)


def _half_square(simplified: Sequence[ReceiptRow]) -> Sequence[ReceiptRow]:
    """The derivative of ½ (z − t)², whose 2 and ½ cancel."""
    output, target, *rest = simplified
    return [output, target, ReceiptRow("*", "2, of the square", 2.0), ReceiptRow("*", "½", 0.5), *rest]
