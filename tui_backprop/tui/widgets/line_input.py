"""A line of text input."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input


class LineInput(Input):
    """Accepts printable characters only: pasted text may contain control characters. The cursor does not blink, so
    that nothing is sent while no key is pressed."""

    def on_mount(self) -> None:
        self.cursor_blink = False

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace("".join(c for c in text if c.isprintable()), start, end)

    def render_line(self, y: int) -> Strip:
        """Draw the text, with a mark at each end where it goes on."""
        strip, wide, left = super().render_line(y), self.size.width, self.scroll_offset.x
        mark = "~" if self.screen.has_class("plain") else "…"
        if y == 0 and wide > 2 and left > 0:
            strip = Strip.join([self._mark(strip.crop(0, 1), mark), strip.crop(1, wide)])
        if y == 0 and wide > 2 and len(self.value) - left > wide:
            strip = Strip.join([strip.crop(0, wide - 1), self._mark(strip.crop(wide - 1, wide), mark)])
        return strip

    def _mark(self, cell: Strip, mark: str) -> Strip:
        return Strip([Segment(mark, segment.style) for segment in cell][:1], 1)
