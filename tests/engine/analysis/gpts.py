"""A small GPT, trained for a thousand iterations on the names, and its text."""

from __future__ import annotations

from functools import cache

from tui_backprop.data.samples import load_text
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training

SESSION = from_preset("microgpt")
SPEC, TEXT = SESSION.network, load_text(SESSION.data)
BOUNDARY = TEXT.boundary


@cache
def trained(steps: int = 1000):
    """Return its parameters (P,)."""
    return Replay(0).state(after_training(SESSION, steps)).parameters


def tokens(name: str) -> list[int]:
    return [TEXT.characters.index(letter) for letter in name]
