"""The panel of bookmarks: places to come back to, and to hold against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui_backprop.engine.difference import Difference


class MarksView(Panel):
    """Its question is answered by ``engine.difference``."""

    NAME = "marks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "app.bookmark(-1)", show=False),
        Binding("down,j", "app.bookmark(1)", show=False),
        Binding("enter", "app.to_bookmark", show=False),
        Binding("w", "app.hold_bookmark", show=False),
        Binding("x,delete", "app.drop_bookmark", show=False),
    ]

    def picture(self, moment: Moment, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.marks import marks_panel

        return marks_panel(moment, cast("Difference | None", found), columns, rows, self._glyphs)
