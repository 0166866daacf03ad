"""The curves panel: a unit's activation function, and the loss along one or two weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.base import Panel

if TYPE_CHECKING:
    from tui_backprop.engine.analysis.loss_slices import Slice


class CurvesView(Panel):
    """Its question is answered by ``engine.slices``."""

    NAME = "curves"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("curves")

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.curves import curves_panel

        return curves_panel(snapshot, cast("Slice | None", found), columns, rows, self.render_context)
