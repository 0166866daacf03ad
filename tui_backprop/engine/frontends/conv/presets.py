"""Convolutional networks to begin with, and what the command line knows of them: no graph and no numpy is needed."""

from __future__ import annotations

from tui_backprop.engine.network.model import Model
from tui_backprop.support.validation import whole_number

FRONTEND = "conv"
POOLINGS = ("max", "average", "none")
NONE = "none"  # a list without numbers


def lenet() -> Model:
    """Build the network of LeNet-5's shape."""
    from tui_backprop.engine.frontends.conv.spec import ConvSpec  # the first paint does not need it

    return ConvSpec()


def numbers_in(field: str, text: str) -> tuple[int, ...]:
    """Return whole numbers with commas between them, () for "none" or nothing. Raises InputError otherwise."""
    if text.strip() in ("", NONE):
        return ()
    return tuple(whole_number(field, part.strip(), 0) for part in text.split(","))
