"""A widget that shows lines of spans, and repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, clip, fewer_roles, fewest_spans, plain, width, wrap
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.colors import LOOKS


class Canvas(Widget):
    """Draws lines of spans; subclasses return them from ``drawn``.

    It has neither border nor padding (a Frame around it has), so a line of spans is a line of the screen.
    """

    DEFAULT_CSS = "Canvas { height: 1fr; }"

    def __init__(self, context: RenderContext = UTF8, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.render_context = context
        self._lines: Sequence[Line] = ()
        self._strips: dict[int, Strip] = {}
        # The widget's own style, and the color behind it; cached, because they are slow to compute.
        self._base: Style | None = None
        self._behind: Color | None = None

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        """Return the lines to show in so many columns and rows."""
        return ()

    def _lines_or_reason(self, columns: int, rows: int) -> Sequence[Line]:
        try:
            return self.drawn(columns, rows)
        except MemoryError as error:
            return wrap(f"Could not draw this: {reason_of(error)}.", columns, "bad")

    def use(self, context: RenderContext) -> None:
        """Use another render context from now on."""
        self.render_context, self._lines = context, ()
        self.redraw()

    @property
    def text(self) -> str:
        """The text on the screen, without styles."""
        return "\n".join(plain(row) for row in self._lines)

    def on_resize(self) -> None:
        self._lines = ()
        self.redraw()

    def redraw(self) -> None:
        """Draw again; only changes are sent to the terminal."""
        columns, rows = self.size
        if not columns or not rows:
            return
        old = self._lines
        self._lines = [
            self.render_context.fit(clip(row, columns)) for row in self._lines_or_reason(columns, rows)
        ][:rows]
        if not old:
            self._strips.clear()
            self.refresh()
            return
        regions = []
        for y in range(max(len(old), len(self._lines))):
            if old[y : y + 1] != self._lines[y : y + 1]:
                self._strips.pop(y, None)
                regions.append(Region(0, y, columns, 1))
        if regions:
            self.refresh(*regions)

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._base = self._behind = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        columns = self.size.width
        return [self._strip(y, columns).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def _strip(self, y: int, columns: int) -> Strip:
        """Return one line of the screen; it is cached until the line changes."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != columns:
            base = self._base = self._base or self.rich_style
            row = self._lines[y] if y < len(self._lines) else ()
            row = fewer_roles(row) if self.render_context.sparse else row
            looks = LOOKS[self.app.theme]
            segments = [Segment(text, base + looks[role]) for text, role in fewest_spans(row)]
            room = max(columns - width(row), 0)
            segments += [Segment(" " * room, base)] if room else []
            for line_filter in self.get_line_filters():
                behind = self._behind = self._behind or self.background_colors[1]
                segments = line_filter.apply(segments, behind)
            strip = Strip(segments, width(row) + room).adjust_cell_length(columns, base)
            self._strips[y] = strip
        return strip
