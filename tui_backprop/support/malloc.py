"""Memory management of the C library."""

from __future__ import annotations

import os
from contextlib import suppress

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of malloc.h
LARGE = 4 * 2**20  # bytes of an array that goes back to the system as soon as it is freed
UNUSED = 16 * 2**20  # bytes by which a process grows before it is worth looking for memory that is free in it


def release_free_memory() -> None:
    """Return freed memory to the system: glibc keeps pieces of it, between others that are in use."""
    _c_library("malloc_trim", 0)


class Trimmer:
    """Returns free memory to the system whenever the process has grown since the last time."""

    def __init__(self) -> None:
        self._least = 0  # bytes that were in use after the last time

    def trim(self) -> None:
        """Return free memory if there may be much of it."""
        now = resident()
        if now > self._least + UNUSED:
            release_free_memory()
            now = resident()
        self._least = now


def resident() -> int:
    """Return the bytes of this process that are in memory; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def limit_free_memory() -> None:
    """Let the C library keep little of what is freed. By default glibc has up to eight arenas per core, and memory
    freed in one is of no use to the others; and once a large array is freed, others of its size are in an arena."""
    _c_library("mallopt", M_ARENA_MAX, 2)
    _c_library("mallopt", M_MMAP_THRESHOLD, LARGE)


def _c_library(function: str, *given: int) -> None:
    """Call a function of glibc; do nothing with another C library."""
    with suppress(
        ImportError, AttributeError, OSError, TypeError
    ):  # no ctypes, no such function, or no such library
        import ctypes

        getattr(ctypes.CDLL(None), function)(*given)
