"""Predict, then reveal: the walk hides the result of each step until it is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.lesson.asked_entry import AskedEntry
    from tui_backprop.lesson.predicting import Predicting
    from tui_backprop.lesson.prediction import Guess, Judged
    from tui_backprop.render.view_state import Veil
    from tui_backprop.tui.screens.predict import PredictScreen

OFF = "predicting is over"
NOTHING = "there is nothing to predict here; the next step has something"


class PredictControl:
    """Hide results, and judge predictions. The mode belongs to the learner, not to the session: it is not saved."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state
        self._now: Predicting | None = None  # None: results are shown
        self._asked: AskedEntry | None = None  # what is hidden at the current step
        state.veil_of = self._veil

    # --- actions -----------------------------------------------------------------------------------------------

    def action_predict(self) -> None:
        """Begin or stop to hide results; that of the current step has been seen."""

        def toggle(session: Session, snapshot: Snapshot) -> Session:
            self._toggle(snapshot)
            self._app.call_soon(self._state.show_again)
            return session

        self._state.move(toggle)

    def _toggle(self, snapshot: Snapshot) -> None:
        from tui_backprop.lesson.predicting import Predicting

        if self._now is not None:
            self._app.say(f"{OFF}: {self._now.earned} of {self._now.passed} predicted")
            self._now = None
            return
        self._now = Predicting().at(_pass_of(snapshot), snapshot.step.index).showing()
        words = "from the next step on, predict the result: {guess}; {predict} stops"
        self._app.say(self._app.render_context.words(words))

    def action_guess(self) -> None:
        """Ask for a prediction of what is hidden."""

        def ask(session: Session, snapshot: Snapshot) -> Session:
            self._ask(snapshot)
            return session

        self._state.move(ask, numbers=True)

    def _ask(self, snapshot: Snapshot) -> None:
        from tui_backprop.tui.screens.predict import PredictScreen

        if snapshot.veil and snapshot.hidden:
            self._app.open_dialog(
                PredictScreen(snapshot.veil, self._judge, self._hint, self._app.render_context)
            )
        else:
            self._app.say(
                NOTHING if self._now else self._app.render_context.words("{predict} begins to predict")
            )

    # --- what is hidden ----------------------------------------------------------------------------------------

    def _veil(self, snapshot: Snapshot) -> Veil | None:
        """Return what is hidden of a snapshot, and go to its step."""
        from tui_backprop.lesson.asked_entry import asked_entry
        from tui_backprop.render.view_state import Veil

        if self._now is None:
            return None
        step = snapshot.step
        self._now = self._now.at(_pass_of(snapshot), step.index)
        self._asked = None
        if self._now.hides:
            self._asked = asked_entry(snapshot.iteration, step, snapshot.unit(step.block), snapshot.number)
            if self._asked is None:
                self._now = self._now.showing()
        loss = next((each.index for each in snapshot.steps if _computes_loss(snapshot, each.tensor)), 0)
        return Veil(
            self._asked.name if self._asked else "",
            loss >= self._now.seen,
            self._now.said if self._asked else "",
            self._hints(snapshot),
            self._now.earned,
            self._now.passed,
        )

    def _hints(self, snapshot: Snapshot) -> tuple[str, ...]:
        from tui_backprop.engine.mutants.answers import Answers
        from tui_backprop.lesson.prediction import hints

        if self._asked is None or self._now is None:
            return ()
        answers = Answers(snapshot.iteration)
        return hints(answers, self._asked.step, self._asked.index, self._now.current.hints)

    # --- judging -----------------------------------------------------------------------------------------------

    def _hint(self, screen: PredictScreen) -> None:
        if self._now is not None:
            self._go(self._now.hinted(), screen)

    def _judge(self, guess: Guess, screen: PredictScreen) -> None:
        if self._state.snapshot is not None and self._asked is not None:
            self._app.in_thread("predict", self._judged, self._state.snapshot, self._asked, guess, screen)

    def _judged(self, snapshot: Snapshot, asked: AskedEntry, guess: Guess, screen: PredictScreen) -> None:
        """Judge a prediction in a worker: a wrong value is compared with those of wrong ideas."""
        from tui_backprop.engine.mutants.answers import Answers
        from tui_backprop.lesson.prediction import judge

        try:
            judged = judge(Answers(snapshot.iteration), asked.step, asked.index, guess)
        except Exception as error:  # any error is reported in one line, and what was typed stays
            self._app.call_from_thread(self._app.fail, f"Could not judge this: {reason_of(error)}")
            self._app.call_from_thread(screen.ready)
        else:
            self._app.call_from_thread(self._tell, snapshot, judged, screen)

    def _tell(self, snapshot: Snapshot, judged: Judged, screen: PredictScreen) -> None:
        if self._now is not None and self._now.of == _pass_of(snapshot):
            self._go(self._now.trying(judged), screen)

    def _go(self, now: Predicting, screen: PredictScreen) -> None:
        """Show what follows from a try or a hint; close the dialog when the result is shown."""
        earned = self._now is not None and now.earned > self._now.earned
        self._now = now
        self._state.show_again()
        screen.ready()
        snapshot = self._state.snapshot
        if now.hides and snapshot and snapshot.veil:
            screen.show(snapshot.veil)
        else:
            screen.dismiss()
            self._app.say("right" if earned else "shown: this one does not count")


def _pass_of(snapshot: Snapshot) -> tuple[object, ...]:
    return *snapshot.session.pass_key, snapshot.session.walk.grain


def _computes_loss(snapshot: Snapshot, tensor: str) -> bool:
    return tensor == snapshot.graph.loss
