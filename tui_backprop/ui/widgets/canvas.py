"""A widget that shows lines of spans, and repaints only the cells that differ from what it showed before."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_backprop.ui.palette import LOOKS
from tui_backprop.ui.renderables.spans import Line, clip, plain


def changed(old: Line, new: Line) -> tuple[int, int] | None:
    """The columns [start, end) in which two lines differ, in text or in role; None where they are equal."""
    if old == new:
        return None
    before = [(glyph, role) for text, role in old for glyph in text]
    after = [(glyph, role) for text, role in new for glyph in text]
    blank = (" ", "text")
    longest = max(len(before), len(after))
    before += [blank] * (longest - len(before))
    after += [blank] * (longest - len(after))
    differing = [x for x in range(longest) if before[x] != after[x]]
    return (differing[0], differing[-1] + 1) if differing else None


class Canvas(Widget):
    """Draws what it is handed; subclasses say in ``drawn`` what that is for a size."""

    DEFAULT_CSS = "Canvas { height: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        """The lines to show in so many columns and rows."""
        return ()

    @property
    def text(self) -> str:
        """What is shown, without its looks."""
        return "\n".join(plain(row) for row in self._lines)

    def on_resize(self) -> None:
        self._lines = ()
        self.redraw()

    def redraw(self) -> None:
        """Draw anew; only what changed is sent to the terminal."""
        columns, rows = self.content_size
        if not columns or not rows:
            return
        old = self._lines
        self._lines = [clip(row, columns) for row in self.drawn(columns, rows)][:rows]
        if not old:
            self.refresh()
            return
        regions = []
        for y in range(max(len(old), len(self._lines))):
            was = old[y] if y < len(old) else ()
            now = self._lines[y] if y < len(self._lines) else ()
            if (span := changed(was, now)) is not None:
                regions.append(Region(span[0], y, span[1] - span[0], 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        row = self._lines[y] if y < len(self._lines) else ()
        segments = [Segment(text, base + LOOKS.get(role, Style.null())) for text, role in row]
        return Strip(segments).adjust_cell_length(self.content_size.width, base)
