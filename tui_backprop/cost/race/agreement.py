"""How well a growing gradient agrees with the exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array

COMPARED_AT_ONCE = 2**16  # entries


@dataclass(frozen=True)
class Agreement:
    """A comparison of the entries found so far with the exact ones: the ``cosine`` between both, between -1 and
    1, the ``relative`` error |numeric − exact| / |exact|, of their norms, and the ``worst`` entry: its absolute error
    and its name (None before the first). Both are NaN where they are undefined: nothing was found yet, or the entries
    are 0 or not finite."""

    cosine: float = float("nan")
    relative: float = float("nan")
    error: float = 0.0
    worst: str | None = None


NOTHING_COMPARED = Agreement()


class RunningAgreement:
    """Compares a growing gradient with the exact one; each entry is compared once, and all of them once more at the
    end, in the order of the flat vector: the result does not depend on the order in which they were found."""

    def __init__(self, problem: Problem, exact: Array, gradient: Array, order: Array | None) -> None:
        self._problem, self._exact, self._gradient, self._order = problem, exact, gradient, order
        self._scale = _scale_of(exact)  # so that no square vanishes or overflows
        self._sums, self._complete = _Sums(), False

    def up_to(self, done: int) -> Agreement:
        """Compare the first ``done`` entries, in the order in which they are found."""
        if done == len(self._exact) and not self._complete:
            self._sums, self._complete = _Sums(), True
            for start in range(0, done, COMPARED_AT_ONCE):
                self._compare(np.arange(start, min(start + COMPARED_AT_ONCE, done)))
        elif done > self._sums.done:
            for start in range(self._sums.done, done, COMPARED_AT_ONCE):
                found = np.arange(start, min(start + COMPARED_AT_ONCE, done))
                self._compare(found if self._order is None else self._order[found])
        sums = self._sums
        dot, numeric2, exact2 = sums.products.tolist()
        with np.errstate(all="ignore"):
            lengths = np.sqrt(numeric2) * np.sqrt(exact2)
            cosine = np.clip(dot / lengths, -1, 1) if 0 < lengths < np.inf else float("nan")
            relative = np.sqrt(sums.off / exact2) if exact2 else float("nan")
        worst = None if sums.worst is None else name_of(self._problem, sums.worst)
        return Agreement(float(cosine), float(relative), sums.error, worst)

    def _compare(self, places: Array) -> None:
        """Add the entries at ``places`` (n,) to the sums."""
        numeric, exact = self._gradient[places], self._exact[places].astype(float)
        with np.errstate(all="ignore"):
            off = np.abs(numeric - exact)
            a, b, c = numeric / self._scale, exact / self._scale, off / self._scale
            self._sums.add((a * b).sum(), (a * a).sum(), (b * b).sum(), (c * c).sum())
        at = int(np.argmax(off))  # that of a NaN, if there is one
        self._sums.meet(float(off[at]), int(places[at]), len(places))


class _Sums:
    """Sums over the entries compared so far: ``products`` numeric · exact, numeric · numeric and exact · exact, and
    ``off``, of the squared differences; the largest ``error``, and where it is, at ``worst``."""

    def __init__(self) -> None:
        self.done, self.products, self.off = 0, np.zeros(3), 0.0
        self.error: float = 0.0
        self.worst: int | None = None

    def add(self, both: float, numeric: float, exact: float, off: float) -> None:
        self.products += [both, numeric, exact]
        self.off += off

    def meet(self, error: float, place: int, count: int) -> None:
        """Take the largest error of ``count`` more entries; the first NaN is worse than any number, and stays."""
        self.done += count
        if self.worst is None or error > self.error or (math.isnan(error) and not math.isnan(self.error)):
            self.error, self.worst = error, place


def _scale_of(values: Array) -> float:
    """Return a power of 2 near the largest magnitude, division by which is exact; 1 if there is no such number."""
    largest = float(np.abs(values).max(initial=0.0))
    return float(np.ldexp(1.0, np.frexp(largest)[1] - 1)) if 0 < largest < np.inf else 1.0


def name_of(problem: Problem, place: int) -> str:
    """Return the name of a parameter by its index in the flat vector: W2[13,200]."""
    return entry_name(*problem.spec.graph.parameter_at(place))
