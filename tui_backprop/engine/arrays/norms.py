"""Euclidean norms of arrays whose squares may overflow or underflow."""

from __future__ import annotations

from math import hypot, isfinite

import numpy as np

from tui_backprop.engine.arrays.types import Array

SAFE = (1e-12, 1e12)  # magnitudes whose squares neither underflow nor overflow in single precision
NORM_BLOCK = 2**18  # entries per block, so that no temporary array of the full size is needed


def safe(peak: float) -> bool:
    """Return True if numbers up to this magnitude can be squared unscaled."""
    return SAFE[0] < peak < SAFE[1]


def norm_of(values: Array, peak: float) -> float:
    """Return the norm of a flat array with the largest magnitude ``peak``, in the array's own precision where that is
    safe."""
    if peak == 0 or not isfinite(peak) or safe(peak):
        return float(np.linalg.norm(values))
    return peak * float(np.linalg.norm(values.astype(float) / peak))


def norm(values: Array, minus: Array | None = None) -> float:
    """Return the norm of an array of any shape, or of its difference from another, in double precision, block by
    block.

    Each block is scaled by its largest entry: the squares of a vanished gradient would all be 0, those of an exploded
    gradient infinite."""
    whole, flat, other = 0.0, values.ravel(), None if minus is None else minus.ravel()
    for start in range(0, len(flat), NORM_BLOCK):
        part = flat[start : start + NORM_BLOCK].astype(float)
        with np.errstate(all="ignore"):
            if other is not None:
                part -= other[start : start + NORM_BLOCK]
            largest = float(np.abs(part).max())
            if not isfinite(largest):
                return largest
            if largest:
                whole = hypot(whole, largest * float(np.linalg.norm(part / largest)))
    return whole
