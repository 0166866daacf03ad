"""Receipts of operations that divide by a sum over a row: softmax, normalizations, the loss of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tui_backprop.engine.explain.receipts.rows import ReceiptRow, product, worked_sum
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.normalization import NORMALIZATION_EPSILON, RMS_EPSILON
from tui_backprop.engine.primitives.softmax import Softmax
from tui_backprop.engine.training.iteration import Iteration

Index = tuple[int, ...]
Name = Callable[[str, Index], str]  # of an entry
Rows = Callable[
    [Iteration, Op, Index, Name], list[ReceiptRow]
]  # all but the result, of an entry of the output


def _row(iteration: Iteration, op: Op, index: Index) -> Array:
    """Return the row of the first input that an entry of the output is made from."""
    return np.asarray(iteration.tensor(op.inputs[0])[index[:-1]], float)


def _softmax(iteration: Iteration, op: Op, index: Index, entry: Name) -> list[ReceiptRow]:
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


def _rms(iteration: Iteration, op: Op, index: Index, entry: Name) -> list[ReceiptRow]:
    x, name = _row(iteration, op, index), op.inputs[0]
    return [
        ReceiptRow("+", entry(name, index), float(x[index[-1]])),
        ReceiptRow("/", f"rms of {len(x)} entries of {name}", float(np.sqrt((x * x).mean() + RMS_EPSILON))),
    ]


def _layer_norm(iteration: Iteration, op: Op, index: Index, entry: Name) -> list[ReceiptRow]:
    x, (name, gain, shift) = _row(iteration, op, index), op.inputs
    j = index[-1]
    deviation = float(np.sqrt(x.var() + NORMALIZATION_EPSILON))
    label = f"({entry(name, index)} − mean) / deviation · {entry(gain, (j,))}"
    centred = (float(x[j]) - float(x.mean())) / deviation
    return [
        product("+", label, centred, float(iteration.tensor(gain)[j])),
        ReceiptRow("+", entry(shift, (j,)), float(iteration.tensor(shift)[j])),
    ]


# By the kind of an operation.
FORWARD: Mapping[str, Rows] = {
    "softmax": _softmax,
    "rms normalization": _rms,
    "normalization": _layer_norm,
}
