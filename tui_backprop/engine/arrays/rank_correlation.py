"""Spearman's rank correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tui_backprop.engine.arrays.types import Array


def ranks(values: Sequence[float] | Array) -> Array:
    """Return the ranks of ``values`` (n,), 0 for the smallest; equal values share the mean of their ranks."""
    _, places, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[places])


def rank_correlation(a: Sequence[float] | Array, b: Sequence[float] | Array) -> float:
    """Return Spearman's ρ of two sequences of n numbers: Pearson's correlation of their ranks, −1 to 1; NaN where the
    numbers of one of them are all equal."""
    x, y = (ranks(values) - (len(values) - 1) / 2 for values in (a, b))
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else float("nan")
