"""The prompt that finds a number by its name, or an iteration."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui_backprop.engine.explain.address import Address, examples, parse_address
from tui_backprop.engine.network.graph import Graph
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.support.errors import UserError
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.line_input import LineInput


class Hint(Canvas):
    """Shows what can be typed, or what is wrong with the input."""

    DEFAULT_CSS = "Hint { height: 2; }"

    def __init__(self, graph: Graph, last: int, context: RenderContext) -> None:
        super().__init__(context, id="hint")
        which = f"; or an iteration, 0 to {last:,}" if last else ""
        self._said = (f"such as {examples(graph)}{which}", "muted")

    def say(self, words: str) -> None:
        self._said = words, "bad"
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        words, role = self._said
        return wrap(words, columns, role)[:rows]


class FindScreen(Dialog[Address | None]):
    """One line over the app; enter goes to the number or iteration typed, escape closes the dialog."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+g", "dismiss(None)", show=False)]

    def __init__(self, graph: Graph, last: int, context: RenderContext) -> None:
        super().__init__(context)
        self._graph, self._last = graph, last  # the last iteration that was trained

    def compose(self) -> ComposeResult:
        with Vertical(id="find", classes="box") as box:
            box.border_title = "find a number, an array or an iteration"
            box.border_subtitle = "enter goes there   esc closes"
            yield LineInput(compact=True)
            yield Hint(self._graph, self._last, self.render_context)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(parse_address(event.value, self._graph, self._last))
        except UserError as error:
            self.query_one(Hint).say(error.message)
