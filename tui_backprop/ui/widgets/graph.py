"""The graph panel: the recorded computation graph, with the walk's cursor on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from tui_backprop.session import Session
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "app.step_on", show=False),
        Binding("left,h", "app.step_back", show=False),
        Binding("down,j", "app.along_graph(1)", show=False),
        Binding("up,k", "app.along_graph(-1)", show=False),
        Binding("home", "app.ends(0)", show=False),
        Binding("end", "app.ends(1)", show=False),
    ]

    def concern(self, session: Session) -> Session:
        return session.walked

    def picture(self, moment: Moment, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.graph import graph_panel

        return graph_panel(moment, cast("Timing | None", found), columns, rows, self._glyphs)
