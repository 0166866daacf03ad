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
class Law:
    """Seconds of a pass over P parameters: a fixed overhead of its calls, and so much for each parameter."""

    overhead: float
    each: float

    def seconds(self, parameters: float) -> float:
        return self.overhead + self.each * parameters


@dataclass(frozen=True)
class Machine:
    """How long passes take: ``forward`` alone, and ``backprop`` (forward and backward together).

    ``points`` are the measurements behind it; there are none behind the lesson's assumption.
    """

    forward: Law
    backprop: Law
    points: tuple[Point, ...] = ()

    def naive_seconds(self, parameters: float) -> float:
        """One gradient by forward differences: P + 1 forward passes."""
        return (parameters + 1) * self.forward.seconds(parameters)

    def measured(self, parameters: float) -> Point | None:
        """The measurement of a network with exactly so many parameters, if there is one."""
        return next((point for point in self.points if point.parameters == parameters), None)

    def at(self, parameters: float) -> Point:
        """Seconds at a parameter count: as measured, or else by the laws."""
        projected = Point(
            round(parameters), self.forward.seconds(parameters), self.backprop.seconds(parameters)
        )
        return self.measured(parameters) or projected


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
    """What the chart's cursor says at a parameter count: measured where a network of that size was."""
    point = machine.at(parameters)
    return Reading(parameters, point.forward, (parameters + 1) * point.forward, point.backprop)


def fit(points: tuple[Point, ...]) -> Machine:
    """The laws through the measured networks, by least squares of the relative error."""
    sizes = [point.parameters for point in points]
    return Machine(
        _law(sizes, [point.forward for point in points]),
        _law(sizes, [point.backprop for point in points]),
        points,
    )


def _law(sizes: list[int], times: list[float]) -> Law:
    """Overhead c and slope r that minimise the sum of ((c + r P - t) / t)^2; neither is let below zero."""
    ones, slopes = [1 / t for t in times], [p / t for p, t in zip(sizes, times, strict=True)]
    cc, rr = sum(u * u for u in ones), sum(v * v for v in slopes)
    cr = sum(u * v for u, v in zip(ones, slopes, strict=True))
    c, r = sum(ones), sum(slopes)
    det = cc * rr - cr * cr
    overhead, each = (c * rr - r * cr) / det, (r * cc - c * cr) / det
    return Law(overhead, each) if min(overhead, each) > 0 else Law(0.0, r / rr)


def lesson_machine(ratio: float) -> Machine:
    """The lesson's assumption: 1 ms for a forward pass of its 335,114 parameters, and as P grows, as much
    more. ``ratio`` is what forward and backward cost together, in forward passes (2.40 there)."""
    each = 1e-3 / 335_114
    return Machine(Law(0.0, each), Law(0.0, ratio * each))


def decades(low: float, high: float, count: int) -> list[float]:
    """``count`` evenly spaced exponents from ``low`` to ``high``."""
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def log_seconds(seconds: float) -> float:
    return math.log10(max(seconds, 1e-300))
