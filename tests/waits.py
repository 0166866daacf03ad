"""Waiting until something is so: no test sleeps for a time and hopes that it was enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psutil
import pytest

GENEROUS = 60.0  # seconds; only a hang takes so long
PAUSE = 0.01  # seconds between two looks

Found = TypeVar("Found")
What = (
    str | Callable[[], str]
)  # what is waited for; a function is called at the end, to say how it stands then


def attempts(what: What) -> Iterator[None]:
    """Yield as often as somebody looks, and fail when that has gone on for too long. The last look comes after that
    time, because a busy machine may have let nobody look before."""
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
    """Wait until something is true, and return it. ``pause`` runs between two looks."""
    for _ in attempts(what):
        if found := holds():
            return found
        pause()
    raise AssertionError("attempts end by failing")


def gone(process: int | psutil.Process) -> bool:
    """Whether a process, by itself or by its number, has ended; one that nobody has fetched yet, has."""
    try:
        process = psutil.Process(process) if isinstance(process, int) else process
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes: list[int] | list[psutil.Process]) -> None:
    """Wait until none of the processes is left."""
    until(
        lambda: all(map(gone, processes)),
        lambda: f"the end of {[each for each in processes if not gone(each)]}",
    )
