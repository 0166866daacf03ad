"""The number panel: any one number, where it comes from, and what it is to blame for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual.binding import Binding, BindingType

from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.panel import Panel


class NumberView(Panel):
    """Its question is how many gradients are larger. Its keys move from number to number."""

    NAME = "number"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "app.number(0, -1)", show=False),
        Binding("down,j", "app.number(0, 1)", show=False),
        Binding("left,h", "app.number(1, -1)", show=False),
        Binding("right,l", "app.number(1, 1)", show=False),
        Binding("left_square_bracket", "app.tensor(-1)", show=False),
        Binding("right_square_bracket", "app.tensor(1)", show=False),
        Binding("m", "app.largest", show=False),
        Binding("w", "app.pin", show=False),
        Binding("a", "app.unasked", show=False),
    ]

    def picture(self, moment: Moment, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.number import number_panel

        return number_panel(moment, cast("tuple[int, int] | None", found), columns, rows, self._glyphs)
