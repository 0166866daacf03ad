"""What the app does for its parts: services of Textual, and what follows on the screen from a change of the state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from textual import on
from textual.app import App
from textual.screen import Screen

from tui_backprop.render.view_state import Activity, Snapshot
from tui_backprop.session.needs import lacking
from tui_backprop.session.state import Session
from tui_backprop.tui.app.activities import Activities
from tui_backprop.tui.app.app_interface import T
from tui_backprop.tui.app.background_queries import BackgroundQueries
from tui_backprop.tui.app.cost_lab import CostLab
from tui_backprop.tui.app.ending import Ending
from tui_backprop.tui.app.hunt import BreakIt
from tui_backprop.tui.app.key_queue import KeyQueue
from tui_backprop.tui.app.lesson import OPEN as LESSON_OPEN
from tui_backprop.tui.app.lesson import Lesson
from tui_backprop.tui.app.memory_guard import MemoryGuard
from tui_backprop.tui.app.one_call import OneCall
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.app.playback import Playback
from tui_backprop.tui.app.resume import Resume
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.training import TrainingControl
from tui_backprop.tui.messages import ToDo, WentOn
from tui_backprop.tui.textual_fixes import steady
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.form import NetworkPanel
from tui_backprop.tui.widgets.screen_bars import KeyBar, StatusBar


class AppServices(App[None]):
    """An app that hands on between its parts. A subclass creates the parts declared here."""

    activities: Activities
    cost_lab: CostLab
    ending: Ending
    hunt: BreakIt
    key_queue: KeyQueue
    lesson: Lesson
    memory_guard: MemoryGuard
    panels: Panels
    playback: Playback
    queries: BackgroundQueries
    resume: Resume
    state: AppState
    training: TrainingControl

    # --- what the parts use --------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The current session."""
        return self.state.session

    @property
    def snapshot(self) -> Snapshot | None:
        """The session with its numbers, as they were last computed."""
        return self.state.snapshot

    @property
    def current_panel(self) -> str:
        return self.panels.current

    def lacks(self) -> tuple[str, ...]:
        """Name what keys may need and is not there."""
        return (*lacking(self.session), *self.resume.lacks)

    def view(self, name: str) -> Canvas | None:
        return self.panels.view(name)

    def to_panel(self, name: str) -> None:
        self.call_next(partial(self.panels.action_panel, name))

    def say(self, words: str, seconds: float | None = None) -> None:
        self.query_one(KeyBar).say(words, seconds)

    def inform(self, message: str, title: str = "", seconds: float | None = None) -> None:
        self.notify(message, title=title, timeout=seconds, markup=False)

    def warn(self, message: str) -> None:
        self.notify(message, severity="warning", markup=False)

    def fail(self, message: str) -> None:
        self.notify(message, severity="error", markup=False)

    def in_thread(self, group: str, work: Callable[..., object], *arguments: object) -> None:
        call = OneCall(self.memory_guard.run, work, *arguments)
        self.run_worker(call, thread=True, group=group, exit_on_error=False)

    @on(ToDo)
    def _to_do(self, event: ToDo) -> None:
        self.in_thread(event.group, event.work)

    def call_from_thread(self, callback: Callable[..., T | Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        found: T = super().call_from_thread(self._if_shown, callback, *args, **kwargs)
        return found

    def _if_shown(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Make a worker's call, unless the app is ending and there is nothing left to show a result on."""
        return callback(*args, **kwargs) if self.query(StatusBar) else None

    def busy(self, group: str) -> bool:
        return any(worker.group == group and not worker.is_finished for worker in self.workers)

    def call_soon(self, callback: Callable[..., object], *arguments: object) -> None:
        self.call_next(callback, *arguments)

    def push_screen(self, screen: Any, *given: Any, **named: Any) -> Any:
        """Show a screen over the others; like the first one, it draws every change of its layout. It may know that
        the lesson is shown, to leave it in sight."""
        screen.set_class(self.lesson.shown, LESSON_OPEN)
        return super().push_screen(steady(screen), *given, **named)

    def open_dialog(self, dialog: Screen[T], then: Callable[[T | None], object] | None = None) -> None:
        self.push_screen(dialog, then)

    # --- from the state to the screen ------------------------------------------------------------------------

    def show(self) -> None:
        self.cost_lab.postpone()
        shown, snapshot = self.session, self.snapshot
        if snapshot is not None and snapshot.session.pass_key != shown.pass_key:
            shown = snapshot.session  # its numbers remain until those of the session arrive
        self.query_one(StatusBar).show(shown, snapshot, self.playback.speed)
        self.query_one(NetworkPanel).show(self.session, snapshot)
        self.refresh_panels()

    def reading(self) -> Activity | None:
        """Return the reading of files for the form, while it goes on."""
        return next((panel.activity for panel in self.screen_stack[0].query(NetworkPanel)), None)

    @on(WentOn)
    def show_activities(self) -> None:
        self.activities.show()

    def refresh_panels(self) -> None:
        self.panels.cover(self.snapshot.veil if self.snapshot and self.snapshot.hidden else None)
        self.cost_lab.show()
        self.training.show()
        self.queries.update()
        self.hunt.follow()
        self.lesson.follow()

    def iteration_arrived(self, before: Snapshot | None, now: Snapshot) -> None:
        self.training.follow(before, now)

    def iteration_shown(self) -> None:
        self.cost_lab.measure_once()

    def iteration_failed(self, why: str, first: bool) -> None:
        self.key_queue.drop()
        if first:
            self.ending.failed(f"the first iteration failed: {why}")
        else:
            self.fail(f"This iteration failed ({why}); the last one stays.")

    def replaying(self) -> None:
        """Say how far a replay is, in the panels that wait for it and in the top line."""
        if self.snapshot is None:
            self.panels.wait(self.state.waiting)
        self.activities.show()
