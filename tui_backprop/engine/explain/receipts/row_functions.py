"""Receipts of functions of whole rows: an entry of the output, from the entry and what is taken over its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.explain.receipts.rows import ReceiptRow
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.row_functions import RowPrimitive
from tui_backprop.engine.training.iteration import Iteration

Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """The ``entries`` of a row of ``x``, that at the place of an entry of the output, if there is one, called
    ``own``, and the setting of the function."""

    x: str
    entries: Array
    entry: float
    own: str
    setting: float

    @property
    def centered(self) -> Array:
        return np.asarray(self.entries - self.entries.mean())

    @property
    def top(self) -> float:
        return float(self.entries.max())

    @property
    def log_sum(self) -> float:
        """ln Σ e^(x − top)"""
        return float(np.log(np.exp(self.entries - self.top).sum()))


def _standardize(row: Row) -> list[ReceiptRow]:
    deviation = float(np.sqrt((row.centered**2).mean() + row.setting))
    centered = row.entry - float(row.entries.mean())
    label = f"√(variance + {row.setting:g}) of {row.entries.size} entries of {row.x}"
    return [ReceiptRow("+", f"{row.own} − mean", centered), ReceiptRow("/", label, deviation)]


def _divide_by_rms(row: Row) -> list[ReceiptRow]:
    label = f"√(mean square + {row.setting:g}) of {row.entries.size} entries of {row.x}"
    rms = float(np.sqrt((row.entries**2).mean() + row.setting))
    return [ReceiptRow("+", row.own, row.entry), ReceiptRow("/", label, rms)]


def _log_softmax(row: Row) -> list[ReceiptRow]:
    label = f"ln Σ e^{row.x}, {row.entries.size} terms"
    return [ReceiptRow("+", row.own, row.entry), ReceiptRow("-", label, row.log_sum + row.top)]


def _log_sum(row: Row) -> list[ReceiptRow]:
    label = f"ln Σ e^({row.x} − largest), {row.entries.size} terms"
    return [ReceiptRow("+", f"largest of {row.x}", row.top), ReceiptRow("+", label, row.log_sum)]


def _variance(row: Row) -> list[ReceiptRow]:
    count = row.entries.size - row.setting
    return [
        ReceiptRow("+", f"Σ ({row.x} − mean)²", float((row.centered**2).sum())),
        ReceiptRow("/", "entries" + (f" − {row.setting:g}" if row.setting else ""), float(count)),
    ]


def _norm(row: Row) -> list[ReceiptRow]:
    return [ReceiptRow("+", f"√ Σ {row.x}²", float(np.sqrt((row.entries**2).sum())))]


def _product(row: Row) -> list[ReceiptRow]:
    return [ReceiptRow("+", f"Π {row.x}", float(row.entries.prod()))]


RECEIPTS: Mapping[str, Callable[[Row], list[ReceiptRow]]] = {
    "standardize": _standardize,
    "divide by RMS": _divide_by_rms,
    "log-softmax": _log_softmax,
    "log-sum-exp": _log_sum,
    "variance": _variance,
    "norm": _norm,
    "product": _product,
}


def row_receipt(
    iteration: Iteration, op: Op, index: Index, entry: Callable[[str, Index], str], terms: int
) -> list[ReceiptRow]:
    """Return all rows but the result."""
    primitive, name = op.primitive, op.inputs[0]
    assert isinstance(primitive, RowPrimitive)
    x = np.asarray(iteration.tensor(name), float)
    over = {axis % x.ndim for axis in primitive.axes}
    kept = iter(index)
    whole = len(index) == x.ndim
    place = [next(kept) if whole or axis not in over else 0 for axis in range(x.ndim)]
    key = tuple(slice(None) if axis in over else at for axis, at in enumerate(place))
    row = Row(name, x[key], float(x[tuple(place)]), entry(name, tuple(place)), primitive.setting)
    with np.errstate(all="ignore"):
        return RECEIPTS[primitive.name](row)
