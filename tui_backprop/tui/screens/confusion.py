"""The confusion matrix, to choose which misclassified samples to step through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.panels.confusion import (
    ANY_WRONG,
    Cell,
    Confusion,
    confusion_lines,
    footer,
    rows_of,
)
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas


class Table(Canvas, can_focus=True):
    """Draws a confusion matrix; before that, how many samples are being classified."""

    confusion: Confusion | None = None

    def __init__(self, samples: int, context: RenderContext) -> None:
        super().__init__(context, id="confusion-table")
        self._samples = samples

    def show(self, confusion: Confusion) -> None:
        self.confusion = confusion
        self.redraw()

    def drawn(self, columns: int, rows: int) -> list[Line]:
        if self.confusion is None:
            return [self.render_context.fit(line((f"classifying {self._samples:,} samples ...", "muted")))]
        return [
            self.render_context.fit(row)
            for row in confusion_lines(self.confusion, columns, self.render_context)
        ]


class ConfusionScreen(Dialog[Cell | None]):
    """A dialog; enter goes to the next sample of the chosen cell, if there is one, escape closes it."""

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

    def __init__(self, classes: int, samples: int, context: RenderContext) -> None:
        super().__init__(context)
        self._count = classes
        self._table = Table(samples, context)

    @property
    def waits(self) -> bool:
        return self._table.confusion is None

    def compose(self) -> ComposeResult:
        with Vertical(id="confusion", classes="box") as box:
            box.border_title = "confusion matrix"
            box.styles.height = rows_of(self._count) + 2
            yield self._table

    def on_resize(self) -> None:
        box = self.query_one("#confusion")
        box.border_subtitle = footer(self._count, box.size.width, self.render_context)

    def fill(self, counts: Sequence[Sequence[int]], chosen: Cell | None) -> None:
        """Show the counts (in the last column those without a prediction), with the cursor at ``chosen`` (None: at
        the most frequent error)."""
        none = [last for *_, last in counts]
        self._table.show(Confusion([row[:-1] for row in counts], chosen, none=none))

    def action_move(self, down: int, right: int) -> None:
        self._do(lambda confusion: self._table.show(confusion.moved(down, right)))

    def action_digit(self, digit: int) -> None:
        self._do(lambda confusion: self._table.show(confusion.typed(digit)))

    def action_choose(self) -> None:
        self._do(self._choose)

    def action_all(self) -> None:
        self.dismiss(ANY_WRONG)

    def _choose(self, confusion: Confusion) -> None:
        if confusion.count:
            self.dismiss(confusion.cursor)
        else:
            self._table.show(confusion.asked())

    def _do(self, action: Callable[[Confusion], object]) -> None:
        """Run an action on the matrix, if it is filled."""
        if self._table.confusion is not None:
            action(self._table.confusion)
