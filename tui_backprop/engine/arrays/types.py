"""Carried out."""

from __future__ import annotations

from math import prod
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


Shape = tuple[int, ...]


def size(shape: Shape) -> int:
    """Number of entries."""
    return prod(shape)
