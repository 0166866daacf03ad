"""The chart page of the cost panel: the chart, and the readout at its cursor."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, beside, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.cost_page import MEASURING, CostPage

TALL, WIDE, READOUT = 25, 56, 36  # below TALL rows, the readout is beside the chart from WIDE columns
BROAD, ROOMY = 100, 48  # from BROAD columns it is at any height, with ROOMY for the readout
LEAST = 10  # minimum rows of a chart with the readout below


class CostView(CostPage):
    """Draws the chart, with the readout beside it or below it."""

    spaced = 10**6  # the chart needs the rows

    def __init__(self, context: RenderContext) -> None:
        super().__init__("cost", context)

    def show(self, snapshot: Snapshot, found: object = None, failed: bool = False) -> None:
        """Ignore steps of the walk, which change nothing here."""

    def below(self, columns: int, rows: int) -> Sequence[Line]:
        costs = self._costs
        if costs is None or costs.cost_model is None:
            return wrap(MEASURING, columns, "muted")
        if not costs.shape.grows:
            from tui_backprop.render.cost.cost import fixed_readout

            return fixed_readout(costs, columns, rows, self.render_context)
        from tui_backprop.render.cost.chart import chart  # plotext: after the first paint
        from tui_backprop.render.cost.cost import heading, legend, readout
        from tui_backprop.render.cost.sweep import sweeping

        def plot(wide: int, high: int) -> list[Line]:
            over = [
                heading(costs, wide),
                *sweeping(costs, wide, self.render_context),
                legend(wide, self.render_context),
            ]
            return [*over, *chart(costs, wide, max(high - len(over), 4), self.render_context)]

        if columns >= (WIDE if rows < TALL else BROAD):
            room = READOUT if columns < BROAD else ROOMY
            left = columns - room - 3
            words = readout(costs, room, rows, self.render_context)
            return beside(plot(left, rows), words, left, 3)
        most = max(rows - max(LEAST, 2 * rows // 5), 3)
        words = readout(costs, columns, most, self.render_context)
        return [*plot(columns, rows - len(words)), *words]


PANEL = Panel(CostView)
