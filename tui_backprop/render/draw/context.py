"""The characters that drawings are made of, in two sets: one for UTF-8, one for every other encoding; and a third for
texts without drawings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tui_backprop.keys.table import ROWS, Rows, key_of, worded
from tui_backprop.render.draw.spans import Line, clip


@dataclass(frozen=True)
class RenderContext:
    """Glyphs for drawing. ``up`` and ``down`` are the sizes of positive and negative values, smallest first: filled
    cells and strokes, so that a sign is visible without color. ``ramp`` is for values that are never negative.
    ``keys`` are the rows of the key table in effect, from which texts take the names of keys."""

    up: str
    down: str
    zero: str
    ramp: str
    done: str
    left: str
    here: str
    on: str
    back: str
    delta: str  # delta, in narrow places
    bars: str  # heights, lowest first
    plain: bool = False
    linear: bool = False  # nothing is placed side by side, for screen readers
    sparse: bool = False  # little changes from step to step, for slow connections
    keys: Rows = field(default=ROWS, hash=False, repr=False)

    def text(self, text: str) -> str:
        """Return a text with every character outside of this set replaced; it may become longer."""
        return _to_ascii(text) if self.plain else text

    def key(self, action: str) -> str:
        """Return the name of the key of an action; in words for screen readers."""
        return self.text(key_of(action, self.keys, spoken=self.linear))

    def words(self, text: str) -> str:
        """Return a text with each {action} replaced by the key of that action."""
        return self.text(worded(text, self.keys, spoken=self.linear))

    def fit(self, row: Line) -> Line:
        """Return a line with every character outside of this set replaced."""
        return tuple((self.text(text), role) for text, role in row) if self.plain else row


def fitted(lines: Sequence[Line], columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Return the first ``rows`` lines in the characters of ``context``, each cut to ``columns``."""
    return [context.fit(clip(context.fit(row), columns)) for row in lines[:rows]]


UTF8 = RenderContext("░▒█", "-=≡", "·", " ░▒▓█", "━", "─", "◆", "→", "←", "δ", "▁▂▃▄▅▆▇█")
ASCII = RenderContext("oO@", "-~=", ".", " .:*#", "=", "-", "#", ">", "<", "d", "12345678", plain=True)
LINEAR = replace(ASCII, linear=True)

_PLAIN = {
    "…": "~", "∞": "inf", "µ": "u", "→": "->", "←": "<-", "↑": "up", "↓": "down", "━": "=", "─": "-",
    "│": "|", "┼": "+", "└": "+", "┬": "+", "≈": "~", "∂": "d", "●": "*", "○": "o", "◆": "#", "◇": "o", "▸": ">",
    "├": "+", "┴": "+", "╰": "\\", "┤": "+", "╮": "\\", "╯": "/", "▾": "v", "▴": "^", "±": "+-",
    "⁰": "^0", "≥": ">=", "≤": "<=", "‹": "<", "›": ">", "÷": "/", "⅓": "1/3", "“": '"', "”": '"', "’": "'", "—": "-",
    "≠": "!", "⏎": "enter", "•": "*", "␣": "_", "¤": "?",
}  # fmt: skip


def _to_ascii(text: str) -> str:
    from tui_backprop.engine.explain.notation import ascii_formula  # a start with all glyphs does without

    text = ascii_formula(re.sub(r"(?<=\d)·(?=\d)", "-", text))  # 784-256-10 is no product
    for glyph, replacement in _PLAIN.items():
        text = text.replace(glyph, replacement)
    text = re.sub(r"\b(\w+) \(\1\)", r"\1", text)  # the name of a letter that is now its name
    return text.encode("ascii", "replace").decode()
