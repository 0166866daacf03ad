"""Text to be copied, whole and from the first column on: a token, or the lines of a step in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas

Lines = Callable[[int], Sequence[str]]  # the text in lines of so many columns
SENT = "Sent to the clipboard, if the terminal allows it. To select it here, hold shift."


class Page(Canvas):
    """Shows the text below what it is."""

    def __init__(self, title: str, lines: Lines, context: RenderContext) -> None:
        super().__init__(context, id="copy-page")
        self._title, self._text, self._first = title, lines, 0

    def scroll_lines(self, by: int) -> None:
        self._first = max(self._first + by, 0)
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        text = self._text(columns)
        head = [line((self._title, "strong")), *wrap(SENT, columns, "muted"), ()]
        close = [(), line(("esc", "key"), (" closes", "muted"))]
        room = max(rows - len(head) - len(close), 1)
        if len(text) > room:
            keys = line(("↑ ↓", "key"), (f" scroll the {len(text):,} lines   ", "muted"))
            close[-1] = line(*self.render_context.fit(keys), *close[-1])
        self._first = min(self._first, max(len(text) - room, 0))
        return [*head, *(line(row) for row in text[self._first : self._first + room]), *close]


class CopyScreen(Dialog[None]):
    """Covers the whole screen, so that a selection has nothing but the text; escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", show=False),
        Binding("down,j", "scroll_lines(1)", show=False),
        Binding("pageup", "scroll_lines(-10)", show=False),
        Binding("pagedown", "scroll_lines(10)", show=False),
        Binding("escape,enter,q,y,Y,ctrl+g", "dismiss", show=False),
    ]

    def __init__(self, title: str, lines: Lines, context: RenderContext) -> None:
        super().__init__(context)
        self._page = Page(title, lines, context)

    def compose(self) -> ComposeResult:
        yield self._page

    def action_scroll_lines(self, by: int) -> None:
        self._page.scroll_lines(by)
