"""The flow panel: how large gradients are over depth, and what a practitioner would say of it."""

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
    from tui_backprop.engine.analysis.gradient_flow import Flow


class FlowView(Panel):
    """Its question is answered by ``engine.flow``."""

    NAME = "flow"
    BINDINGS: ClassVar[list[BindingType]] = bindings("flow")

    def concern(self, session: Session) -> Session:
        return session.walked

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.flow import flow_panel

        return flow_panel(snapshot, cast("Flow | None", found), columns, rows, self.render_context)
