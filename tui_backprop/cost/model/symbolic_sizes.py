"""Shapes whose numbers stand for sizes, which need not be whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui_backprop.engine.arrays.types import Shape

Sizes = Mapping[
    int, float
]  # sizes by the numbers of a pattern that stand for them; others are sizes themselves
FloatShape = tuple[float, ...]


def sized(shape: Shape, sizes: Sizes) -> FloatShape:
    """Return the sizes that a shape stands for."""
    return tuple(sizes.get(n, n) for n in shape)


def numbers(shapes: Iterable[Shape], sizes: Sizes) -> float:
    """Return how many numbers arrays of these shapes have."""
    total = 0.0
    for shape in shapes:
        count = 1.0
        for n in sized(shape, sizes):
            count *= n
        total += count
    return total


def repeated(shape: Shape, times: int) -> Shape:
    """Return the shape of so many arrays together."""
    return shape if times == 1 else (times, *shape)
