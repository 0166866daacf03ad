"""How a model grows: what the larger and smaller ones of its kind have in common, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tui_backprop.support.errors import InputError

if TYPE_CHECKING:
    from tui_backprop.engine.network.model import Model


@dataclass(frozen=True, eq=False)
class Family:
    """All models of one kind, of any size.

    Attributes
    ----------
    model
        The one that has not grown.
    unbounded
        The same, without the bounds of what a user may ask for.
    pattern
        A small model. Each number in the shapes of its graph stands for a size that the others have there.
    sizes
        Takes the factor by which a model has grown; returns what those numbers stand for, which need not be whole.
    settings
        Takes a factor; returns the settings of the model that is grown by it, with whole sizes of at least 1.
    repeats
        The blocks of the pattern that others have in another number, or that are like those: for each the number that
        stands for how many of it there are (1 is itself).
    """

    model: Model
    unbounded: Model
    pattern: Model
    sizes: Callable[[float], Mapping[int, float]]
    settings: Callable[[float], Mapping[str, Any]]
    repeats: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    def grown(self, factor: float) -> Model:
        """Return the model that is grown by a factor, with whole sizes."""
        settings = self.settings(factor)
        with suppress(InputError):
            return self.model.changed(**settings)
        return self.unbounded.changed(**settings)


def scaled(size: int, factor: float) -> int:
    """Return a size times a factor, as the nearest whole number of at least 1."""
    return max(1, round(size * factor))
