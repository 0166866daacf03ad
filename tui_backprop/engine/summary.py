"""An array in brief: its statistics, and a small version of it that keeps the largest entries.

Both are what a screen can show of it, and for a large array they take a while: a worker computes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.primitives import Array

ROWS, COLUMNS = 64, 256  # the most that is kept of a matrix


@dataclass(frozen=True)
class Summary:
    """``low``, ``high``, ``norm`` (Euclidean), ``mean`` and the share of ``zeros`` of all ``size`` entries;
    ``bad`` of them are NaN or infinite. ``small`` is the array itself, or pooled where it is a large matrix."""

    size: int
    low: float
    high: float
    norm: float
    mean: float
    zeros: float
    bad: int
    small: Array


def summarise(array: Array) -> Summary:
    """Summarise an array of any shape with at least one entry."""
    with np.errstate(all="ignore"):
        low, high, norm = float(array.min()), float(array.max()), _norm(array.ravel())
        bad = 0 if np.isfinite(low) and np.isfinite(high) else array.size - int(np.isfinite(array).sum())
        return Summary(
            size=array.size,
            low=low,
            high=high,
            norm=norm,
            mean=float(array.mean()),
            zeros=1 - np.count_nonzero(array) / array.size,
            bad=bad,
            small=pool(array, ROWS, COLUMNS) if array.ndim == 2 else array,
        )


def _norm(values: Array) -> float:
    """The Euclidean norm, also where squares overflow the array's precision."""
    norm = float(np.linalg.norm(values))
    return norm if np.isfinite(norm) else float(np.linalg.norm(values.astype(float)))


def pool(values: Array, rows: int, columns: int) -> Array:
    """A matrix reduced to at most (rows, columns): of each block the entry largest in magnitude, signed.

    NaN wins over any number, so that it cannot hide.
    """
    for axis, most in ((0, rows), (1, columns)):
        n = values.shape[axis]
        if n > most:
            starts = np.arange(most) * n // most
            high = np.maximum.reduceat(values, starts, axis)
            low = np.minimum.reduceat(values, starts, axis)
            with np.errstate(invalid="ignore"):
                values = np.where(high >= -low, high, low)
    return values
