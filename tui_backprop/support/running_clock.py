"""A clock that stands still while its process does: stopped by a signal, frozen with its container or its machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter, process_time

from tui_backprop.support.starting import StartError, start_thread

TICK = 0.25  # seconds between two ticks
LONGEST_TICK = 1.0  # seconds after which a process that was not busy meanwhile did not run

Clock = Callable[[], float]


class RunningClock:
    """Seconds in which the process ran. A gap between two ticks is left out, but not the time that the process was
    computing, in which another thread may not have been able to tick."""

    def __init__(self, clock: Clock = perf_counter, used: Clock = process_time) -> None:
        self._clock, self._process_time = clock, used
        self._lock = threading.Lock()
        self._last, self._used, self._gaps = clock(), used(), 0.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        with self._lock:
            now, used = self._clock(), self._process_time()
            passed, computed = now - self._last, used - self._used
            if passed > LONGEST_TICK:
                self._gaps += max(passed - max(computed, TICK), 0.0)
            self._last, self._used = now, used
            return now - self._gaps


@contextmanager
def running_clock() -> Iterator[RunningClock]:
    """Yield a clock that ticks in a thread of its own."""
    clock, over = RunningClock(), threading.Event()

    def tick() -> None:
        while not over.wait(TICK):
            clock()

    with suppress(StartError):  # without a thread, only looks at the clock are ticks
        start_thread(tick, "clock")
    try:
        yield clock
    finally:
        over.set()
