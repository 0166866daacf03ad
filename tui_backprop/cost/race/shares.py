"""A numerical gradient in shares: what a worker is told, what it answers, and whether that can be right.

A share is a range of the parameters asked for, and computes the base loss anew, so that no number depends on how the
ranges fall. Each worker computes with one thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import DecodeError, convert_numbers

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
CLOCK_SLACK = 1.0  # seconds by which a worker's time may exceed ours: a suspended machine, other clocks


@dataclass(frozen=True)
class Task:
    """The derivatives of a problem by a method at the places ``where``. Tasks are numbered, so that an answer to an
    earlier one is known as such."""

    number: int
    problem: Problem
    method: str
    where: Array
    options: Options


@dataclass(frozen=True)
class Share:
    """The derivatives from ``start`` up to ``stop`` of a task's places."""

    task: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Ask:
    """Have a worker compute a share of the task that was sent before."""

    worker: str
    share: Share


@dataclass(frozen=True)
class Forget:
    """Nobody waits for the shares that were asked for any more."""


@dataclass(frozen=True)
class Answer:
    """The derivatives of a share, from a worker, and the seconds that it took there."""

    worker: str
    share: Share
    values: Array
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A share that a worker did not compute, and why."""

    worker: str
    share: Share
    why: str


@dataclass(frozen=True)
class Roster:
    """All workers that a process of ours can reach, with their threads; why others were not taken."""

    threads: Mapping[str, int]
    unfit: Mapping[str, str]


def computed(task: Task, share: Share) -> tuple[Array, float]:
    """Compute a share; return its derivatives, in order, and the seconds that they took."""
    start = perf_counter()
    where = task.where[share.start : share.stop]
    return METHODS[task.method].gradient(task.problem, where, task.options), perf_counter() - start


def fault_of(share: Share, outcome: object, most: float) -> str:
    """Return what is wrong with what came for a share, of at most ``most`` seconds ago; "" if nothing is. Derivatives
    that are not finite may be right."""
    if type(outcome) is not tuple or len(outcome) != 2:
        return f"{type(outcome).__name__} instead of derivatives and seconds"
    values, seconds = outcome
    try:
        convert_numbers(values, (len(share),))
    except DecodeError as error:
        return str(error)
    if type(seconds) is not float or not math.isfinite(seconds) or not 0 < seconds <= most + CLOCK_SLACK:
        return "a time that cannot be"
    return ""


def error_line(error: BaseException) -> str:
    """Return an error in a line."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]
