"""A lock on a folder, so that of several processes one changes a file there at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

LONGEST_WAIT, PAUSE = 2.0, 0.01  # seconds: in all, and between two attempts


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder. Where folders cannot be locked, or another process holds the lock for LONGEST_WAIT,
    go on without it. Raises OSError if the folder cannot be opened."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # which unlocks it


def _lock(handle: int) -> None:
    end = monotonic() + LONGEST_WAIT
    while monotonic() < end:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(PAUSE)
        except OSError:
            return
        else:
            return
