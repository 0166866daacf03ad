"""Waiting for conditions: no test sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psutil
import pytest

GENEROUS = 60.0  # seconds; only a hang takes so long
PAUSE = 0.01  # seconds between two checks

Found = TypeVar("Found")
What = str | Callable[[], str]  # what is waited for; a function is called at the end, for the final state


def attempts(what: What) -> Iterator[None]:
    """Yield at each check, and fail after too long. The last check comes after that time, because a busy machine may
    not have checked before."""
    end = time.monotonic() + GENEROUS
    last = False
    while not last:
        last = time.monotonic() > end
        yield
    pytest.fail(f"waited in vain for {what() if callable(what) else what}")


def until(
    holds: Callable[[], Found],
    what: What = "a state",
    pause: Callable[[], object] = lambda: time.sleep(PAUSE),
) -> Found:
    """Wait until something is true, and return it. ``pause`` runs between two checks."""
    for _ in attempts(what):
        if found := holds():
            return found
        pause()
    raise AssertionError("attempts end by failing")


def gone(process: int | psutil.Process) -> bool:
    """Return True if a process, given as an object or a number, has ended; zombies have."""
    try:
        process = psutil.Process(process) if isinstance(process, int) else process
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes: list[int] | list[psutil.Process]) -> None:
    """Wait until all of the processes have ended."""
    until(
        lambda: all(map(gone, processes)),
        lambda: f"the end of {[each for each in processes if not gone(each)]}",
    )
