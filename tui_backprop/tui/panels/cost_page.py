"""A page of the cost panel: the names of all pages at the top, and the page below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.render.cost.page_bar import pages
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import SnapshotView
from tui_backprop.tui.widgets.scrolled import window

MEASURING = "measuring a forward pass on this machine …"


# Draws a page in so many columns and rows, from a snapshot, the result of its query, and the costs.
DrawPage = Callable[[Snapshot, object, CostState, int, int, RenderContext], Sequence[Line]]


class CostPage(SnapshotView):
    """Draws a snapshot and the costs with ``draw_page``; lines that do not fit scroll. ``spaced`` is the least number
    of rows with a blank line under the names."""

    spaced = 16

    def __init__(
        self, panel: str, context: RenderContext, draw_page: DrawPage | None = None, *, partial: bool = False
    ) -> None:
        super().__init__(panel, context, partial=partial)
        self._draw_page = draw_page
        self._costs: CostState | None = None
        self._first = 0  # line shown

    def action_scroll_page(self, by: int) -> None:
        self._first = max(self._first + by, 0)
        self.redraw()

    def cost(self, costs: CostState) -> None:
        """Show the known costs."""
        if costs != self._costs:
            self._costs = costs
            self.redraw()

    def contents(self, columns: int, rows: int) -> Sequence[Line]:
        head: list[Line] = [pages(self.panel, columns, self.render_context)]
        head += [()] if rows >= self.spaced else []
        return [*head, *self.below(columns, rows - len(head))]

    def below(self, columns: int, rows: int) -> Sequence[Line]:
        """Return the lines below the names, also while there is nothing to show."""
        return super().contents(columns, rows)

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        if self._costs is None:
            return wrap(MEASURING, columns, "muted")
        return self.page(snapshot, found, self._costs, columns, rows)

    def page(
        self, snapshot: Snapshot, found: object, costs: CostState, columns: int, rows: int
    ) -> Sequence[Line]:
        """Return the lines of the page."""
        if self._draw_page is None:
            return ()
        lines = self._draw_page(snapshot, found, costs, columns, rows, self.render_context)
        self._first, shown = window(lines, self._first, rows)
        return shown
