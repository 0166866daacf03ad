"""Checks that a computation fits into free memory before it allocates any."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.support import memory
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import format_bytes

CHECKPOINT_MEGABYTES = 256  # of earlier states, by default
NEGLIGIBLE_BYTES = 16 * 2**20  # a need below this is not checked: asking the system takes time
USABLE = 0.8  # of what is free


def check_memory(network: Model, batch: int, optimizer: OptimizerSpec) -> None:
    """Raise InputError, with both figures, if one walk does not fit into free memory."""
    _require(network, batch, lambda n: network.memory(n, len(UPDATE_RULES[optimizer.name].slots)))


def check_streamed_memory(network: Model, batch: int) -> None:
    """Raise InputError if a pass that stores no weight gradient does not fit into free memory."""
    _require(network, batch, network.streamed_memory)


def check_check_memory(network: Model, batch: int, every: bool) -> None:
    """Raise InputError if a gradient check, of ``every`` parameter or of a sample, does not fit into free memory."""
    _require(network, batch, lambda n: network.check_memory(n, every))


def _require(network: Model, batch: int, need: Callable[[int], int]) -> None:
    """Raise InputError if less than ``need(batch)`` bytes are free, but for those that are held already."""
    held = network.held_bytes
    if need(batch) - held < NEGLIGIBLE_BYTES:
        return
    free = memory.available()
    most = held + USABLE * free.bytes
    if need(batch) > most:
        field, smaller = ("layers", "layers") if need(1) > most else ("batch", "batches")
        raise InputError(
            field,
            f"{network.parameters:,} parameters need {format_bytes(need(batch))} of memory;"
            f" {free.words}, of which a fifth is reserved; choose smaller {smaller}",
        )
