"""How large a difference between two methods is allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.gradients.check.roundoff import RoundOff
from tui_backprop.engine.gradients.methods import METHODS, Method, Options, Problem
from tui_backprop.engine.primitives import Array

TRUNCATION_FACTOR = (
    100.0  # times the truncation of a derivative of size 1: higher derivatives may be as much larger
)
SHARE_FACTOR = 10.0  # times that truncation, of the largest derivative of the tensor
STANDARD_ERRORS = 6.0  # of a noisy method


@dataclass(frozen=True)
class Tolerance:
    """A difference is allowed up to atol + rtol max(|a|, |n|) + share · largest + round-off: ``largest`` is the
    largest derivative of the tensor, and the round-off that of the derivative itself, added if ``rounds``."""

    rtol: float
    atol: float
    share: float
    rounds: bool

    def absolute(self, largest: float, round_off: Array) -> Array:
        """Return the part that does not depend on the derivatives (m,)."""
        rounding = round_off if self.rounds else np.zeros_like(round_off)
        return np.asarray(self.atol + self.share * largest + rounding)

    def allowed(self, first: Array, second: Array, absolute: Array) -> Array:
        """Return the difference allowed in each entry (m,), always a finite number."""
        allowed = absolute + self.rtol * np.maximum(np.abs(first), np.abs(second))
        return np.minimum(allowed, np.finfo(float).max)


@dataclass(frozen=True)
class Noise:
    """The noise of a method that perturbs all parameters at once: the ``standard_error`` of each of its derivatives,
    ``norm`` / √``probes``, where the norm is that of the gradient compared, and ``largest`` its largest entry."""

    standard_error: float
    norm: float
    probes: int
    largest: float

    @property
    def allowed(self) -> float:
        return STANDARD_ERRORS * self.standard_error

    @property
    def hides_all(self) -> bool:
        """True if even a gradient of 0 would pass."""
        return not self.allowed < self.largest

    @property
    def probes_needed(self) -> float:
        """Return the number of probes at which the largest derivative exceeds what is allowed."""
        return (STANDARD_ERRORS * self.norm / self.largest) ** 2 if self.largest else np.inf


def tolerance(
    first: str,
    second: str,
    problem: Problem,
    rounding: RoundOff,
    noise: Noise | None,
    options: Options,
    rtol: float | None = None,
    atol: float | None = None,
) -> Tolerance:
    """Return the difference to expect between two methods, except for ``rtol`` and ``atol`` where they are given.

    Truncation is relative to the derivatives. The round-off of a difference is that of the losses, divided by the
    step (Nocedal and Wright 2006, section 8.1); a noisy method is off by its standard error.
    """
    eps, truncation, per_step, relative = float(np.finfo(problem.spec.dtype).eps), 0.0, 0.0, 0.0
    for name in (first, second):
        row = METHODS[name]
        cut, lost = row.errors(eps, options.step if row.order else None)
        truncation, relative, per_step = max(truncation, cut), max(relative, lost), max(per_step, lost / eps)
    expected = sum(_underflow(METHODS[name], problem.spec.dtype, options) for name in (first, second))
    expected += rounding.loss * per_step
    if noise is not None:
        expected += noise.allowed
    return Tolerance(
        TRUNCATION_FACTOR * (truncation + relative) if rtol is None else rtol,
        expected if atol is None else atol,
        SHARE_FACTOR * truncation if atol is None else 0.0,
        atol is None,
    )


def _underflow(row: Method, dtype: str, options: Options) -> float:
    """Return what underflow loses: the least normal number, divided by the step for a complex step."""
    least = float(np.finfo(dtype).tiny)
    if row.order is None or row.subtracts:
        return least
    return least / (row.best_step(dtype) if options.step is None else options.step)


def noise_of(first: str, second: str, derivatives: Array, options: Options) -> Noise | None:
    """Return the noise of a noisy method, if one of the two is, from the ``derivatives`` by backprop.

    With k probes, the variance of an entry is the sum of the squares of the others, divided by k (Spall 1992)."""
    if not any(METHODS[name].noisy for name in (first, second)):
        return None
    finite = np.nan_to_num(np.abs(derivatives.astype(float)), posinf=0.0)
    norm = float(np.linalg.norm(finite))
    return Noise(norm / options.probes**0.5, norm, options.probes, float(finite.max(initial=0.0)))
