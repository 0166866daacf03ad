"""The state of the app: the session with its undo history, and the iteration that belongs to it.

An action turns the session into the next one. Its numbers are computed in a worker thread; until they arrive, the
last snapshot stays on the screen, unless it is of another network, data set or optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from tui_backprop.data.catalogue import title
from tui_backprop.render.session_text import network_name
from tui_backprop.render.view_state import Activity, Snapshot, share
from tui_backprop.session.state import Session
from tui_backprop.session.undo import UndoHistory
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.support.budget import Budget
from tui_backprop.support.errors import reason_of
from tui_backprop.tui.app.action_text import action_words
from tui_backprop.tui.app.app_interface import AppContext

if TYPE_CHECKING:  # numpy is imported in a worker, after the first paint
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.render.view_state import Veil
    from tui_backprop.session.autosave import Saver
    from tui_backprop.session.replay import Replay

LAYERS_COLUMNS = 40  # of the layers, where it says what is computed

Change = Callable[[Session, Snapshot], Session]


class Observer(Protocol):
    """Receiver of events of the state."""

    def iteration_arrived(self, before: Snapshot | None, now: Snapshot) -> None:
        """A new iteration was computed; ``before`` is still the snapshot on the screen."""

    def iteration_shown(self) -> None:
        """The new iteration is on the screen."""

    def replaying(self) -> None:
        """A replay is further on than before."""

    def iteration_failed(self, why: str, first: bool) -> None:
        """The last iteration stays; if it was the first one, there is nothing to show."""


class AppState:
    """``memory`` is the number of bytes for what is kept (see ``Budget``); each session is passed to the ``saver``,
    so that it can be resumed later."""

    def __init__(
        self, app: AppContext, observer: Observer, session: Session, memory: int, saver: Saver | None
    ) -> None:
        self.snapshot: Snapshot | None = None  # the last one of this network, data and optimizer
        self._last: Snapshot | None = None  # the last one that was computed
        self.computing = False
        self.activity: Activity | None = None  # a replay, while it takes long
        self._progress = ""  # of that replay, in words
        self.budget = Budget(memory)
        self._app, self._observer = app, observer
        self._saver, self._save_failed = saver, False
        self._history = UndoHistory(session)
        self.veil_of: Callable[[Snapshot], Veil | None] = lambda snapshot: (
            None
        )  # what a learner is to predict
        self._waiting: list[Callable[[], None]] = []  # moves made before the iteration arrived

    @property
    def session(self) -> Session:
        """The current session."""
        return self._history.now

    @property
    def placed(self) -> Session:
        """The session with the panel that has the focus."""
        return replace(self.session, panel=self._app.current_panel)

    @property
    def waiting(self) -> str:
        """What is computed while there is no snapshot."""
        session = self.session
        layers = network_name(session.network, LAYERS_COLUMNS)
        return self._progress or f"computing iteration {session.t:,} of {layers} on {title(session.data)}"

    @cached_property
    def replay(self) -> Replay:
        """The iterations of this app's sessions; first used in a worker, since it imports numpy."""
        from tui_backprop.session.replay import Replay

        return Replay(self.budget, lambda *far: self._app.call_from_thread(self._replayed, *far))

    # --- moving --------------------------------------------------------------------------------------------

    def go(self, session: Session) -> None:
        """Make ``session`` the current one."""
        self._set_history(self._history.go(session))

    def move(self, change: Change, *, numbers: bool = False) -> None:
        """Go to the session that ``change`` returns, as soon as the network has an iteration; if it depends on
        ``numbers``, as soon as there are those of the session."""
        snapshot = self.snapshot
        if snapshot is not None and (self.current or not numbers):
            self.go(change(self.session, self._snapshot(snapshot.iteration)))
        else:
            self._waiting.append(partial(self.move, change, numbers=numbers))

    @property
    def current(self) -> bool:
        """True if the numbers on the screen are those of the session."""
        return self._last is not None and self._last.session.pass_key == self.session.pass_key

    @property
    def waits(self) -> bool:
        """True while a move waits for an iteration."""
        return bool(self._waiting)

    def drop_waiting(self) -> None:
        """Forget the moves that wait."""
        self._waiting.clear()

    def move_here(self, change: Change) -> None:
        """Move by ``change``, which is about the network on the screen: for another network it has no effect."""
        network = self.snapshot.session.network if self.snapshot else None
        self.move(
            lambda session, snapshot: change(session, snapshot) if session.network == network else session
        )

    def action_undo(self) -> None:
        """Undo the last action."""
        back = self._history.undo()
        self._app.say(f"undone: {action_words(back.now, self.session) or 'nothing'}")
        self._set_history(back)

    def action_redo(self) -> None:
        """Redo the action that was undone last."""
        on = self._history.redo()
        self._app.say(f"redone: {action_words(self.session, on.now) or 'nothing'}")
        self._set_history(on)

    def keep(self) -> None:
        """Save the session, unless a bug was planted in it; report the first failure to do so."""
        if self._saver is not None and not self.session.network.has_planted_bug:
            self._saver.save(self.placed)
            if self._saver.trouble and not self._save_failed:
                self._save_failed = True
                self._app.warn(self._saver.trouble)

    def close(self) -> None:
        """Wait until the session is saved."""
        if self._saver is not None:
            self._saver.close()

    def _set_history(self, history: UndoHistory) -> None:
        if history is not self._history:
            self._history = history
            self.keep()
            self._follow()

    def show_again(self) -> None:
        """Show the session again, when what is hidden of it has changed."""
        self._follow()

    # --- computing -----------------------------------------------------------------------------------------

    def compute(self) -> None:
        """Compute the iteration of the session in a worker."""
        self.computing, self.activity, self._progress = True, None, ""
        self._app.in_thread("iteration", self._take, self.session)

    def _follow(self) -> None:
        """Show the session if its numbers are known; otherwise have them computed."""
        now = self._last
        if now is not None and self.current:
            self.snapshot = self._snapshot(now.iteration)
            self._app.show()
            return
        if self.snapshot is not None and self.snapshot.session.walk_key != self.session.walk_key:
            self.snapshot = None  # of another network or training: not shown any longer
            self._app.show()
        if not self.computing:
            self.compute()

    def _snapshot(self, iteration: Iteration) -> Snapshot:
        snapshot = Snapshot(self.session, steps_of(self.session), iteration)
        veil = self.veil_of(snapshot)
        return replace(snapshot, veil=veil) if veil else snapshot

    def _take(self, session: Session) -> None:
        call = self._app.call_from_thread
        try:
            try:
                iteration = self._prepared(session)
            except MemoryError:
                self.budget.spare()
                iteration = self._prepared(session)
        except Exception as error:  # any error is reported in one line, and the last snapshot stays
            call(self.fail_to_compute, reason_of(error))
        else:
            call(self._arrived, Snapshot(session, steps_of(session), iteration))

    def _prepared(self, session: Session) -> Iteration:
        iteration = self.replay.take(session)
        iteration.prepare()
        return iteration

    def _replayed(self, done: int, total: int) -> None:
        """Show the progress of a replay."""
        if self.computing:
            self.activity = Activity("replay", share(done, total))
            self._progress = f"replaying {total:,} updates: {done:,} done"
            self._observer.replaying()

    def fail_to_compute(self, why: str) -> None:
        """Report that an iteration failed, and go back to the last one."""
        self.computing, self.activity, self._progress = False, None, ""
        self._observer.iteration_failed(why, self._last is None)
        if self._last is not None:
            self.go(self._last.session)

    def _arrived(self, snapshot: Snapshot) -> None:
        self.computing, self.activity, self._progress = False, None, ""
        self._last = snapshot
        if snapshot.session.walk_key == self.session.walk_key:
            self._observer.iteration_arrived(self.snapshot, snapshot)
            self.snapshot = snapshot
            waiting, self._waiting = self._waiting, []
            for action in waiting:
                action()
        self._follow()
        self._observer.iteration_shown()
