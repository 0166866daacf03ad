"""Carried out."""

from __future__ import annotations

from contextlib import suppress

M_ARENA_MAX = -8  # of malloc.h


def release_free_memory() -> None:
    """Return to the system what was freed: glibc keeps pieces of it for later, between others that are in use."""
    _c_library("malloc_trim", 0)


def limit_malloc_arenas() -> None:
    """Let threads take what others have freed: glibc gives each an arena of its own otherwise, eight for every core,
    and what is free in one is of no use to those of the other threads."""
    _c_library("mallopt", M_ARENA_MAX, 2)


def _c_library(function: str, *given: int) -> None:
    """Call a function of glibc; where the C library is another one, do nothing."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # no such function, or no library by that name
        getattr(ctypes.CDLL(None), function)(*given)
