"""A line to type into."""

from __future__ import annotations

from textual.widgets import Input


class Entry(Input):
    """Takes only what can be printed: in what is pasted there may be characters that a terminal carries out. The
    cursor does not blink: nothing is sent while no key is pressed."""

    def on_mount(self) -> None:
        self.cursor_blink = False

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace("".join(c for c in text if c.isprintable()), start, end)
