"""Training in view: updates are done in a worker, and every iteration of them can be gone back to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import work
from textual.worker import get_current_worker

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session, samples_of
from tui_backprop.session.update_log import shared
from tui_backprop.tui.app.background import Answers

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.session.replay import Replay
    from tui_backprop.session.training_curve import Learning
    from tui_backprop.session.training_run import Trained
    from tui_backprop.tui.panels.train import TrainView

# How much is trained at a time: updates, passes through the data set, or no end.
AMOUNTS: tuple[tuple[str, int | None], ...] = (
    ("1", 1),
    ("10", 10),
    ("100", 100),
    ("1000", 1000),
    ("epoch", 0),
    ("endless", None),
)


def kept_text(replay: Replay, last: int) -> str:
    """Which iterations can be gone back to, and what is kept to make that fast."""
    kept, limit = replay.kept_bytes / 2**20, replay.limit / 2**20
    if not last:
        return ""
    which = f"any iteration from 0 to {last:,} can be gone to: / and its number; to make that fast,"
    return f"{which} {replay.states:,} states and passes are kept, {kept:,.0f} of {limit:,.0f} MB"


class Trainer(Answers):
    """The part of the app that trains."""

    _trained: Trained | None = None
    _going: Session | None = None  # where the training that goes on started from
    _stopping = False
    _amount = 2

    # --- choosing, starting, stopping ---------------------------------------------------------------------

    def action_amount(self, direction: int) -> None:
        self._amount = min(max(self._amount + direction, 0), len(AMOUNTS) - 1)
        self.refresh_panels()

    def action_learn(self) -> None:
        if self.snapshot is None or self._going is not None:
            return
        self._going, self._stopping = self.session, False
        _, count = AMOUNTS[self._amount]
        if count == 0:
            count = -(-samples_of(self.session) // self.session.batch)
        self._learn(self.session, count, self._so_far(self.session))

    def action_stop_learning(self) -> None:
        self._stopping = True

    @work(thread=True, group="training")
    def _learn(self, start: Session, count: int | None, before: Learning | None) -> None:
        from tui_backprop.session.training_run import learn

        worker, trained = get_current_worker(), None
        try:
            for trained in learn(self._replay, start, count, before):
                if worker.is_cancelled:  # the app is being left
                    return
                self.call_from_thread(self._learned, trained)
                if self._stopping:
                    break
        except Exception as error:  # said in one line; what was done until then stays
            why = f"Training stopped: {type(error).__name__}: {error}"
            self.call_from_thread(partial(self.notify, why, severity="error", markup=False))
        self.call_from_thread(self._ended, trained)

    def _learned(self, trained: Trained) -> None:
        """Show how it goes; where another network was chosen meanwhile, it stops."""
        self._trained = trained
        self._stopping = self._stopping or self.session.training_key != trained.to.training_key
        self.refresh_panels()

    def _ended(self, trained: Trained | None) -> None:
        """Go to where training has come, unless the network is another one by now."""
        self._going = None
        if trained is None:
            return
        self._trained = replace(trained, learning=replace(trained.learning, going=False), picture=None)
        if self.session.training_key == trained.to.training_key:
            self.go(moves.at_iteration(self.session, trained.to, trained.to.t))
        self.refresh_panels()

    # --- what was trained, and the way back ---------------------------------------------------------------

    def _so_far(self, session: Session) -> Learning | None:
        """How the training went that a session stands in, up to there."""
        trained = self._trained
        if trained is None or session.training_key != trained.to.training_key:
            return None
        same = shared(trained.to.update_log, session.update_log)
        learning = trained.learning
        if same < session.t or same < learning.first:
            return None
        return learning.up_to(session.t)

    def _in_view(self, session: Session) -> Learning | None:
        """How the training went that a session stands in, or comes to."""
        trained = self._trained
        if trained is None or session.training_key != trained.to.training_key:
            return None
        return trained.learning if shared(trained.to.update_log, session.update_log) >= session.t else None

    def follow_training(self, before: Snapshot | None, now: Snapshot) -> None:
        """Take down the loss of an update that was done by hand."""
        if self._going or before is None or now.session.training_key != before.session.training_key:
            return
        done = moves.after_update(before.session)
        if now.session.update_log != done.update_log or self._in_view(now.session):
            return
        from tui_backprop.session.training_curve import Learning
        from tui_backprop.session.training_run import Trained

        so_far = self._so_far(before.session) or Learning.nothing(before.session.t)
        self._trained = Trained(now.session, so_far.and_then([before.iteration.loss], so_far.seconds))

    def action_travel(self, iterations: int) -> None:
        """To an earlier or later iteration of what was trained."""
        self.move(lambda session, snapshot: self._traveled(session, session.t + iterations))

    def to_iteration(self, t: int) -> None:
        self.move(lambda session, snapshot: self._traveled(session, t))

    @property
    def last_iteration(self) -> int:
        return self._along(self.session).t

    def _along(self, session: Session) -> Session:
        """The session with all iterations that a session can go to."""
        trained = self._trained
        return trained.to if trained and self._in_view(session) else session

    def _traveled(self, session: Session, t: int) -> Session:
        along = self._along(session)
        to = min(max(t, 0), max(along.t, session.t))
        return moves.at_iteration(session, along, to) if to != session.t else session

    def show_training(self) -> None:
        """Tell the panel how it is going."""
        trained = self._trained
        learning = self._in_view(self.session)
        view = cast("TrainView | None", self.view("train"))
        if view is None:
            return
        view.learn(
            learning,
            trained.picture if trained and learning and self._going else None,
            [name for name, _ in AMOUNTS],
            self._amount,
            kept_text(self._replay, self.last_iteration) if self.snapshot else "",
        )
