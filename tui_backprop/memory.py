"""Memory is checked before it is taken, and refused with figures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tui_backprop.engine.schedules import OptimiserSpec
from tui_backprop.engine.spec import NetworkSpec, SpecError

MEGABYTES = 256  # for going back in time, unless asked otherwise
M_ARENA_MAX = -8  # of malloc.h
SMALL = 64 * 2**20  # a walk that needs less than this is not worth asking the system about memory

# Numbers that an optimiser remembers for each parameter. (The rules themselves need numpy.)
SLOTS = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 1, "adam": 2, "adamw": 2}


def check_memory(network: NetworkSpec, batch: int, optimiser: OptimiserSpec) -> None:
    """Raise SpecError, with both figures, if one walk does not fit into the memory that is free."""
    _require(network, batch, lambda n: network.memory(n, SLOTS[optimiser.name]))


def check_streamed_memory(network: NetworkSpec, batch: int) -> None:
    """The same for a pass that keeps no weight gradient."""
    _require(network, batch, network.streamed_memory)


def check_check_memory(network: NetworkSpec, batch: int, every: bool) -> None:
    """The same for a check of the gradient, of ``every`` parameter or of some."""
    _require(network, batch, lambda n: network.check_memory(n, every))


def _require(network: NetworkSpec, batch: int, need: Callable[[int], int]) -> None:
    """Refuse if ``need(batch)`` bytes are not there."""
    if need(batch) < SMALL:
        return
    import psutil  # 30 ms that most starts do not need

    free = psutil.virtual_memory().available
    if need(batch) > 0.8 * free:
        field, smaller = ("layers", "layers") if need(1) > 0.8 * free else ("batch", "batches")
        raise SpecError(
            field,
            f"{network.parameters:,} parameters would take {size(need(batch))} of memory, {size(free)} is free,"
            f" of which a fifth is kept back; choose smaller {smaller}",
        )


def give_back() -> None:
    """Return to the system what was freed: glibc keeps pieces of it for later, between others that are in use."""
    _c_library("malloc_trim", 0)


def share() -> None:
    """Let threads take what others have freed: glibc gives each an arena of its own otherwise, eight for every core,
    and what is free in one is of no use to those of the other threads."""
    _c_library("mallopt", M_ARENA_MAX, 2)


def _c_library(function: str, *given: int) -> None:
    """Call a function of glibc; where the C library is another one, do nothing."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # no such function, or no library by that name
        getattr(ctypes.CDLL(None), function)(*given)


def size(count: float) -> str:
    """Bytes as people write them."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if count < 1000 or unit == "PB":
            return f"{count:,.3g} {unit}" if count < 1e5 else f"{count:,.0f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
