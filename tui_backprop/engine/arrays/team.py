"""Threads of our own, which share a pass, and hold the BLAS of numpy at one.

Threads of BLAS spin while they wait for each other: where another process wants a core, a product of some
microseconds takes as long as the scheduler's turns. These sleep, take what is left to do one by one, and are given
nothing for a while when waiting for them did not pay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from time import perf_counter
from typing import Any

from tui_backprop.engine.arrays.types import np
from tui_backprop.support.cores import usable_cores
from tui_backprop.support.starting import StartError, start_thread

Arguments = tuple[Any, ...]
Call = tuple[Callable[..., object], Arguments]
Job = Sequence[Call]  # calls in order, which no other job of the same phase depends on

WORTH_WAITING = 0.5  # of its own working time, that a thread waits for the others at most, if sharing pays
LATENCY = 2e-4  # seconds of waiting that are always allowed
PAUSES = (0.05, 2.0)  # seconds without sharing after it did not pay: the first time, and at most


def run(calls: Job) -> None:
    """Make calls in order; an overflow appears as inf or NaN in its value."""
    with np.errstate(all="ignore"):
        for rule, arguments in calls:
            rule(*arguments)


class Team:
    """This thread and ``threads`` − 1 others. Fewer, down to none, if they cannot be started."""

    def __init__(self, threads: int, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._turn = threading.Lock()  # one phase at a time; whoever comes meanwhile works alone
        self._others: list[_Other] = []
        self._pause, self._alone_until = PAUSES[0], 0.0
        with suppress(StartError):
            for _ in range(threads - 1):
                self._others.append(_Other())

    @property
    def threads(self) -> int:
        return 1 + len(self._others)

    def run(self, jobs: Sequence[Job]) -> None:
        """Do all jobs of a phase, and return when they are done. They begin in order, the first one in this thread.
        Raises what a call raises."""
        if len(jobs) == 1 or not self._others or not self._turn.acquire(blocking=False):
            for job in jobs:
                run(job)
            return
        try:
            others = self._others[: len(jobs) - 1] if self._clock() >= self._alone_until else []
            self._share(iter(jobs), others)
        finally:
            self._turn.release()

    def _share(self, left: Iterator[Job], others: list[_Other]) -> None:
        start, first = self._clock(), next(left)
        for other in others:
            other.begin(left)
        try:
            run(first)
            for job in left:  # a step of this iterator is atomic
                run(job)
        finally:
            own = self._clock()
            for _ in left:  # after an error
                pass
            errors = [error for other in others if (error := other.finish()) is not None]
        if others:
            self._judge(own - start, self._clock() - own)
        for error in errors:
            raise error

    def _judge(self, worked: float, waited: float) -> None:
        """Share nothing for a while after waiting for threads that did not get a core; longer each time."""
        if waited <= max(WORTH_WAITING * worked, LATENCY):
            self._pause = PAUSES[0]
        else:
            self._alone_until = self._clock() + self._pause
            self._pause = min(2 * self._pause, PAUSES[1])


class Chain:
    """Jobs that are done one after the other as the first job of a phase; later jobs ``wait`` for one of them."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = [(job, threading.Event()) for job in jobs]

    def start(self) -> None:
        """Forget that jobs were done; in a phase before."""
        for _, done in self._jobs:
            done.clear()

    def run(self) -> None:
        """Do the jobs. After an error nobody waits for the rest."""
        try:
            for job, done in self._jobs:
                for rule, arguments in job:
                    rule(*arguments)
                done.set()
        finally:
            for _, done in self._jobs:
                done.set()

    def wait(self, at: int) -> None:
        """Wait until the job at this place is done."""
        self._jobs[at][1].wait()


class _Other:
    """A thread that does jobs when it is told to. Raises StartError if it cannot be started."""

    def __init__(self) -> None:
        self._told, self._done = threading.Lock(), threading.Lock()
        self._told.acquire()
        self._done.acquire()
        self._left: Iterator[Job] = iter(())
        self._error: BaseException | None = None
        start_thread(self._work, "pass")

    def begin(self, left: Iterator[Job]) -> None:
        self._left, self._error = left, None
        self._told.release()

    def finish(self) -> BaseException | None:
        """Wait until it is done, whatever interrupts that; return its error."""
        interrupted: BaseException | None = None
        while True:
            try:
                self._done.acquire()
                error, self._error = self._error, None
                return interrupted or error
            except BaseException as error:
                interrupted = error

    def _work(self) -> None:
        while True:
            self._told.acquire()
            self._do()
            self._done.release()

    def _do(self) -> None:
        """Do what is left. Nothing of it is held afterwards: a job may hold the arrays of a whole network."""
        try:
            for job in self._left:
                run(job)
        except BaseException as error:
            self._error = error


def blas() -> Any:
    """Return the controller of the BLAS that numpy has loaded, or None where it cannot be asked: in a build of Python
    without ctypes."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


@cache
def team() -> Team:
    """Return the team of this process, of as many threads as BLAS would use, within the cores that may be used; from
    now on BLAS has one. A user who sets OPENBLAS_NUM_THREADS or OMP_NUM_THREADS therefore sets their number. Where
    BLAS cannot be asked, no threads are added to its own."""
    found = blas()
    if found is None:
        return Team(1)
    threads = max((each["num_threads"] for each in found.info()), default=1)
    found.limit(limits=1)
    return Team(min(threads, usable_cores()))
