"""Which of our rows a PyTorch operation is: a table by its name, with what it is overloaded for where that matters.

Each entry adds operations to a translation. Where an operation does several things at once, such as a product with a
bias or fused attention, each is an operation of its own."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.frontends.recording.aten_layouts import LAYOUTS
from tui_backprop.engine.frontends.recording.aten_losses import LOSSES
from tui_backprop.engine.frontends.recording.aten_networks import NETWORKS
from tui_backprop.engine.frontends.recording.aten_pointwise import POINTWISE
from tui_backprop.engine.frontends.recording.aten_products import PRODUCTS
from tui_backprop.engine.frontends.recording.aten_reductions import REDUCTIONS
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation

Translate = Callable[[Translation], None]

ATEN: dict[str, Translate] = {**POINTWISE, **PRODUCTS, **REDUCTIONS, **LAYOUTS, **NETWORKS, **LOSSES}


NO_ARGUMENTS = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)  # of what has a row


def translate(translation: Translation) -> None:
    """Add the rows of an operation to its translation. Raises NoRow where there are none, or for such arguments."""
    try:
        translate_of(translation.op.name)(translation)
    except NO_ARGUMENTS:
        raise NoRow from None


def translate_of(name: str) -> Translate:
    """Return the translation of an operation by PyTorch's name. Raises NoRow where there is none. An operation in
    place is the same one."""
    parts = name.split(".")
    base = parts[1] if parts[0] == "aten" and len(parts) > 1 else name
    overload = f"{base}.{parts[2]}" if len(parts) > 2 else base
    found = ATEN.get(overload) or ATEN.get(base) or ATEN.get(base.removesuffix("_"))
    if found is None:
        raise NoRow
    return found
