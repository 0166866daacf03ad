"""The strip of the lesson: above the key bar, or on a large screen beside the panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.geometry import Size

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.tui.widgets.canvas import Canvas

if TYPE_CHECKING:  # numpy: what draws it is imported with the chapters
    from tui_backprop.render.panels.lesson import LessonView

ROWS = ((40, 14), (30, 11), (24, 8), (20, 7), (0, 6))  # of the screen at least, and of the strip
BESIDE = Size(116, 30)  # of the screen from which it stands beside the panels


class LessonStrip(Canvas):
    """Shows a step of the lesson, page by page; it is empty until there is one. It never has the focus."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id="lesson")
        self._view: LessonView | None = None
        self._page = 0

    def show(self, view: LessonView) -> None:
        """Show a step; another one begins with its first page."""
        if view != self._view:
            if self._view is None or view.number != self._view.number:
                self._page = 0
            self._view = view
            self.redraw()

    def turn(self, by: int) -> bool:
        """Turn to the next page of the step, or to the one before; return False where there is none."""
        from tui_backprop.render.panels.lesson import page_count

        if self._view is None or not all(self.size):
            return False
        pages = page_count(self._view, *self.size, self.render_context)
        at = min(self._page, pages - 1) + by
        if not 0 <= at < pages:
            return False
        self._page = at
        self.redraw()
        return True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if viewport.width >= BESIDE.width and viewport.height >= BESIDE.height:
            return container.height
        return next(rows for least, rows in ROWS if viewport.height >= least)

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._view is None:
            return []
        from tui_backprop.render.panels.lesson import lesson_lines

        return lesson_lines(self._view, self._page, columns, rows, self.render_context)
