"""The largest of many numbers that arrive in pieces, and how many entries are equally large."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.arrays.types import Array


def count_largest(values: Array) -> int:
    """Count the entries, of an array of any shape, that are as large in magnitude as the largest one; NaN never
    counts."""
    sizes = np.abs(values)
    return int(np.count_nonzero(sizes == np.fmax.reduce(sizes, axis=None, initial=0)))


class Top:
    """The ``most`` numbers of largest magnitude among all that were added, largest first: ``places`` are their
    indices in the whole array, ``values`` the numbers. Of equal numbers the earlier comes first; zeros and NaN never
    count."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.places = np.empty(0, np.int64)
        self.values = np.empty(0)

    def add(self, start: int, piece: Array, peak: float | None = None) -> None:
        """Add a flat piece of the array that begins at index ``start``; ``peak`` is its largest magnitude, if known.
        A piece without a large enough number costs only the search for one."""
        if not self.most:
            return
        if peak is None:
            peak = float(max(np.fmax.reduce(piece), -np.fmin.reduce(piece)))
        least = abs(float(self.values[-1])) if len(self.values) == self.most else 0.0
        if not peak > least:
            return
        beyond = np.flatnonzero(np.abs(piece) > least)
        if len(beyond) > self.most:
            sizes = np.abs(piece[beyond])
            last = np.partition(sizes, -self.most)[-self.most]
            equal = np.flatnonzero(sizes == last)[: self.most - int((sizes > last).sum())]
            beyond = beyond[np.sort(np.concatenate([np.flatnonzero(sizes > last), equal]))]
        places = np.concatenate([self.places, start + beyond])
        values = np.concatenate([self.values, piece[beyond]])
        order = np.argsort(-np.abs(values), kind="stable")[: self.most]
        self.places, self.values = places[order], values[order]
