"""The message in a terminal that is too small for the app."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.tui.widgets.canvas import Canvas

LEAST = 60, 18  # columns and rows


class TooSmall(Canvas):
    """Shows the required size and the current one."""

    def __init__(self) -> None:
        super().__init__(id="small")

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        have = self.app.size
        words = (
            f"needs {LEAST[0]}x{LEAST[1]} characters; this terminal has {have.width}x{have.height}. q quits."
        )
        return [line(("backprop-tui", "title")), *wrap(words, columns)]
