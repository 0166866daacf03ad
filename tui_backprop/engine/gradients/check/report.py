"""The result of a check: entries, tensors, operations, and the verdict on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Literal

import numpy as np

from tui_backprop.engine.gradients.check.tolerance import Noise, Tolerance
from tui_backprop.engine.gradients.quotient import Quotient
from tui_backprop.engine.primitives import Array, Shape

LEAST_DIVISOR = 1e-300  # keeps a relative error of two zeros from dividing by zero

Artifact = Literal["kink", "bend", ""]
Quotients = tuple[Quotient | None, Quotient | None]


class Verdict(Enum):
    """The verdict on a tensor. The first two are failures.

    NOT_TOLD_APART: at every entry the allowed difference exceeds the derivative, so that a gradient of 0 would pass.
    ZERO: every derivative is 0, but for round-off. ARTIFACT: at every entry the difference quotient is wrong.
    """

    NOT_FINITE = "not finite"
    DIFFERS = "differs"
    ARTIFACT = "artifact"
    ZERO = "zero"
    NOT_TOLD_APART = "not told apart"
    OK = "ok"


@dataclass(frozen=True)
class CheckedEntry:
    """One derivative by both methods: at ``index`` of its tensor (empty: along a direction), the relative error
    |a − n| / max(|a|, |n|), the nominal step h of the difference (the larger one, if both take one; it grows with
    the parameter), and the ``allowed`` difference, ``rtol`` max(|a|, |n|) + ``atol``. ``number`` is its position
    among those of its tensor that were compared."""

    index: tuple[int, ...]
    first: float
    second: float
    error: float
    step: float
    allowed: float
    rtol: float = 0.0
    atol: float = 0.0
    number: int = 0

    @property
    def used(self) -> float:
        """The difference as a share of what is allowed; NaN if a derivative is not finite."""
        return abs(self.first - self.second) / max(self.allowed, LEAST_DIVISOR)


@dataclass(frozen=True)
class TensorCheck:
    """The result for one tensor: the number of entries (or directions) ``checked``, of those that ``failed``, among
    them the ``nonfinite`` ones, and of those at which the difference quotient is wrong and not the derivative, as a
    kink lies within the step or for another reason (``bends``: the loss bends too sharply, or round-off is larger
    than expected). ``worst`` is the worst of the others. ``detectable`` is the least relative error of any
    derivative that would fail; above 1, none would."""

    tensor: str
    shape: Shape
    checked: int
    failed: int
    kinks: int
    bends: int
    worst: CheckedEntry | None
    verdict: Verdict = Verdict.OK
    nonfinite: int = 0
    detectable: float | None = None


@dataclass(frozen=True)
class Fault:
    """A rule that is not the derivative of its operation: ``rule`` is "vjp" or "jvp", ``of`` the input."""

    primitive: str
    block: int
    rule: str
    of: str
    found: float
    right: float


@dataclass(frozen=True)
class Report:
    """``first`` and ``second`` name the methods; ``cosine`` is that between the derivatives compared (None if it is
    undefined: one of them is 0 or not finite). Of the ``operations``, ``overflowed`` could not be checked, as their
    derivatives overflow. ``bad`` names the origin of the first NaN or infinity, if there is one; ``noise`` is that of
    a noisy method. ``quotients`` are the difference quotients at the worst entry of ``closest``, of the methods that
    take one."""

    first: str
    second: str
    dtype: str
    loss: float
    evaluations: int
    cosine: float | None
    tensors: tuple[TensorCheck, ...]
    operations: int
    overflowed: int
    faults: tuple[Fault, ...]
    bad: str = ""
    noise: Noise | None = None
    quotients: Quotients = (None, None)

    @property
    def finite(self) -> bool:
        return not self.bad and isfinite(self.loss) and not self.named(Verdict.NOT_FINITE)

    @property
    def passed(self) -> bool:
        return self.finite and not self.faults and not any(tensor.failed for tensor in self.tensors)

    def named(self, *verdicts: Verdict) -> tuple[str, ...]:
        """Return the names of the tensors with one of these verdicts."""
        return tuple(tensor.tensor for tensor in self.tensors if tensor.verdict in verdicts)

    @property
    def closest(self) -> TensorCheck | None:
        """The tensor whose worst entry is farthest beyond its limit, or closest to it."""
        found = [tensor for tensor in self.tensors if tensor.worst]
        return max(found, key=lambda tensor: _used(tensor.worst), default=None)


def _used(entry: CheckedEntry | None) -> float:
    return -1.0 if entry is None else float(np.nan_to_num(entry.used, nan=np.inf))


@dataclass(frozen=True)
class Pairs:
    """The derivatives of one tensor by both methods, (m,) each, of which those are ``exact`` that no
    losses are subtracted for, and the ``round_off`` of each. ``largest`` is the
    largest derivative of all, compared or not; ``index`` gives the place of number k in the tensor, ``nudge`` the
    part of the flat vector that is moved for it, and by how much, ``quotients`` its difference quotients."""

    tensor: str
    shape: Shape
    first: Array
    second: Array
    exact: tuple[bool, bool]
    round_off: Array
    largest: float
    index: Callable[[int], tuple[int, ...]]
    nudge: Callable[[int], tuple[slice, Array]]
    quotients: Callable[[int], Quotients]


def judged(
    pairs: Pairs, step: float, bounds: Tolerance, artifact: Callable[[CheckedEntry, slice, Array], Artifact]
) -> TensorCheck:
    """Judge a tensor; ``artifact`` finds out why an entry differs although no derivative is wrong."""
    with np.errstate(all="ignore"):
        absolute = bounds.absolute(pairs.largest, pairs.round_off)
        allowed = bounds.allowed(pairs.first, pairs.second, absolute)
        difference = np.abs(pairs.first - pairs.second)
        finite = np.isfinite(pairs.first) & np.isfinite(pairs.second)
        good = finite & (difference <= allowed)
        excess = np.nan_to_num(difference / np.maximum(allowed, LEAST_DIVISOR), nan=np.inf)

    def entry(k: int) -> CheckedEntry:
        first, second = float(pairs.first[k]), float(pairs.second[k])
        error = abs(first - second) / max(abs(first), abs(second), LEAST_DIVISOR)
        bound = float(allowed[k]), bounds.rtol, float(absolute[k])
        return CheckedEntry(pairs.index(k), first, second, error, step, *bound, k)

    apart = np.flatnonzero(~good)
    why = np.array([(finite[k] and artifact(entry(k), *pairs.nudge(k))) or "" for k in apart.tolist()], str)
    failed, kinks, bends = apart[why == ""], (why == "kink").sum(), (why == "bend").sum()
    among = failed if len(failed) else np.flatnonzero(good)
    at = int(among[np.argmax(excess[among])]) if len(among) else None
    worst = None if at is None else entry(at)
    nonfinite = int((~finite).sum())
    return TensorCheck(
        pairs.tensor,
        pairs.shape,
        len(good),
        len(failed),
        int(kinks),
        int(bends),
        worst,
        _verdict(pairs, good, allowed, len(failed), nonfinite),
        nonfinite,
        _detectable(pairs, good, allowed),
    )


def _verdict(pairs: Pairs, good: Array, allowed: Array, failed: int, nonfinite: int) -> Verdict:
    if nonfinite:
        return Verdict.NOT_FINITE
    if failed:
        return Verdict.DIFFERS
    if not good.any():
        return Verdict.ARTIFACT
    sizes = np.abs(np.stack([pairs.first, pairs.second]))[:, good]
    exact = sizes[np.array(pairs.exact)] if any(pairs.exact) else sizes
    if good.all() and (exact <= pairs.round_off).all():
        return Verdict.ZERO
    return Verdict.OK if (allowed[good] < sizes.max(axis=0)).any() else Verdict.NOT_TOLD_APART


def _detectable(pairs: Pairs, good: Array, allowed: Array) -> float | None:
    """Return the least ratio of the allowed difference to the derivative; None if every derivative is 0."""
    sizes = np.maximum(np.abs(pairs.first), np.abs(pairs.second))
    some = good & (sizes > 0)
    with np.errstate(over="ignore"):
        return float((allowed[some] / sizes[some]).min()) if some.any() else None
