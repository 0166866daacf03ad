"""The parts of the network form: its rows, and an editor that is laid over one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.line_input import LineInput


class Go(Message):
    """Select the previous (-1) or the next (+1) row."""

    def __init__(self, direction: int) -> None:
        super().__init__()
        self.direction = direction


class Discard(Message):
    """Discard all edits."""


class Complete(Message):
    """Complete the path in the editor, or go to the next row."""


class Editor(LineInput):
    """The value of a text row while it is edited; up and down leave it for another row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "go(-1)", show=False),
        Binding("down", "go(1)", show=False),
        Binding("tab", "complete", show=False),
        Binding("escape", "discard", show=False),
    ]

    def action_discard(self) -> None:
        self.post_message(Discard())

    def action_go(self, direction: int) -> None:
        self.post_message(Go(direction))

    def action_complete(self) -> None:
        self.post_message(Complete())


class FormView(Canvas, can_focus=True):
    """Shows the rows. On a row with choices, left and right step through them, and a letter goes to the next choice
    that begins with it, so that typing is an edit in every row."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("network")

    class Turn(Message):
        """The previous (-1) or the next (+1) choice of the selected row."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Typed(Message):
        """A text was typed, or pasted, on a row with choices."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Pick(Message):
        """A line was clicked."""

        def __init__(self, y: int) -> None:
            super().__init__()
            self.y = y

    class Apply(Message):
        """Build the network that the form describes."""

    def __init__(self, draw_rows: Callable[[int, int], list[Line]], context: RenderContext) -> None:
        super().__init__(context, id="network-view")
        self.draw_rows = draw_rows

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        return self.draw_rows(columns, rows)

    def action_go(self, direction: int) -> None:
        self.post_message(Go(direction))

    def action_turn(self, direction: int) -> None:
        self.post_message(self.Turn(direction))

    def action_apply(self) -> None:
        self.post_message(self.Apply())

    def action_discard(self) -> None:
        self.post_message(Discard())

    def on_key(self, event: events.Key) -> None:
        if event.character and event.is_printable and event.key not in self._bindings.key_to_bindings:
            event.stop()
            self.post_message(self.Typed(event.character))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if text := "".join(filter(str.isprintable, event.text)):
            self.post_message(self.Typed(text))

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Pick(event.y))
