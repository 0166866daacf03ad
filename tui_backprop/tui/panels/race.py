"""The race page of the cost panel: a numerical method against backpropagation. ``tui/app/race.py`` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.render.cost.race import RaceGradients


class RaceView(CostPage):
    """Draws the status of the race, which comes with the costs, and the gradient as it fills in."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("race", context)
        self._filling: RaceGradients | None = None

    def fill(self, filling: RaceGradients | None) -> None:
        """Set the gradient as far as it is known; it is drawn with the next costs."""
        self._filling = filling

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        from tui_backprop.cost.race.race import RaceStatus
        from tui_backprop.render.cost.race import forecast_of, race_lines

        ready = RaceStatus(snapshot.session.cost.method, parameters=costs.network.parameters)
        status = costs.race or ready
        entry = forecast_of(status, costs)
        return race_lines(status, self._filling, columns, rows, self.render_context, entry)


PANEL = Panel(RaceView)
