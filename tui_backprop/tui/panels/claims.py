"""The page of the cost panel that holds the lesson's claims against this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.cost_page import CostPage


class ClaimsView(CostPage):
    """It follows the costs alone."""

    NAME = "claims"
    BINDINGS: ClassVar[list[BindingType]] = bindings("claims")

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        from tui_backprop.render.cost.claims import claims_lines

        return claims_lines(costs, columns, rows, self.render_context)
