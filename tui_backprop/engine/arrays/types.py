"""Types of arrays and shapes; and a deferred numpy for modules that are imported before the first paint.

The tables of activations, losses, initializers and update rules hold names and traits, which the command line needs
before numpy is loaded, beside the functions that compute with numpy. They import ``np`` from here."""

from __future__ import annotations

from importlib import import_module
from math import prod
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

    class _Deferred(ModuleType):
        """A module that is imported when one of its names is first used."""

        def __getattr__(self, name: str) -> object:
            vars(self).update(vars(import_module(self.__name__)))
            self.__class__ = ModuleType
            return getattr(self, name)

    np = _Deferred("numpy")

Shape = tuple[int, ...]


def size(shape: Shape) -> int:
    """Number of entries."""
    return prod(shape)


def index_at(place: int, shape: Shape) -> tuple[int, ...]:
    """Return the index of an entry from its position in the flattened array."""
    return tuple(int(i) for i in np.unravel_index(place, shape))


def place_in(index: tuple[int, ...], shape: Shape) -> int:
    """Return the position of an entry in the flattened array."""
    place = 0
    for i, length in zip(index, shape, strict=True):
        place = place * length + i
    return place


def in_shape(index: tuple[int, ...], shape: Shape) -> bool:
    """Return True if an index is within a shape; negative indices are not."""
    return len(index) == len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=True))


__all__ = ["Array", "Shape", "in_shape", "index_at", "np", "place_in", "size"]
