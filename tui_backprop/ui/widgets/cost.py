"""The cost panel: the chart and what it says under its cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_backprop.ui.messages import CursorMoved
from tui_backprop.ui.moment import Costs
from tui_backprop.ui.renderables.cost import legend, readout
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, beside, line
from tui_backprop.ui.widgets.canvas import Canvas

DECADES = 3.0, 12.0
TALL, WIDE, READOUT = 26, 56, 34  # the words stand beside the chart below so many rows, from so many columns
NUDGE = 0.25  # decades that a key moves the cursor


class CostView(Canvas, can_focus=True):
    """Shows Costs; its cursor keys ask the app for another parameter count."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", show=False),
        Binding("right,l", "move(1)", show=False),
        Binding("home", "here", show=False),
        Binding("end", "move(99)", show=False),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="cost-view")
        self._costs: Costs | None = None

    def show(self, costs: Costs) -> None:
        if costs == self._costs:
            return
        self._costs = costs
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        costs = self._costs
        if costs is None:
            return [line(("measuring …", "muted"))]
        below = readout(costs, READOUT if rows < TALL and columns >= WIDE else columns)
        if costs.machine is None:
            return [self._glyphs.fit(row) for row in below]
        from tui_backprop.ui.renderables.chart import chart  # plotext: after the first paint

        machine = costs.machine

        def plot(wide: int, high: int) -> list[Line]:
            drawn = chart(
                machine, costs.parameters, costs.network.parameters, wide, max(high, 4), self._glyphs
            )
            return [legend(wide, self._glyphs), *drawn]

        if rows < TALL and columns >= WIDE:
            lines = beside(plot(columns - READOUT - 2, rows - 1), [(), *below], columns - READOUT - 2)
        else:
            lines = [*plot(columns, rows - len(below) - 2), (), *below]
        return [self._glyphs.fit(row) for row in lines]

    def action_move(self, direction: int) -> None:
        if self._costs is not None:
            at = round(math.log10(self._costs.parameters) / NUDGE + direction * 0.5001) * NUDGE
            self.post_message(CursorMoved(min(max(at, DECADES[0]), DECADES[1])))

    def action_here(self) -> None:
        self.post_message(CursorMoved(None))
