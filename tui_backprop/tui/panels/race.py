"""The race page of the cost panel: a numerical method against backpropagation. ``tui/app/race.py`` runs it."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.cost_state import CostState, ShownRace
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.cost_page import CostPage


def _draw(
    snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int, context: RenderContext
) -> Sequence[Line]:
    from tui_backprop.cost.race.race import RaceStatus
    from tui_backprop.render.cost.race import forecast_of, race_lines

    session = snapshot.session
    ready = RaceStatus(session.cost.method, parameters=session.network.parameters)
    race = costs.race or ShownRace(ready, session)
    return race_lines(race, columns, rows, context, forecast_of(race, costs))


def _view(context: RenderContext) -> CostPage:
    return CostPage("race", context, _draw)


PANEL = Panel(_view)
