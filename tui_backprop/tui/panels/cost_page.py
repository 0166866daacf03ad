"""A page of the cost panel: the names of all pages on top, and below what the page has to show."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.view_state import CostState, Snapshot
from tui_backprop.tui.panels.base import Panel

LEFT_OUT = 16  # rows below which there is no blank line under the names


class CostPage(Panel):
    """Subclasses say in ``page`` what is drawn, from the moment, the answer to their question, and the costs."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context)
        self._costs: CostState | None = None

    def cost(self, costs: CostState) -> None:
        """Show what is known of costs."""
        if costs != self._costs:
            self._costs = costs
            self.redraw()

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.cost.cost import pages  # numpy: after the first paint

        if self._costs is None:
            return [line(("measuring …", "muted"))]
        head: list[Line] = [pages(self.NAME, columns, self.render_context)]
        head += [()] if rows >= LEFT_OUT else []
        return [*head, *self.page(snapshot, found, self._costs, columns, rows - len(head))]

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        """The lines below the names."""
        return ()
