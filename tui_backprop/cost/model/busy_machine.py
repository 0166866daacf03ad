"""Recognize and leave out measurements made while the machine was busy with other work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_backprop.cost.model.cost_model import Measured

BUSY_SPREAD = 0.3  # distance of the quartiles, as a share of the median, from which runs were disturbed


def is_busy(spread: float) -> bool:
    """Return True if a spread is so wide that other work disturbed the runs."""
    return spread > BUSY_SPREAD


def busy_points(points: Sequence[Measured]) -> tuple[Measured, ...]:
    """Return the measurements that should be repeated."""
    return tuple(point for point in points if point.busy)


def undisturbed(points: list[Measured]) -> list[Measured]:
    """Leave out busy measurements, unless fewer than two sizes would remain to fit a model to."""
    quiet = [point for point in points if not point.busy]
    return quiet if len({point.parameters for point in quiet}) > 1 else points
