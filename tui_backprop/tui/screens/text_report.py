"""A report as text, which scrolls; until it is there, what is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.scrolled import Scrolled

WriteReport = Callable[[int], str]  # the text in so many columns


class ReportPage(Scrolled, can_focus=True):
    """Shows the lines of a report."""

    def __init__(self, waiting: str, context: RenderContext) -> None:
        super().__init__(context, id="report-page")
        self._waiting = waiting
        self.report: WriteReport | None = None

    def content(self, columns: int) -> Sequence[Line]:
        if self.report is None:
            return wrap(self._waiting, columns, "muted")
        return [line(text) for text in self.report(columns).splitlines()]


class ReportScreen(Dialog[None]):
    """A dialog with a ``title``; ``fill`` shows the report once it is computed."""

    AUTO_FOCUS = "#report-page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("escape,q,enter,H,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(self, title: str, waiting: str, context: RenderContext) -> None:
        super().__init__(context)
        self._title = title
        self._page = ReportPage(waiting, context)

    @property
    def waits(self) -> bool:
        return self._page.report is None

    def compose(self) -> ComposeResult:
        with Vertical(id="report", classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = self.render_context.text("↑ ↓ scroll   esc closes")
            yield self._page

    def fill(self, report: WriteReport) -> None:
        self._page.report = report
        self._page.redraw()

    def action_scroll(self, by: int) -> None:
        self._page.scroll_lines(by)
