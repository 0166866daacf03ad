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


def cosine(first: Array, second: Array) -> float | None:
    """Return the cosine of the angle between two vectors, between -1 and 1, in double precision; None where it is
    undefined, as one of them is 0 or not finite.

    From 1 − |u − v|² / 2 of the unit vectors u and v, which keeps its digits for small angles.
    """
    u, v = _unit(first.astype(float)), _unit(second.astype(float))
    if u is None or v is None:
        return None
    nearer = float(np.sum(np.square(u - v)) / 2), float(np.sum(np.square(u + v)) / 2)
    return 1 - nearer[0] if nearer[0] <= nearer[1] else nearer[1] - 1


def _unit(vector: Array) -> Array | None:
    peak = float(np.abs(vector).max(initial=0.0))
    if not 0 < peak < np.inf:  # nor NaN
        return None
    scaled = vector / peak
    return np.asarray(scaled / np.linalg.norm(scaled))
