"""The summary below the walk on a large screen: what the panels that are not shown would say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from textual.geometry import Size

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Findings
from tui_backprop.tui.messages import ToDo
from tui_backprop.tui.widgets.canvas import Canvas

ROOMY = Size(160, 50)  # columns and rows of a terminal from which there is a summary

Draw = Callable[[Findings, int, int, RenderContext], Sequence[Line]]


def roomy(size: Size) -> bool:
    """Return True if a terminal is large enough for a summary."""
    return size.width >= ROOMY.width and size.height >= ROOMY.height


def summaries(size: Size, context: RenderContext) -> list[Summary]:
    """Return the summary for a terminal of a size; none where there is no room for it."""
    return [Summary(context)] if roomy(size) else []


class Summary(Canvas):
    """Draws findings, below the walk. What draws them is imported in a worker, after the first paint."""

    DEFAULT_CSS = "Summary { height: 17; }"

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id="summary-view")
        self._findings = Findings()
        self._draw: Draw | None = None
        self._due = False

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, ToDo("summary", self._load))

    def _load(self) -> None:
        from tui_backprop.render.panels.summary import summary_lines  # numpy and plotext

        self.app.call_from_thread(self._loaded, summary_lines)

    def _loaded(self, draw: Draw) -> None:
        self._draw = draw
        self.redraw()

    def tell(self, **known: Any) -> None:
        """Take what has become known, by the names of ``Findings``, and draw it after the other panels. While it is
        hidden, nothing is kept."""
        if not self.display:
            self._findings = Findings()
        elif any(getattr(self._findings, name) is not value for name, value in known.items()):
            self._findings = replace(self._findings, **known)
            if not self._due:
                self._due = self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        self._due = False
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        return self._draw(self._findings, columns, rows, self.render_context) if self._draw else ()
