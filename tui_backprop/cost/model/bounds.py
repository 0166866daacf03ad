"""Bounds that no pass can break: a measurement that breaks one is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_backprop.cost.model.estimates import Measured

NOISE = 0.7  # of a forward pass, that another pass takes at least which is as long on a small network


@dataclass(frozen=True)
class Bound:
    """A pass of ``kind`` takes at least so many ``forward`` passes; ``broken`` in words."""

    kind: str
    forward: float
    broken: str


BOUNDS = (
    Bound("backprop", 1.0, "a whole step took less time than its forward pass"),
    Bound("naive", NOISE, "a perturbed pass took less time than a forward pass"),
    Bound("central", NOISE, "a perturbed pass took less time than a forward pass"),
    Bound("spsa", NOISE, "a pass of SPSA took less time than a forward pass"),
    Bound("complex", NOISE, "a complex pass took less time than a forward pass"),
    Bound("jvp", NOISE, "a JVP took less time than a forward pass"),
)


@dataclass(frozen=True)
class Broken:
    """A bound that two measurements of one network break together."""

    bound: Bound
    points: tuple[Measured, Measured]


@dataclass(frozen=True)
class Refusal:
    """A measurement that is not used, and why, in words."""

    point: Measured
    why: str


def broken(points: Iterable[Measured]) -> list[Broken]:
    """Return each bound that measurements break."""
    found = {(point.kind, point.shape): point for point in points}
    pairs = []
    for (kind, shape), forward in found.items():
        if kind != "forward":
            continue
        for bound in BOUNDS:
            other = found.get((bound.kind, shape))
            if other is not None and other.middle < bound.forward * forward.middle:
                pairs.append(Broken(bound, (forward, other)))
    return pairs


def refusals(pairs: Sequence[Broken], agrees: Callable[[Measured], bool]) -> tuple[Refusal, ...]:
    """Return the measurements to refuse: of each pair the one that does not agree with those of other networks; both
    if neither does, or both do."""
    found: dict[int, Refusal] = {}
    for pair in pairs:
        sure = [point for point in pair.points if agrees(point)]
        for point in pair.points:
            if len(sure) != 1 or point not in sure:
                found.setdefault(id(point), Refusal(point, pair.bound.broken))
    return tuple(found.values())
