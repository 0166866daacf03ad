"""The blame panel: which weights caused the error. Its contents are computed by ``tui/app/ranking.py``."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import BlameState
from tui_backprop.tui.panels.base import Panel, PanelCanvas


class BlameView(PanelCanvas):
    """Draws a ranking, and the details of the parameter under the cursor."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("blame", context)
        self._blame_state: BlameState | None = None

    def show(self, blame_state: BlameState) -> None:
        self._blame_state = blame_state
        self.redraw()

    def wait(self, words: str) -> None:
        self._blame_state = None
        super().wait(words)

    def contents(self, columns: int, rows: int) -> Sequence[Line]:
        if self._blame_state is None:
            return self.waiting(columns)
        from tui_backprop.render.panels.blame import blame_panel  # numpy: after the first paint
        from tui_backprop.render.panels.edits import edit_lines

        moved = edit_lines(self._blame_state.session, columns, self.render_context)
        return [*moved, *blame_panel(self._blame_state, columns, rows - len(moved), self.render_context)]


PANEL = Panel(BlameView)
