"""The table of what is read as what, to choose which samples to look at."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui_backprop.ui.renderables.confusion import (
    ALL,
    Choice,
    Confusion,
    confusion_lines,
    footer,
    rows_of,
)
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line
from tui_backprop.ui.widgets.canvas import Canvas


class Table(Canvas, can_focus=True):
    """Draws a Confusion."""

    def __init__(self, confusion: Confusion, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="confusion-table")
        self.confusion = confusion

    def show(self, confusion: Confusion) -> None:
        self.confusion = confusion
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        return [self._glyphs.fit(row) for row in confusion_lines(self.confusion, columns, self._glyphs)]


class ConfusionScreen(ModalScreen[Choice | None]):
    """Over the app; enter goes to the next such sample, if there is one, escape back."""

    AUTO_FOCUS = "#confusion-table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left,h", "move(0, -1)", show=False),
        Binding("right,l", "move(0, 1)", show=False),
        Binding("enter,space", "choose", show=False),
        Binding("e", "all", show=False),
        *(Binding(str(digit), f"digit({digit})", show=False) for digit in range(10)),
        Binding("escape,q,C,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(self, confusion: Confusion, glyphs: Glyphs) -> None:
        super().__init__()
        self._confusion, self._glyphs = confusion, glyphs
        self._table = Table(confusion, glyphs)  # made here: a key may come before it is on the screen

    def compose(self) -> ComposeResult:
        self.set_class(self._glyphs.plain, "plain")
        with Vertical(id="confusion") as box:
            box.border_title = "what is read as what"
            box.styles.height = rows_of(self._confusion) + 2
            yield self._table

    def on_resize(self) -> None:
        box = self.query_one("#confusion")
        box.border_subtitle = footer(self._confusion, box.size.width, self._glyphs)

    def action_move(self, down: int, right: int) -> None:
        self._table.show(self._table.confusion.moved(down, right))

    def action_digit(self, digit: int) -> None:
        self._table.show(self._table.confusion.typed(digit))

    def action_choose(self) -> None:
        confusion = self._table.confusion
        if confusion.count:
            self.dismiss(confusion.cursor)
        else:
            self._table.show(confusion.asked())

    def action_all(self) -> None:
        self.dismiss(ALL)
