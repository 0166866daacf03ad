"""The curves panel: a unit's activation function, and the loss along one or two weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui_backprop.engine.slices import Slice


class CurvesView(Panel):
    """Its question is answered by ``engine.slices``."""

    NAME = "curves"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "app.other_unit(-1)", show=False),
        Binding("down,j", "app.other_unit(1)", show=False),
        Binding("right,l", "app.step_on", show=False),
        Binding("left,h", "app.step_back", show=False),
        Binding("w", "app.two_weights", show=False),
        Binding("a", "app.unasked", show=False),
    ]

    def picture(self, moment: Moment, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.curves import curves_panel

        return curves_panel(moment, cast("Slice | None", found), columns, rows, self._glyphs)
