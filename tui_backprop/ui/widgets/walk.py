"""The walk panel: the backward trace, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, line
from tui_backprop.ui.widgets.canvas import Canvas


class WalkView(Canvas, can_focus=True):
    """Shows a Moment; before the first one is computed, what is coming."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="walk-view")
        self._moment: Moment | None = None

    def show(self, moment: Moment) -> None:
        self._moment = moment
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._moment is None:
            return [line(("Running the first forward and backward pass …", "muted"))]
        from tui_backprop.ui.renderables.walk import walk_panel  # numpy: after the first paint

        return walk_panel(self._moment, columns, rows, self._glyphs)
