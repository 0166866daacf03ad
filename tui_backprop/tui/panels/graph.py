"""The graph panel: the recorded computation graph, with the walk's cursor on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.base import Panel

if TYPE_CHECKING:
    from tui_backprop.cost.accounting.timing import Timing


class GraphView(Panel):
    """Its question is answered by ``engine.timing``. Its keys move the walk's cursor: down the graph on the way
    forward is a step on, and up on the way back."""

    NAME = "graph"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("graph")

    def concern(self, session: Session) -> Session:
        return session.walked

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.graph import graph_panel

        return graph_panel(snapshot, cast("Timing | None", found), columns, rows, self.render_context)
