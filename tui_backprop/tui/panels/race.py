"""The page of the cost panel on which a numerical method races backprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.cost_page import CostPage

if TYPE_CHECKING:
    from tui_backprop.render.cost.race import Filling


class RaceView(CostPage):
    """How the race stands, it is told with the costs; and how the gradient fills in, apart."""

    NAME = "race"
    BINDINGS: ClassVar[list[BindingType]] = bindings("race")

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context)
        self._filling: Filling | None = None

    def fill(self, filling: Filling | None) -> None:
        """The gradients, as far as they are there; drawn with the next costs."""
        self._filling = filling

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        from tui_backprop.cost.race.race import RaceStatus
        from tui_backprop.render.cost.race import entry_of, race_lines

        ready = RaceStatus(snapshot.session.cost.method, parameters=costs.network.parameters)
        standing = costs.race or ready
        entry = entry_of(standing, costs)
        return race_lines(standing, self._filling, columns, rows, self.render_context, entry)
