"""Values of a cost model: a measured pass, an estimate, and how well one predicts the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.cost.model.busy_machine import is_busy
from tui_backprop.cost.model.network_shape import CostShape


@dataclass(frozen=True)
class Measured:
    """Passes of one kind, measured: the least, a robust minimum and the median in seconds, of so many ``runs``, and
    the ``share`` of that time in which a core was ours."""

    kind: str
    shape: CostShape
    low: float
    middle: float
    high: float
    runs: int
    share: float = 1.0

    @property
    def parameters(self) -> float:
        return round(self.shape.parameters)

    @property
    def spread(self) -> float:
        """Distance of median and least, against the time."""
        return (self.high - self.low) / self.middle

    @property
    def busy(self) -> bool:
        """True if the machine seems to have been busy with something else."""
        return is_busy(self.spread, self.share)


@dataclass(frozen=True)
class Estimate:
    """Seconds: the most likely value and a 95% interval. ``measured`` if they were measured, not projected; ``busy``
    if the machine was, with the ``share`` of a core that was ours."""

    low: float
    middle: float
    high: float
    measured: bool = False
    share: float = 1.0
    busy: bool = False

    def times(self, factor: float) -> Estimate:
        """Return a multiple, which is projected."""
        return replace(
            self, low=factor * self.low, middle=factor * self.middle, high=factor * self.high, measured=False
        )

    def at_least(self, other: Estimate) -> Estimate:
        """Raise each value to at least that of another estimate."""
        return replace(
            self,
            low=max(self.low, other.low),
            middle=max(self.middle, other.middle),
            high=max(self.high, other.high),
        )


@dataclass(frozen=True)
class LeftOut:
    """A measured point, and what a cost model fitted without it predicts for it."""

    point: Measured
    predicted: Estimate

    @property
    def off(self) -> float:
        """Factor by which the prediction was wrong, at least 1."""
        ratio = self.predicted.middle / self.point.middle
        return max(ratio, 1 / ratio)

    @property
    def inside(self) -> bool:
        return self.predicted.low <= self.point.middle <= self.predicted.high
