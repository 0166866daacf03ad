"""The graph panel: the recorded computation graph, with the walk's cursor on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.session import Session
from tui_backprop.ui.bindings import bindings
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui_backprop.engine.timing import Timing


class GraphView(Panel):
    """Its question is answered by ``engine.timing``. Its keys move the walk's cursor: down the graph on the way
    forward is a step on, and up on the way back."""

    NAME = "graph"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("graph")

    def concern(self, session: Session) -> Session:
        return session.walked

    def picture(self, moment: Moment, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.graph import graph_panel

        return graph_panel(moment, cast("Timing | None", found), columns, rows, self._glyphs)
