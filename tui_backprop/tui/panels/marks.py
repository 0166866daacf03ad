"""The panel of bookmarks: places to come back to, and to hold against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.base import Panel

if TYPE_CHECKING:
    from tui_backprop.engine.analysis.comparison import Difference


SCROLLED = 3  # tensors by which a press scrolls: on the smallest screen, no more than are seen


class MarksView(Panel):
    """Its question is answered by ``engine.difference``."""

    NAME = "marks"
    BINDINGS: ClassVar[list[BindingType]] = bindings("marks")

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context)
        self._first = 0  # of the tensors, the one on top

    def action_scroll_tensors(self, direction: int) -> None:
        found = cast("Difference | None", self._found)
        if found is not None:
            self._first = min(max(self._first + direction * SCROLLED, 0), max(len(found.changes) - 1, 0))
            self.redraw()

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.marks import marks_panel

        return marks_panel(
            snapshot, cast("Difference | None", found), columns, rows, self.render_context, self._first
        )
