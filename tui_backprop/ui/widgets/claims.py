"""The page of the cost panel that holds the lesson's claims against this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from tui_backprop.ui.bindings import bindings
from tui_backprop.ui.moment import Costs, Moment
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.page import CostPage


class ClaimsView(CostPage):
    """It follows the costs alone."""

    NAME = "claims"
    BINDINGS: ClassVar[list[BindingType]] = bindings("claims")

    def page(self, moment: Moment, found: object, costs: Costs, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.ui.renderables.claims import claims_lines

        return claims_lines(costs, columns, rows, self._glyphs)
