"""Summaries of an array: its statistics, a smaller version that keeps the largest entries, its distribution.

A screen shows these instead of a large array. They take a while to compute, so a worker does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np

from tui_backprop.engine.arrays.norms import norm_of
from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.arrays.types import Array

SUMMARY_ROWS, SUMMARY_COLUMNS = 64, 256  # largest size that a matrix is reduced to
BINS = 1024  # of a distribution: a drawing merges several into one
TOP_ENTRIES = 96  # entries that are kept as the largest
STATISTICS_BLOCK = 2**15  # entries per block, so that temporary arrays stay in the cache
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Summary:
    """Statistics of all ``size`` entries: ``low``, ``high``, Euclidean ``norm``, ``mean`` and the share of ``zeros``;
    ``bad`` of them are NaN or infinite. ``small`` is the array itself, or a large matrix after pooling."""

    size: int
    low: float
    high: float
    norm: float
    mean: float
    zeros: float
    bad: int
    small: Array


def summarize(array: Array) -> Summary:
    """Summarize an array of any shape with at least one entry."""
    with np.errstate(all="ignore"):
        low, high = float(array.min()), float(array.max())
        bad = 0 if np.isfinite(low) and np.isfinite(high) else array.size - int(np.isfinite(array).sum())
        return Summary(
            size=array.size,
            low=low,
            high=high,
            norm=norm_of(array.ravel(), max(high, -low)),
            mean=float(array.mean()),
            zeros=1 - np.count_nonzero(array) / array.size,
            bad=bad,
            small=pool(array, SUMMARY_ROWS, SUMMARY_COLUMNS) if array.ndim == 2 else array,
        )


def pool(values: Array, rows: int, columns: int) -> Array:
    """Reduce a matrix to at most (rows, columns): of each block the entry of largest magnitude, with its sign.

    NaN takes precedence over any number, so that it stays visible."""
    for axis, most in ((0, rows), (1, columns)):
        n = values.shape[axis]
        if n > most:
            starts = np.arange(most) * n // most
            high = np.maximum.reduceat(values, starts, axis)
            low = np.minimum.reduceat(values, starts, axis)
            with np.errstate(invalid="ignore"):
                values = np.where(high >= -low, high, low)
    return values


@dataclass(frozen=True)
class Bins:
    """Intervals of one ``width``: bin i begins at ``origin`` + (``first`` + i) ``width``. ``counts`` has the number
    of entries in each."""

    origin: float
    width: float
    first: int
    counts: Array

    def places(self, values: Array) -> Array:
        """Return the index of the bin of each value."""
        found: Array = np.floor((values - self.origin) / self.width).astype(np.int64) - self.first
        return found


@dataclass(frozen=True)
class Distribution:
    """The distribution of the entries of an array, and its largest entries.

    ``low``, ``high``, ``mean``, ``spread`` (standard deviation), ``norm`` (Euclidean) and ``quartiles`` (at 25%, 50%
    and 75%, with linear interpolation) are those of the finite ones among ``size`` entries; all are NaN if there is
    none. The ``bins`` leave out the ``zeros`` that are exactly 0; if the range contains 0 or is close to it, 0 is an
    edge. ``top`` has the entries of largest magnitude, infinite ones included, by their index in the flat array."""

    size: int
    zeros: int
    nans: int
    infinite: int
    low: float
    high: float
    mean: float
    spread: float
    norm: float
    quartiles: tuple[float, ...]
    bins: Bins
    top: Top


def largest_entries(array: Array, most: int = TOP_ENTRIES) -> Top:
    """Return the entries of largest magnitude of an array of any shape, by their index in the flat array."""
    top, flat = Top(most), array.reshape(-1)
    with np.errstate(invalid="ignore"):
        for start in range(0, flat.size, STATISTICS_BLOCK):
            top.add(start, flat[start : start + STATISTICS_BLOCK])
    return top


def distribute(array: Array) -> Distribution:
    """Compute the distribution of an array of any shape with at least one entry."""
    flat, top = array.reshape(-1), largest_entries(array)
    finite = np.isfinite(flat)
    values = flat if finite.all() else flat[finite]
    n, nans = len(values), int(np.isnan(flat).sum()) if len(values) < flat.size else 0
    zeros, infinite = n - int(np.count_nonzero(values)), flat.size - n - nans
    if not n:
        none = Bins(0, 0, 0, np.zeros(0, np.int64))
        return Distribution(
            flat.size, 0, nans, infinite, nan, nan, nan, nan, nan, (nan,) * len(QUARTERS), none, top
        )
    low, high = float(values.min()), float(values.max())
    unit = max(abs(low), abs(high)) or 1.0  # all values are divided by it, so that no square is out of range
    grid = _grid(low / unit, high / unit)
    counts = np.zeros(int(grid.places(np.array(high / unit))) + 1, np.int64)
    for piece in _scaled(values, unit):
        counts += np.bincount(grid.places(piece), minlength=len(counts))
    if zeros:
        counts[-grid.first] -= zeros
    quartiles = _quartiles(values, unit, grid, counts, zeros)
    mean, spread, norm = _moments(values, unit, low / unit)
    bins = Bins(grid.origin * unit, grid.width * unit, grid.first, counts)
    return Distribution(flat.size, zeros, nans, infinite, low, high, mean, spread, norm, quartiles, bins, top)


def _scaled(values: Array, unit: float) -> Iterator[Array]:
    """Yield the values block by block, divided by ``unit``, in float64."""
    for start in range(0, len(values), STATISTICS_BLOCK):
        yield values[start : start + STATISTICS_BLOCK].astype(float) / unit


def _grid(low: float, high: float) -> Bins:
    """Return about BINS empty bins for a range."""
    reach = high - low
    origin = 0.0 if low <= 0 <= high or min(abs(low), abs(high)) < reach else low
    empty = Bins(origin, reach / BINS or 1.0, 0, np.zeros(0, np.int64))
    return replace(empty, first=int(empty.places(np.array(low))))


def _moments(values: Array, unit: float, low: float) -> tuple[float, float, float]:
    """Return mean, standard deviation and Euclidean norm; ``low`` is the smallest value in that unit."""
    total = about = squares = 0.0
    for piece in _scaled(values, unit):
        squares += float(np.dot(piece, piece))
        piece -= low  # a sum of squares about it loses no significant digits
        total += float(piece.sum())
        about += float(np.dot(piece, piece))
    mean, mean_square = total / len(values), about / len(values)
    return (low + mean) * unit, sqrt(max(mean_square - mean**2, 0.0)) * unit, sqrt(squares) * unit


def _quartiles(values: Array, unit: float, grid: Bins, counts: Array, zeros: int) -> tuple[float, ...]:
    """Return exact quartiles, sorting only the values that share a bin with one of them; ``counts`` leaves out the
    zeros."""
    at = (len(values) - 1) * np.array(QUARTERS)
    ranks = np.array([np.floor(at), np.ceil(at)]).astype(np.int64)
    negative = int(counts[: -grid.first].sum()) if zeros else 0
    zero = (ranks >= negative) & (ranks < negative + zeros)
    if zero.all():
        return (0.0,) * len(QUARTERS)
    ranks -= np.where(ranks >= negative, zeros, 0)
    ranks[zero] = ranks[~zero][0]  # any existing value
    bins = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.zeros(len(counts), bool)
    wanted[bins] = True
    kept = np.concatenate(
        [piece[wanted[grid.places(piece)] & (piece != 0)] for piece in _scaled(values, unit)]
    )
    ranks -= np.cumsum(np.where(wanted, 0, counts))[bins]  # minus the values in lower bins that were not kept
    kept.partition(np.unique(ranks))
    below, above = np.where(zero, 0.0, kept[ranks])
    return tuple((unit * (below + at % 1 * (above - below))).tolist())
