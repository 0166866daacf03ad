"""What keys need of a session to be of use."""

from __future__ import annotations

from tui_backprop.data.catalogue import info
from tui_backprop.keys.panel_row import BLOCKS, CLASSES, HEADS, LAYERS, PREDICTION, SAMPLES, SPLIT, TEXT
from tui_backprop.session.state import Session


def lacking(session: Session) -> tuple[str, ...]:
    """Name what a session does not have."""
    network = session.network
    has = {SAMPLES: not network.holds_numbers, LAYERS: bool(network.layers)}
    one = session.passage is not None and session.passage.letter > 0
    has |= {CLASSES: info(session.data).classes > 0, PREDICTION: info(session.data).classes > 0 or one}
    has |= {SPLIT: session.validation > 0}
    has |= {HEADS: network.heads > 0, BLOCKS: network.folds, TEXT: network.context > 0}
    return tuple(name for name, there in has.items() if not there)
