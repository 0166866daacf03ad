"""The strip above the key bar that shows the tour."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from tui_backprop.engine.network.model import Model
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.panels.tour import strip_rows, tour_strip
from tui_backprop.tui.widgets.canvas import Canvas


class TourStrip(Canvas):
    """Shows one card; it never has the focus."""

    def __init__(self, card: int, network: Model, context: RenderContext) -> None:
        super().__init__(context, id="tour")
        self._shown = card, network, "walk"

    def show(self, card: int, network: Model, panel: str) -> None:
        """Show a card, while a ``panel`` has the focus."""
        if self._shown != (card, network, panel):
            self._shown = card, network, panel
            self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return strip_rows(*viewport)

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        card, network, panel = self._shown
        return tour_strip(card, network, panel, columns, rows, self.render_context)
