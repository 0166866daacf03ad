"""The quiz: one question at a time, what is said of the answer, and the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_backprop.lesson.quiz import Course
from tui_backprop.lesson.quiz_words import LETTERS
from tui_backprop.lesson.sitting import Sitting
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.panels.quiz import quiz_keys, quiz_lines
from tui_backprop.session.state import Session
from tui_backprop.tui.screens.dialog import Dialog
from tui_backprop.tui.widgets.scrolled import Scrolled

FRAME = 4  # columns of the frame that its subtitle leaves free


class QuizPage(Scrolled, can_focus=True):
    """Shows what the quiz is at."""

    def __init__(self, course: Course, sitting: Sitting, context: RenderContext) -> None:
        super().__init__(context, id="quiz-page")
        self._course, self._sitting = course, sitting

    def show(self, sitting: Sitting) -> None:
        """Show another question from its beginning, or the end of what is said of the answer."""
        self._sitting = sitting
        (self.to_bottom if sitting.answered else self.to_top)()

    def content(self, columns: int) -> Sequence[Line]:
        return quiz_lines(self._course, self._sitting, columns, self.render_context)


class QuizScreen(Dialog[Session | None]):
    """A dialog; it returns the state of the app that shows why an answer is wrong, if that is asked for. ``keep`` is
    called with each new state of the quiz."""

    AUTO_FOCUS = "#quiz-page"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(each, f"answer({i}, True)", show=False) for i, each in enumerate(LETTERS)),
        *(Binding(each.upper(), f"answer({i}, False)", show=False) for i, each in enumerate(LETTERS)),
        Binding("s", "skip", show=False),
        Binding("enter,space", "go_on", show=False),
        Binding("g", "see", show=False),
        Binding("n", "new", show=False),
        Binding("left,h", "turn(-1)", show=False),
        Binding("right,l", "turn(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("escape,q,Q,ctrl+g", "dismiss(None)", show=False),
    ]

    def __init__(
        self, course: Course, sitting: Sitting, keep: Callable[[Sitting], None], context: RenderContext
    ) -> None:
        super().__init__(context)
        self.sitting = sitting
        self._course, self._keep = course, keep
        self._page = QuizPage(course, sitting, context)

    def compose(self) -> ComposeResult:
        with Vertical(id="quiz", classes="box") as box:
            box.border_title = "quiz"
            yield self._page

    def on_resize(self) -> None:
        self._name_keys()

    def action_answer(self, option: int, sure: bool) -> None:
        self._show(self.sitting.answering(self._course, option, sure))

    def action_skip(self) -> None:
        self._show(self.sitting.answering(self._course, None))

    def action_go_on(self) -> None:
        self._show(self.sitting.going_on())

    def action_new(self) -> None:
        self._show(self.sitting.anew(self._course))

    def action_turn(self, by: int) -> None:
        self._show(self.sitting.turning(self._course, by))

    def action_see(self) -> None:
        """Go to the place that shows what is right."""
        if self.sitting.answered and (there := self.sitting.answered.seen_at):
            self.dismiss(there)

    def action_scroll(self, by: int) -> None:
        self._page.scroll_lines(by)

    def _show(self, sitting: Sitting) -> None:
        if sitting != self.sitting:
            self.sitting = sitting
            self._keep(sitting)
            self._page.show(sitting)
            self._name_keys()

    def _name_keys(self) -> None:
        """Name as many keys as fit into the frame; the one that closes is always among them."""
        box = self.query_one("#quiz")
        *keys, close = map(self.render_context.text, quiz_keys(self._course, self.sitting))
        while keys and len("   ".join((*keys, close))) > box.size.width - FRAME:
            keys.pop()
        box.border_subtitle = "   ".join((*keys, close))
