"""Receipts of operations that divide by a sum over a row: softmax, normalizations, the loss of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tui_backprop.engine.explain.receipts.row_functions import row_receipt
from tui_backprop.engine.explain.receipts.rows import ReceiptRow, largest, product, worked_sum
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.normalization import NORMALIZATION_EPSILON, RMS_EPSILON
from tui_backprop.engine.primitives.softmax import Softmax
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.engine.training.iteration import Iteration

Index = tuple[int, ...]
Name = Callable[[str, Index], str]  # of an entry
# All rows but the result: (iteration, operation, index of an entry, its name, number of terms shown of a long sum).
Rows = Callable[[Iteration, Op, Index, Name, int], list[ReceiptRow]]


def _row(iteration: Iteration, op: Op, index: Index) -> Array:
    """Return the row of the first input that an entry of the output is made from."""
    return np.asarray(iteration.tensor(op.inputs[0])[index[:-1]], float)


def _softmax(iteration: Iteration, op: Op, index: Index, entry: Name, terms: int) -> list[ReceiptRow]:
    x, name = _row(iteration, op, index), op.inputs[0]
    if _is_causal(op):
        x = x[: index[-2] + 1]
    i, j = index[-2:]
    if j >= len(x):
        return [ReceiptRow("+", f"masked: {j} is after {i}", 0.0)]
    top = float(x.max())
    less = "" if abs(top) < 80 else f"−{top:.3g}"  # subtracted only where e^x would overflow
    shifted = x - top if less else x
    powers, own = np.exp(shifted), float(shifted[j])
    total = f"Σ e^({name}{less}), {len(x)} terms"
    return [
        ReceiptRow("+", f"e^({entry(name, index)}{less})", float(powers[j]), (own,), "e^({0})"),
        ReceiptRow("/", total, float(powers.sum()), *worked_sum(shifted, "e^({0})")),
    ]


def _is_causal(op: Op) -> bool:
    return isinstance(op.primitive, Softmax) and op.primitive.causal


def _rms(iteration: Iteration, op: Op, index: Index, entry: Name, terms: int) -> list[ReceiptRow]:
    x, name = _row(iteration, op, index), op.inputs[0]
    return [
        ReceiptRow("+", entry(name, index), float(x[index[-1]])),
        ReceiptRow("/", f"rms of {len(x)} entries of {name}", float(np.sqrt((x * x).mean() + RMS_EPSILON))),
    ]


def _layer_norm(iteration: Iteration, op: Op, index: Index, entry: Name, terms: int) -> list[ReceiptRow]:
    x, (name, gain, shift) = _row(iteration, op, index), op.inputs
    j = index[-1]
    deviation = float(np.sqrt(x.var() + NORMALIZATION_EPSILON))
    label = f"({entry(name, index)} − mean) / deviation · {entry(gain, (j,))}"
    centred = (float(x[j]) - float(x.mean())) / deviation
    return [
        product("+", label, centred, float(iteration.tensor(gain)[j])),
        ReceiptRow("+", entry(shift, (j,)), float(iteration.tensor(shift)[j])),
    ]


def _token_loss(iteration: Iteration, op: Op, index: Index, entry: Name, terms: int) -> list[ReceiptRow]:
    """Rows of the loss: −ln p of the target at each position that has one."""
    p, t = iteration.graph.by_name[op.output].saved, iteration.tensor(op.inputs[1])
    places = [(*map(int, at), int(t[tuple(at)])) for at in np.argwhere(t != NO_TARGET)]
    chosen = np.array([float(iteration.tensor(p)[at]) for at in places])
    with np.errstate(divide="ignore"):
        each = -np.log(chosen)
    rows = largest(
        lambda i: f"−ln {entry(p, places[i])}", each, terms, lambda i: ("−ln {0}", (float(chosen[i]),))
    )
    return [*rows, ReceiptRow("/", "targets", float(len(places)))]


def _token_loss_vjp(iteration: Iteration, op: Op, index: Index, entry: Name, terms: int) -> list[ReceiptRow]:
    p, target = iteration.graph.by_name[op.output].saved, op.inputs[1]
    t = iteration.tensor(target)
    if t[index[:-1]] == NO_TARGET:
        return [ReceiptRow("+", f"position {index[-2]} has no target", 0.0)]
    hot = float(t[index[:-1]] == index[-1])
    return [
        ReceiptRow("+", entry(p, index), float(iteration.tensor(p)[index])),
        ReceiptRow("-", f"onehot({entry(target, index[:-1])})[{index[-1]}]", hot),
        ReceiptRow("/", "targets", float((t != NO_TARGET).sum())),
    ]


# By the kind of an operation; of a VJP, by input 0.
BACKWARD: Mapping[str, Rows] = {"loss": _token_loss_vjp}
FORWARD: Mapping[str, Rows] = {
    "loss": _token_loss,
    "softmax": _softmax,
    "rms normalization": _rms,
    "normalization": _layer_norm,
    "row function": row_receipt,
}
