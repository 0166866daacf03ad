"""What one gradient costs, by backprop and by perturbing every weight, as a function of the parameter count.

The naive numerical method (forward differences) perturbs one parameter at a time and repeats the whole
forward pass: P + 1 passes. One forward pass itself takes longer the larger P is, so its time grows like P
squared; that of backprop grows like P.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TRAINING_STEPS = 100_000

MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400
UNIVERSE = 13.8e9 * YEAR  # 4.35e17 s

LANDMARKS = (
    ("1 µs", 1e-6), ("1 ms", 1e-3), ("1 s", 1.0), ("1 min", MINUTE), ("1 hour", HOUR), ("1 day", DAY),
    ("1 year", YEAR), ("universe", UNIVERSE),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One network measured: medians in seconds, and the spread of the forward pass (quartiles over median)."""

    parameters: int
    forward: float
    backprop: float
    spread: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Seconds of a pass as a function of P: through what was measured (``knots``, by size), and beyond.

    Between two knots it is a straight line on logarithmic axes. Below the smallest, a pass takes as long as
    the smallest does (its calls' overhead); above the largest, time grows in proportion to P. It never falls
    as P grows: where noise made a larger network faster, the slower time counts.
    """

    knots: tuple[tuple[float, float], ...]

    def seconds(self, parameters: float) -> float:
        slowest = 0.0
        before: tuple[float, float] | None = None
        for size, seconds in self.knots:
            slowest = max(slowest, seconds)
            if parameters <= size:
                if before is None or parameters == size:
                    return slowest
                along = math.log(parameters / before[0]) / math.log(size / before[0])
                return float(before[1] * (slowest / before[1]) ** along)
            before = size, slowest
        assert before is not None
        return before[1] * parameters / before[0]


@dataclass(frozen=True)
class Machine:
    """How long passes take: ``forward`` alone, and ``backprop`` (forward and backward together).

    ``points`` are the measurements behind it; there are none behind the lesson's assumption.
    """

    forward: Curve
    backprop: Curve
    points: tuple[Point, ...] = ()

    def naive_seconds(self, parameters: float) -> float:
        """One gradient by forward differences: P + 1 forward passes."""
        return (parameters + 1) * self.forward.seconds(parameters)

    def measured(self, parameters: float) -> bool:
        """Whether a network with exactly so many parameters was measured."""
        return any(point.parameters == parameters for point in self.points)


@dataclass(frozen=True)
class Reading:
    """Both methods at one parameter count, in seconds; ``runs`` are of 100,000 gradients."""

    parameters: float
    forward: float
    naive: float
    backprop: float

    @property
    def ratio(self) -> float:
        """How many backprops fit into one naive gradient."""
        return self.naive / self.backprop

    @property
    def naive_run(self) -> float:
        return self.naive * TRAINING_STEPS

    @property
    def backprop_run(self) -> float:
        return self.backprop * TRAINING_STEPS


def read(machine: Machine, parameters: float) -> Reading:
    """What the chart's cursor says at a parameter count."""
    return Reading(
        parameters,
        machine.forward.seconds(parameters),
        machine.naive_seconds(parameters),
        machine.backprop.seconds(parameters),
    )


def fit(points: tuple[Point, ...]) -> Machine:
    """The curves through the measured networks (in order of size, at least one)."""
    return Machine(
        Curve(tuple((point.parameters, point.forward) for point in points)),
        Curve(tuple((point.parameters, point.backprop) for point in points)),
        points,
    )


LESSON_SIZE = 335_114


def lesson_machine(ratio: float) -> Machine:
    """The lesson's assumption: 1 ms for a forward pass of its 335,114 parameters, and more or less in
    proportion. ``ratio`` is what forward and backward cost together, in forward passes (2.40 there)."""
    tiny = 1e-3 / LESSON_SIZE
    return Machine(
        Curve(((1, tiny), (LESSON_SIZE, 1e-3))), Curve(((1, ratio * tiny), (LESSON_SIZE, ratio * 1e-3)))
    )


def decades(low: float, high: float, count: int) -> list[float]:
    """``count`` evenly spaced exponents from ``low`` to ``high``."""
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def log_seconds(seconds: float) -> float:
    return math.log10(max(seconds, 1e-300))
