"""The command palette: commands, pages and words by any word that people use for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui_backprop.keys.search import Command
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.panels.palette import palette_lines
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.line_input import LineInput

PAGE = 10  # entries that page up and page down move


class CommandList(Canvas):
    """Shows the commands that were found, or ``what`` else, one of them selected."""

    def __init__(self, found: Sequence[Command], context: RenderContext, what: str = "command") -> None:
        super().__init__(context, id="palette-list")
        self._found, self._at, self._what = found, 0, what

    @property
    def selected(self) -> Command | None:
        return self._found[self._at] if self._found else None

    @property
    def at(self) -> int:
        """The index of the selected command."""
        return self._at

    def show(self, found: Sequence[Command], at: int = 0) -> None:
        """Show other commands, and select one of them: the best match."""
        self._found, self._at = found, at
        self.redraw()

    def move(self, by: int) -> None:
        self._at = min(max(self._at + by, 0), max(len(self._found) - 1, 0))
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        return palette_lines(self._found, self._at, columns, rows, self.render_context, self._what)


class PaletteScreen(Dialog[str]):
    """A dialog; typing searches, enter returns the id of the selected command, escape closes it."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", f"move(-{PAGE})", show=False),
        Binding("pagedown", f"move({PAGE})", show=False),
        Binding("escape,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(self, find: Callable[[str], Sequence[Command]], context: RenderContext) -> None:
        super().__init__(context)
        self._find = find
        self._list = CommandList(
            find(""), context
        )  # created here: a key may arrive before it is on the screen

    def compose(self) -> ComposeResult:
        with Vertical(id="palette", classes="box") as box:
            box.border_title = "search commands"
            box.border_subtitle = self.render_context.text("↑ ↓ select   enter runs it   esc closes")
            yield LineInput(placeholder="type to search", compact=True)
            yield self._list

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._list.show(self._find(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._list.selected is not None:
            self.dismiss(self._list.selected.id)

    def action_move(self, by: int) -> None:
        self._list.move(by)
