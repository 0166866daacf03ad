"""The ledger page of the cost panel: the time and FLOPs of every layer, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.cost_page import CostPage
from tui_backprop.tui.panels.operation_times import TIMING

if TYPE_CHECKING:
    from tui_backprop.cost.accounting.operation_times import Timing


class LedgerView(CostPage):
    """Draws the ledger; its layers scroll."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("ledger", context, partial=True)
        self._first = 0

    def action_scroll_ledger(self, direction: int) -> None:
        if self._snapshot is not None:
            last = self._snapshot.graph.depth - 1
            self._first = min(max(self._first + direction, 0), last)
            self.redraw()

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        from tui_backprop.cost.accounting.ledger import ledger
        from tui_backprop.cost.accounting.memory_ledger import memory_ledger
        from tui_backprop.cost.model.certainty import ratio_of
        from tui_backprop.cost.model.network_shape import shape_of
        from tui_backprop.render.cost.ledger import ledger_lines

        session = snapshot.session
        book = ledger(session.network, session.batch, cast("Timing | None", found))
        memory = memory_ledger(book, session.optimizer)
        shape, here = shape_of(session.network), costs.here
        in_time = None
        if here is not None:
            in_time = ratio_of(here.seconds("backprop", shape), here.seconds("forward", shape))
        return ledger_lines(book, memory, columns, rows, self.render_context, self._first, in_time)


PANEL = Panel(LedgerView, TIMING)
