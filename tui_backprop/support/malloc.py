"""Memory management of the C library."""

from __future__ import annotations

from contextlib import suppress

M_ARENA_MAX = -8  # of malloc.h


def release_free_memory() -> None:
    """Return freed memory to the system: glibc keeps pieces of it, between others that are in use."""
    _c_library("malloc_trim", 0)


def limit_malloc_arenas() -> None:
    """Let threads reuse memory that other threads have freed: by default glibc has up to eight arenas per core, and
    memory freed in one is of no use to the others."""
    _c_library("mallopt", M_ARENA_MAX, 2)


def _c_library(function: str, *given: int) -> None:
    """Call a function of glibc; do nothing with another C library."""
    with suppress(
        ImportError, AttributeError, OSError, TypeError
    ):  # no ctypes, no such function, or no such library
        import ctypes

        getattr(ctypes.CDLL(None), function)(*given)
