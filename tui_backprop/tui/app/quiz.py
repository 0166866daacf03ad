"""The quiz in the app: it goes on where it was left, here or in ``backprop-tui quiz``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.keeping import Keeping
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:
    from tui_backprop.lesson.quiz import Course, Quiz
    from tui_backprop.lesson.sitting import Sitting
    from tui_backprop.tui.screens.quiz import QuizScreen

TOLD = 8.0  # seconds that the way back is named


def _save(quiz: Quiz) -> None:
    from tui_backprop.lesson.quiz_progress import save

    save(quiz)


class QuizControl:
    """Open the quiz, keep its answers, and show in the app what refutes a wrong one."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state
        self._left: Sitting | None = None  # with an answer that the app refutes meanwhile
        self._keeping = Keeping(app, "quiz", _save)

    def action_quiz(self) -> None:
        """Open the quiz at the question at which it was left."""
        from tui_backprop.lesson.quiz import course
        from tui_backprop.tui.screens.quiz import QuizScreen

        every = course()
        sitting, self._left = self._left or self._resumed(every), None
        screen = QuizScreen(every, sitting, self._keep, self._app.render_context)
        self._app.open_dialog(screen, partial(self._closed, screen))

    def _resumed(self, every: Course) -> Sitting:
        from tui_backprop.lesson.quiz import Quiz
        from tui_backprop.lesson.quiz_progress import last
        from tui_backprop.lesson.sitting import Sitting

        try:
            quiz = last(every)
        except FileError as error:
            self._app.warn(f"{error.message[:1].upper()}{error.message[1:]}.")
            quiz = None
        return Sitting(quiz or Quiz(0, every.chapters))

    def _keep(self, sitting: Sitting) -> None:
        if not sitting.answered or sitting.saved.given:
            self._keeping.keep(sitting.saved)

    def close(self) -> None:
        """Save what is not saved yet."""
        self._keeping.close()

    def _closed(self, screen: QuizScreen, there: Session | None) -> None:
        """Go to the state that was asked for, if any."""
        if there is None:
            return
        self._left = screen.sitting
        self._state.go(there)
        self._app.to_panel(there.panel)
        self._app.say(
            self._app.render_context.words("{quiz} goes on with the quiz, {undo} undoes this"), TOLD
        )
