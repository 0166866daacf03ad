"""The law of a pass: its seconds are a sum of terms, each a quantity of its work times a coefficient.

But for calls, quantities are in seconds at the speeds of the probe, so that a coefficient is about 1 before any pass
is measured. The fit is a Bayesian linear regression of the relative error (Bishop, Pattern Recognition and Machine
Learning, 2006, section 3.3): what passes of small networks cannot tell, such as the speed of memory beyond all
caches, stays as the probe has it, and as uncertain."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui_backprop.cost.model.speeds import Memory, Probe
from tui_backprop.cost.model.work_rules import Work
from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.network.model import TILE

FLOAT32 = 4  # bytes; numbers twice as long take products twice as long
LEAST_ERROR = 0.092  # of the logarithm: the least that is claimed
TILE_BYTES = FLOAT32 * TILE
SHARED = 2**0.5  # caches are shared with all else that runs
MOST_ERROR = 1.0  # of the logarithm: no error is called larger
UNKNOWN_ERROR = 0.35  # of a fit to too few points to estimate it
LEAST_POINTS = 3  # fewer tell nothing about the error


@dataclass(frozen=True)
class Term:
    """A ``quantity`` of the work of a pass on a machine; the coefficient ``expected`` before passes are measured, and
    its relative standard deviation, the ``doubt``."""

    name: str
    quantity: Callable[[Work, Probe], float]
    expected: float = 1.0
    doubt: float = 0.2


def _memory(does: Work, probe: Probe) -> Memory:
    return probe.complex if does.complex else probe.reading


def _parameters(does: Work, probe: Probe) -> float:
    read = _memory(does, probe).seconds(does.read, does.rows_read, does.touched)
    written = probe.writing.seconds(does.written, does.rows_written, does.touched)
    return read + written + does.tiled / probe.writing.bytes.at(TILE_BYTES)


TERMS = (
    Term("calls", lambda does, _: does.calls, expected=2e-6, doubt=30.0),
    Term("parameters", _parameters),
    Term("values", lambda does, probe: _memory(does, probe).seconds(does.values, 0, does.touched), doubt=0.5),
    Term("functions", lambda does, _: does.elementwise, expected=1e-10, doubt=20.0),
    Term("products", lambda does, probe: does.multiplied / FLOAT32 / probe.products),
)


@dataclass(frozen=True)
class Fit:
    """Coefficients of TERMS with their ``covariance``; ``error`` is that of the logarithm of the seconds of a pass,
    as points left out show it."""

    coefficients: Array
    covariance: Array
    error: float

    def seconds(self, quantities: Sequence[float]) -> tuple[float, float]:
        """Return the seconds of a pass, and their standard error, of the logarithm."""
        row = np.array(quantities)
        middle = max(float(self.coefficients @ row), 1e-9)
        error = math.hypot(self.error, math.sqrt(float(row @ self.covariance @ row)) / middle)
        return middle, min(error, MOST_ERROR)


def quantities_of(does: Work, probe: Probe) -> tuple[float, ...]:
    """Return the quantity of each of TERMS."""
    return tuple(term.quantity(does, probe) for term in TERMS)


def predict(law: Fit, does: Work, probe: Probe) -> tuple[float, float]:
    """Return the seconds of a pass, and their standard error, of the logarithm: the mean of what it takes if caches
    hold SHARED times as much as when they were probed, and if they hold as much less."""
    touched = does.touched / SHARED, does.touched * SHARED
    less, more = (law.seconds(quantities_of(replace(does, touched=each), probe)) for each in touched)
    apart = abs(math.log(more[0] / less[0]))
    return math.sqrt(less[0] * more[0]), math.hypot(max(less[1], more[1]), apart / 4)


def fit(quantities: Sequence[Sequence[float]], seconds: Sequence[float]) -> Fit:
    """Fit the law to measured passes, of which there may be none."""
    rows = np.array(quantities).reshape(-1, len(TERMS)) / np.maximum(seconds, 1e-9)[:, None]
    error = UNKNOWN_ERROR
    if len(rows) > LEAST_POINTS:
        offs = [
            math.log(max(float(_solve(np.delete(rows, i, 0), LEAST_ERROR)[0] @ row), 1e-9))
            for i, row in enumerate(rows)
        ]
        error = min(max(math.sqrt(sum(off * off for off in offs) / len(offs)), LEAST_ERROR), MOST_ERROR)
    return Fit(*_solve(rows, max(error, LEAST_ERROR)), error)


def _solve(rows: Array, error: float) -> tuple[Array, Array]:
    """Return the coefficients, at least 0, with which all rows are closest to 1, and their covariance. They are
    solved for in units of their prior deviations: without a row, the precision is 1."""
    expected, doubt = (np.array([getattr(term, name) for term in TERMS]) for name in ("expected", "doubt"))
    unit = expected * doubt
    scaled = rows * unit
    precision = scaled.T @ scaled / error**2 + np.eye(len(TERMS))
    right = scaled.sum(axis=0) / error**2 + 1 / doubt
    covariance, kept = np.linalg.inv(precision), np.ones(len(TERMS), bool)
    found = covariance @ right
    while (found < 0).any():
        kept[np.argmin(found * unit * expected)] = False
        found = np.zeros(len(TERMS))
        found[kept] = np.linalg.solve(precision[np.ix_(kept, kept)], right[kept])
    return found * unit, covariance * np.outer(unit, unit)
