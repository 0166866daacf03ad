"""What a check finds: entries, tensors, operations; and how large a difference is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array, Shape

TELLING = 2e-3  # relative errors above this would let wrong gradients pass
TINY = 1e-300  # keeps a relative error of two zeros from dividing by zero


@dataclass(frozen=True)
class Entry:
    """One derivative by both methods: at ``index`` of its tensor (empty: along a direction), the relative error
    |a − n| / max(|a|, |n|), the step h of the second method, and the difference that is ``allowed``."""

    index: tuple[int, ...]
    first: float
    second: float
    error: float
    step: float
    allowed: float


@dataclass(frozen=True)
class TensorCheck:
    """What was found in one tensor: how many entries (or directions) were compared, how many ``failed``, how
    many differ only because a kink lies within the step, and the worst entry that is no such."""

    tensor: str
    shape: Shape
    checked: int
    failed: int
    kinks: int
    worst: Entry | None


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
    where one of them is zero); ``bad`` says where the first NaN or infinity came from, if there is one."""

    first: str
    second: str
    dtype: str
    loss: float
    evaluations: int
    cosine: float
    tensors: tuple[TensorCheck, ...]
    operations: int
    faults: tuple[Fault, ...]
    bad: str = ""

    @property
    def passed(self) -> bool:
        return not self.bad and not self.faults and not any(tensor.failed for tensor in self.tensors)


@dataclass(frozen=True)
class Tolerance:
    """A difference is allowed up to atol + rtol max(|a|, |n|)."""

    rtol: float
    atol: float

    def allowed(self, first: float, second: float) -> float:
        return self.atol + self.rtol * max(abs(first), abs(second))


def tolerance(
    first: str, second: str, problem: Problem, loss: float, gradient: Array, options: Options
) -> Tolerance:
    """What two methods can be expected to agree to. Round-off of a difference goes with the loss, truncation
    with the largest entry of the ``gradient`` (P,); a noisy method is off by the gradient's norm, less with
    more probes. Raises ValueError for a step with which a method could tell nothing."""
    eps, error = float(np.finfo(problem.spec.dtype).eps), 0.0
    for name in (first, second):
        row = METHODS[name]
        left = row.error(eps, options.step if row.order else None)
        if left > TELLING:
            raise ValueError(
                f"a step of {options.step:g} leaves {name} an error of about {min(left, 1.0):.0%} in"
                f" {problem.spec.dtype}, so it could tell nothing; the best one is {row.step(eps):.1e}"
            )
        error = max(error, left)
    finite = np.where(np.isfinite(gradient), gradient, 0).astype(float)
    atol = 10 * error * max(abs(loss), float(np.abs(finite).max()))
    if any(METHODS[name].noisy for name in (first, second)):
        atol += 6 * float(np.linalg.norm(finite)) / options.probes**0.5
    return Tolerance(100 * error, atol)


def entry_of(index: tuple[object, ...], first: float, second: float, step: float, bounds: Tolerance) -> Entry:
    larger = max(abs(first), abs(second))
    error = abs(first - second) / max(larger, TINY)
    where = tuple(int(i) for i in index)  # type: ignore[call-overload]
    return Entry(where, float(first), float(second), float(error), step, bounds.allowed(first, second))


def judged(
    name: str,
    shape: Shape,
    pairs: Sequence[tuple[Entry, Callable[[], Array]]],
    crosses: Callable[[Entry, Array], bool],
) -> tuple[TensorCheck, Array]:
    """The tensor's verdict, and the values that were compared, shape (entries, 2). Each entry comes with what
    makes its nudge (P,); ``crosses`` tells whether a kink within that explains the difference."""
    good, failed, kinks = [], [], 0
    for entry, nudge in pairs:
        if abs(entry.first - entry.second) <= entry.allowed < float("inf"):
            good.append(entry)
        elif entry.step and crosses(entry, nudge()):
            kinks += 1
        else:
            failed.append(entry)  # NaN ends here: it is no difference that is allowed
    worst = max(failed or good, key=_excess, default=None)
    values = np.array([(entry.first, entry.second) for entry, _ in pairs]).reshape(-1, 2)
    return TensorCheck(name, shape, len(pairs), len(failed), kinks, worst), values


def _excess(entry: Entry) -> float:
    difference = abs(entry.first - entry.second)
    return difference / max(entry.allowed, TINY) if difference == difference else float("inf")
