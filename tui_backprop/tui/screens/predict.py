"""The line in which a result is predicted: its sign, its shape or its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui_backprop.lesson.prediction import EXAMPLES, HINTS, Guess, read_guess
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.render.view_state import Veil
from tui_backprop.support.errors import InputError
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.line_input import LineInput

HINT = "question_mark"  # the key of a hint, which is part of no prediction


class GuessInput(LineInput):
    """Takes what is typed, but the key of a hint."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key != HINT and super().check_consume_key(key, character)


class Answer(Canvas):
    """Shows what was said of the last try, or what can be typed, and the last hint."""

    def __init__(self, veil: Veil, context: RenderContext) -> None:
        super().__init__(context, id="predict-answer")
        self._veil, self._wrong = veil, ""

    def show(self, veil: Veil, wrong: str = "") -> None:
        self._veil, self._wrong = veil, wrong
        self.redraw()

    @property
    def veil(self) -> Veil:
        return self._veil

    def drawn(self, columns: int, rows: int) -> list[Line]:
        said = self._wrong or self._veil.said
        lines = wrap(said, columns, "bad") if said else wrap(f"type {EXAMPLES}", columns, "muted")
        hint = wrap(self._veil.hints[-1], columns) if self._veil.hints else []
        return [*lines[: rows - len(hint)], *hint]


class PredictScreen(Dialog[None]):
    """One line over the app. ``judge`` is called with a prediction, ``hint`` when one is asked for; both call
    ``ready`` when the answer is known."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "dismiss", show=False),
        Binding(HINT, "hint", show=False, priority=True),
    ]

    def __init__(
        self,
        veil: Veil,
        judge: Callable[[Guess, PredictScreen], None],
        hint: Callable[[PredictScreen], None],
        context: RenderContext,
    ) -> None:
        super().__init__(context)
        self._judge, self._hint = judge, hint
        self._answer = Answer(veil, context)
        self._waits = False

    @property
    def waits(self) -> bool:
        return self._waits

    def compose(self) -> ComposeResult:
        with Vertical(id="predict", classes="box") as box:
            box.border_title = self.render_context.text(f"predict {self._answer.veil.entry}")
            yield GuessInput(compact=True)
            yield self._answer

    def on_mount(self) -> None:
        self._name_keys()

    def show(self, veil: Veil) -> None:
        """Show what was said of the last try, and the hints so far."""
        self._answer.show(veil)
        self._name_keys()

    def ready(self) -> None:
        """Take the next key."""
        self._waits = False

    def action_hint(self) -> None:
        self._hint(self)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            guess = read_guess(event.value)
        except InputError as error:
            self._answer.show(self._answer.veil, error.message)
        else:
            self._waits = True
            self._judge(guess, self)

    def _name_keys(self) -> None:
        left = HINTS - len(self._answer.veil.hints)
        last = "shows the number" if left == 1 else f"hint ({left} left)"
        self.query_one("#predict").border_subtitle = f"enter answers   ? {last}   esc closes"
