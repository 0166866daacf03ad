"""Training: updates run in a worker, and every iteration can be returned to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.worker import get_current_worker

from tui_backprop.keys.panel_table import PANEL_ROWS
from tui_backprop.render.view_state import Activity, Snapshot, share
from tui_backprop.session import transitions
from tui_backprop.session.session_parts import AMOUNTS
from tui_backprop.session.setting_changes import setting_changes
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import shared
from tui_backprop.session.walk_steps import same_step
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.navigation import NO_SAMPLES
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.panels.base import PanelCanvas
from tui_backprop.tui.panels.train import ShownTraining
from tui_backprop.tui.widgets.summary import Summary

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.session.replay import Replay
    from tui_backprop.session.training_curve import Learning
    from tui_backprop.session.training_run import Trained
    from tui_backprop.tui.panels.train import TrainView

UNDER_WAY = "at iteration {t:,}, before this training"


def updates_of(session: Session) -> int | None:
    """Return the number of updates that are run at a time; None: without end."""
    if session.amount == "epoch":
        return 1 if session.repeat else -(-len(session.split.training.samples) // session.batch)
    return None if session.amount == "endless" else int(session.amount)


def kept_text(replay: Replay, last: int) -> str:
    """Describe the iterations that can be returned to, and the memory that they take."""
    kept, limit = replay.budget.bytes / 2**20, replay.budget.limit / 2**20
    if not last:
        return ""
    which = f"/ and a number goes to that iteration, 0 to {last:,}; to make that fast,"
    return f"{which} {replay.states:,} states and iterations are kept, {kept:,.0f} of {limit:,.0f} MB"


class TrainingControl:
    """Start and stop training, and move among the trained iterations. While it goes on, ``postpone`` is called
    several times a second: it postpones measurements, which would delay training and be disturbed by it."""

    def __init__(self, app: AppContext, state: AppState, postpone: Callable[[], None]) -> None:
        self.trained: Trained | None = None
        self._app, self._state, self._postpone = app, state, postpone
        self._running = self._stopping = False
        self._start: Session = state.session
        self._count: int | None = None  # updates of the training that runs; None: without end
        self._read: Session | None = None  # the session whose training was read back last

    @property
    def running(self) -> bool:
        """Return True while training runs."""
        return self._running

    @property
    def activity(self) -> Activity | None:
        """The training, while it runs."""
        if not self._running:
            return None
        done = self.trained.to.t - self._start.t if self.trained and self.trained.learning.going else 0
        return Activity("training", share(done, self._count) if self._count else f"{done:,}", "train")

    # --- start and stop ------------------------------------------------------------------------------------

    def action_amount(self, direction: int) -> None:
        """Train more (+1) or less at a time."""
        self._state.go(transitions.change_amount(self._state.session, direction))

    def action_repeat(self) -> None:
        """Train on the next batch each time, or on the same one again and again."""
        if self._state.session.network.holds_numbers:
            self._app.say(NO_SAMPLES.format(noun=self._state.session.network.noun))
        else:
            self._state.go(transitions.toggle_repeat(self._state.session))

    def action_start_training(self) -> None:
        self._state.move(lambda session, snapshot: self._begin(session), numbers=True)

    def _begin(self, session: Session) -> Session:
        """Start training from a session, unless training runs; the session changes when it ends."""
        if self._running:
            return session
        self._running, self._stopping = True, False
        count = updates_of(session)
        self._start, self._count = session, count
        self._app.in_thread("training", self._train, session, count, self._curve_up_to(session))
        self._app.show_activities()
        return session

    def action_stop_training(self) -> None:
        self._stopping = True

    def _train(self, start: Session, count: int | None, before: Learning | None) -> None:
        from tui_backprop.session.training_run import learn

        worker, trained = get_current_worker(), None
        try:
            for trained in learn(self._state.replay, start, count, before):
                if worker.is_cancelled:  # the app is closing
                    return
                self._app.call_from_thread(self._progressed, trained)
                if self._stopping:
                    break
        except Exception as error:  # reported in one line; the updates done remain
            why = f"Training stopped: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)
        self._app.call_from_thread(self._ended, trained)

    def _progressed(self, trained: Trained) -> None:
        """Show the progress; stop if another network or setting was chosen meanwhile."""
        self.trained = trained
        self._postpone()
        self._stopping = self._stopping or self._settings_of(self._state.session) != self._settings_of(
            self._start
        )
        self._app.refresh_panels()

    def _ended(self, trained: Trained | None) -> None:
        """Go to the last iteration, unless another network was chosen meanwhile; settings that were chosen meanwhile
        are those of the next update."""
        self._running = False
        if trained is None:
            return
        self.trained = replace(trained, learning=replace(trained.learning, going=False), picture=None)
        session = self._state.session
        if session.training_key == trained.to.training_key:
            there = transitions.at_iteration(session, trained.to, trained.to.t)
            if self._settings_of(session) != self._settings_of(self._start):
                chosen = replace(there, network=session.network, optimizer=session.optimizer, lr=session.lr)
                there = same_step(there, chosen)
            self._state.go(there)
        self._app.refresh_panels()

    @staticmethod
    def _settings_of(session: Session) -> tuple[object, ...]:
        return *session.walk_key, session.lr

    # --- training of an earlier run of the program -------------------------------------------------------------

    def _read_back(self) -> None:
        """Have the training read back that led to the current session, unless it is known."""
        whole = self._longest(self._state.session)
        learning = self._curve_of(whole)
        known = not whole.t or (learning is not None and not learning.first)
        if known or self._running or self._read == whole or self._state.snapshot is None:
            return
        self._read = whole
        self._app.in_thread("training", self._recall, whole)

    def _recall(self, session: Session) -> None:
        from tui_backprop.session.training_run import recall

        worker = get_current_worker()
        try:
            for learning in recall(self._state.replay, session):
                if worker.is_cancelled:  # the app is closing
                    return
                self._app.call_from_thread(self._recalled, session, learning)
        except Exception as error:  # reported in one line, and not tried again
            why = f"The losses cannot be read back: {reason_of(error)}"
            self._app.call_from_thread(self._app.fail, why)

    def _recalled(self, session: Session, learning: Learning) -> None:
        """Show what was read back before what was trained since."""
        if self._running or self.trained is None or self.trained.to.training_key != session.training_key:
            self._read = None  # read again later, if it is still needed
            return
        if shared(self.trained.to.update_log, session.update_log) == session.t:
            self.trained = replace(self.trained, learning=self.trained.learning.after(learning))
            self._app.refresh_panels()

    # --- iterations of the training --------------------------------------------------------------------------

    def _curve_up_to(self, session: Session) -> Learning | None:
        """Return the training curve that leads to a session, up to its iteration."""
        trained = self.trained
        if trained is None or session.training_key != trained.to.training_key:
            return None
        same = shared(trained.to.update_log, session.update_log)
        learning = trained.learning
        if same < session.t or same < learning.first:
            return None
        return learning.up_to(session.t)

    def _curve_of(self, session: Session) -> Learning | None:
        """Return the training curve on which a session's iteration lies."""
        trained = self.trained
        if trained is None or session.training_key != trained.to.training_key:
            return None
        return trained.learning if shared(trained.to.update_log, session.update_log) >= session.t else None

    def follow(self, before: Snapshot | None, now: Snapshot) -> None:
        """Add the loss of a single update, done step by step, to the curve."""
        from tui_backprop.session.training_curve import Learning
        from tui_backprop.session.training_run import Trained

        if before is None and now.session.update_log and self._curve_of(now.session) is None:
            self.trained = Trained(now.session, Learning.nothing(now.session.t))
        if self._running or before is None or now.session.training_key != before.session.training_key:
            return
        done = transitions.after_update(before.session)
        if done == before.session or now.session.update_log != done.update_log or self._curve_of(now.session):
            return
        so_far = self._curve_up_to(before.session) or Learning.nothing(before.session.t)
        self.trained = Trained(now.session, so_far.and_then([before.iteration.loss], so_far.seconds))

    def action_iteration(self, iterations: int) -> None:
        """Go to an earlier or later iteration of the training."""
        self._state.move(lambda session, snapshot: self._at(session, session.t + iterations), numbers=True)

    def to_iteration(self, t: int) -> None:
        """Go to iteration ``t``, or to the nearest one there is."""
        self._state.move(lambda session, snapshot: self._at(session, t), numbers=True)

    @property
    def last_iteration(self) -> int:
        """The last iteration that can be gone to; the first is 0."""
        return self._longest(self._state.session).t

    def _longest(self, session: Session) -> Session:
        """Return the session at the end of the training, if ``session`` is part of it."""
        trained = self.trained
        return trained.to if trained and self._curve_of(session) else session

    def _at(self, session: Session, t: int) -> Session:
        along = self._longest(session)
        to = min(max(t, 0), max(along.t, session.t))
        return transitions.at_iteration(session, along, to) if to != session.t else session

    def show(self) -> None:
        """Pass the training curve to its panel and to the summary, and have the other panels say that they are
        without what is trained now."""
        note = UNDER_WAY.format(t=self._state.session.t) if self._running else ""
        for name, row in PANEL_ROWS.items():
            if row.of_iteration and isinstance(view := self._app.view(name), PanelCanvas):
                view.note(note)
        panel = cast("TrainView | None", self._app.view("train"))
        if panel is not None and panel.size:
            self._read_back()
        trained, learning = self.trained, self._curve_of(self._state.session)
        if isinstance(summary := self._app.view("summary"), Summary):
            summary.tell(learning=learning)
        if panel is None:
            return
        session = self._state.session
        shown = ShownTraining(
            learning,
            trained.picture if trained and learning and self._running else None,
            AMOUNTS,
            AMOUNTS.index(session.amount),
            None if session.network.holds_numbers else session.repeat,
            setting_changes(self._longest(session)),
            kept_text(self._state.replay, self.last_iteration) if self._state.snapshot else "",
        )
        panel.learn(shown)
