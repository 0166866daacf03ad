"""The claims page of the cost panel: the lesson's claims about costs, beside those of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.cost_page import CostPage


def _draw(
    snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.render.cost.claims import claims_lines

    return claims_lines(costs, columns, context)


def _view(context: RenderContext) -> CostPage:
    return CostPage("claims", context, _draw)


PANEL = Panel(_view)
