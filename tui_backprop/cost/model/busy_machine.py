"""Recognize measurements made while the machine was busy with other work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_backprop.cost.model.estimates import Measured

BUSY_SPREAD = 0.3  # distance of median and least, as a share of the time, from which runs were disturbed
QUIET_SHARE = 0.9  # of the wall time in which a core was ours, below which they were


@dataclass(frozen=True)
class Elapsed:
    """Wall time in ``seconds``, and the ``share`` of it in which a core was ours."""

    seconds: float
    share: float = 1.0

    @property
    def busy(self) -> bool:
        """True if other work took a part of the core."""
        return self.share < QUIET_SHARE

    @property
    def on_idle_core(self) -> float:
        """Seconds that it would have been on an idle core: the CPU time, if other work took a part of the core."""
        return self.share * self.seconds if self.busy else self.seconds


def is_busy(spread: float, share: float) -> bool:
    """Return True if other work disturbed the runs: it took the core, or they are spread wide."""
    return share < QUIET_SHARE or spread > BUSY_SPREAD


def busy_points(points: Sequence[Measured]) -> tuple[Measured, ...]:
    """Return the measurements that should be repeated."""
    return tuple(point for point in points if point.busy)


def undisturbed(points: Sequence[Measured]) -> list[Measured]:
    """Leave out busy measurements, unless fewer than two sizes would remain to fit a model to."""
    quiet = [point for point in points if not point.busy]
    return quiet if len({point.parameters for point in quiet}) > 1 else list(points)


def steadier(one: Measured, other: Measured) -> Measured:
    """Return the less disturbed of two measurements of the same pass; the ``other`` if neither is."""
    if one.busy != other.busy:
        return other if one.busy else one
    return one if one.busy and one.share > other.share else other
