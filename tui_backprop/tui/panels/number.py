"""The number panel: any one number, where it comes from, and what it is to blame for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.base import Panel


class NumberView(Panel):
    """Its question is how many gradients are larger. Its keys move from number to number."""

    NAME = "number"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("number")

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.number import number_panel

        return number_panel(
            snapshot, cast("tuple[int, int] | None", found), columns, rows, self.render_context
        )
