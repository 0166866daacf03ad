"""What a check finds: entries, tensors, operations; and how large a difference is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array, Shape

MOST_USEFUL_ERROR = 2e-3  # relative errors above this would let wrong gradients pass
LEAST_DIVISOR = 1e-300  # keeps a relative error of two zeros from dividing by zero


Artifact = Literal["kink", "bend", ""]


class UselessStep(ValueError):
    """A step with which a method could tell nothing."""


@dataclass(frozen=True)
class CheckedEntry:
    """One derivative by both methods: at ``index`` of its tensor (empty: along a direction), the relative error
    |a − n| / max(|a|, |n|), the step h of the difference (the larger one, if both take one; before it grows with
    the parameter), and the difference that is ``allowed``."""

    index: tuple[int, ...]
    first: float
    second: float
    error: float
    step: float
    allowed: float


@dataclass(frozen=True)
class TensorCheck:
    """What was found in one tensor: how many entries (or directions) were compared, how many ``failed``, at how
    many the difference is wrong and not the derivative, because a kink lies within the step or for another reason
    (``bends``: the loss bends too sharply, or round-off is larger than expected), and the worst entry that is no
    such."""

    tensor: str
    shape: Shape
    checked: int
    failed: int
    kinks: int
    bends: int
    worst: CheckedEntry | None


@dataclass(frozen=True)
class Fault:
    """A rule that is not the derivative of its operation: ``rule`` is "vjp" or "jvp", ``of`` the input."""

    primitive: str
    layer: int
    rule: str
    of: str
    found: float
    right: float


@dataclass(frozen=True)
class Report:
    """``first`` and ``second`` name the methods; ``cosine`` is that between their gradients, as compared (NaN
    where one of them is zero); of so many ``operations``, those ``overflowed`` whose own derivatives did, so that
    nothing can be said of them; ``bad`` says where the first NaN or infinity came from, if there is one."""

    first: str
    second: str
    dtype: str
    loss: float
    evaluations: int
    cosine: float
    tensors: tuple[TensorCheck, ...]
    operations: int
    overflowed: int
    faults: tuple[Fault, ...]
    bad: str = ""

    @property
    def passed(self) -> bool:
        return not self.bad and not self.faults and not any(tensor.failed for tensor in self.tensors)


@dataclass(frozen=True)
class Tolerance:
    """A difference is allowed up to atol + rtol max(|a|, |n|) + share times the ``largest`` derivative of the
    tensor."""

    rtol: float
    atol: float
    share: float

    def allowed(self, first: Array, second: Array, largest: float) -> Array:
        most = np.maximum(np.abs(first), np.abs(second))
        allowed: Array = self.atol + self.rtol * most + self.share * largest
        return allowed


def tolerance(
    first: str, second: str, problem: Problem, loss: float, gradient: Array, options: Options
) -> Tolerance:
    """What two methods can be expected to agree to. Truncation goes with the derivatives themselves, the
    round-off of a difference with the loss or the largest derivative of all, by the ``gradient`` (P,); a noisy
    method is off by the gradient's norm, less with more probes. Raises UselessStep for a step with which a
    method could tell nothing."""
    eps, truncation, roundoff = float(np.finfo(problem.spec.dtype).eps), 0.0, 0.0
    for name in (first, second):
        row = METHODS[name]
        cut, lost = row.errors(eps, options.step if row.order else None)
        if cut + lost > MOST_USEFUL_ERROR:
            raise UselessStep(
                f"a step of {options.step:g} gives {name} an error of about {min(cut + lost, 1.0):.0%} in"
                f" {problem.spec.dtype}, too large to detect anything; the best step is {row.step(eps):.1e}"
            )
        truncation, roundoff = max(truncation, cut), max(roundoff, lost)
    largest = largest_of(gradient)
    atol = 64 * eps * largest + 10 * roundoff * max(abs(loss), largest)
    if any(METHODS[name].noisy for name in (first, second)):
        atol += 6 * float(np.linalg.norm(_finite(gradient))) / options.probes**0.5
    return Tolerance(100 * (truncation + roundoff), atol, 10 * truncation)


def largest_of(values: Array) -> float:
    """The largest size of a number that is finite."""
    finite = _finite(values)
    return float(max(finite.max(), -finite.min()))


def _finite(values: Array) -> Array:
    with np.errstate(all="ignore"):
        return values if np.isfinite(values.sum()) else np.nan_to_num(values, posinf=0, neginf=0)


@dataclass(frozen=True)
class Pairs:
    """The derivatives of one tensor by both methods, (m,) each. ``largest`` is the largest of all, compared or
    not; ``index`` gives the place of number k in the
    tensor, ``nudge`` which part of the flat vector was moved for it, and by how much."""

    tensor: str
    shape: Shape
    first: Array
    second: Array
    largest: float
    index: Callable[[int], tuple[int, ...]]
    nudge: Callable[[int], tuple[slice, Array]]


def judged(
    pairs: Pairs, step: float, bounds: Tolerance, artifact: Callable[[CheckedEntry, slice, Array], Artifact]
) -> TensorCheck:
    """The tensor's verdict; ``excuse`` tells why an entry differs although no derivative is wrong."""
    with np.errstate(all="ignore"):
        allowed = bounds.allowed(pairs.first, pairs.second, pairs.largest)
        difference = np.abs(pairs.first - pairs.second)
        good = (difference <= allowed) & (allowed < np.inf)  # NaN is no difference that is allowed
        excess = np.nan_to_num(difference / np.maximum(allowed, LEAST_DIVISOR), nan=np.inf)

    def entry(k: int) -> CheckedEntry:
        first, second = float(pairs.first[k]), float(pairs.second[k])
        error = abs(first - second) / max(abs(first), abs(second), LEAST_DIVISOR)
        return CheckedEntry(pairs.index(k), first, second, error, step, float(allowed[k]))

    apart = np.flatnonzero(~good)
    why = np.array([artifact(entry(k), *pairs.nudge(k)) for k in apart.tolist()], str)
    failed, kinks, bends = apart[why == ""], (why == "kink").sum(), (why == "bend").sum()
    among = failed if len(failed) else np.flatnonzero(good)
    worst = entry(int(among[np.argmax(excess[among])])) if len(among) else None
    return TensorCheck(pairs.tensor, pairs.shape, len(good), len(failed), int(kinks), int(bends), worst)
