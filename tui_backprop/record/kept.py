"""Which arrays of a step are kept whole, and which as statistics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from tui_backprop.support.format import format_bytes

EVERYTHING, STATISTICS = "everything", "statistics"


@dataclass
class Kept:
    """The choice: ``everything``, or what is in some ``modules``; at most ``limit`` bytes of a step."""

    everything: bool
    modules: tuple[str, ...]
    limit: int

    @staticmethod
    def of(keep: str | Sequence[str], limit: int) -> Kept:
        """Return the choice that was asked for. Raises ValueError for another word."""
        if isinstance(keep, str):
            if keep not in (EVERYTHING, STATISTICS):
                raise ValueError(
                    f'keep: "{keep}" is neither "{EVERYTHING}" nor "{STATISTICS}"; for modules, give a list of names'
                )
            return Kept(keep == EVERYTHING, (), limit)
        return Kept(False, tuple(keep), limit)

    @property
    def words(self) -> str:
        if self.everything:
            return EVERYTHING
        return ", ".join(self.modules) or STATISTICS

    def module(self, name: str) -> bool:
        """Return whether arrays of a module are kept."""
        return self.everything or any(name == each or name.startswith(f"{each}.") for each in self.modules)

    def warn(self, number: int, left: int) -> None:
        """Warn that arrays of a step were beyond the limit."""
        warnings.warn(
            f"step {number}: arrays are beyond the limit of {format_bytes(self.limit)}, {left:,} of them are kept as"
            ' statistics; choose keep=["module"], keep="statistics", or a larger limit',
            stacklevel=4,
        )
