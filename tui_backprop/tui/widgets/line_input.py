"""A line of text input."""

from __future__ import annotations

from textual.widgets import Input


class LineInput(Input):
    """Accepts printable characters only: pasted text may contain control characters. The cursor does not blink, so
    that nothing is sent while no key is pressed."""

    def on_mount(self) -> None:
        self.cursor_blink = False

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace("".join(c for c in text if c.isprintable()), start, end)
