"""Playback: the walk advances by itself."""

from __future__ import annotations

from textual.timer import Timer

from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.navigation import Navigation
from tui_backprop.tui.app.state import AppState

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # steps per second


class Playback:
    """Step on at regular intervals."""

    def __init__(self, app: AppContext, state: AppState, navigation: Navigation) -> None:
        self._app, self._state, self._navigation = app, state, navigation
        self._timer: Timer | None = None
        self._chosen = 2

    @property
    def speed(self) -> float | None:
        """Steps per second while it plays, otherwise None."""
        return SPEEDS[self._chosen] if self._timer else None

    def action_play(self) -> None:
        """Play or pause."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        else:
            self._timer = self._app.set_interval(1 / SPEEDS[self._chosen], self._step)
        self._app.show()

    def _step(self) -> None:
        if self._state.computing:  # late steps are not queued
            return
        before = self._state.session
        self._navigation.action_step_on()
        if before.is_held_out and self._state.session == before:  # the last step: no update is made
            self.action_play()

    def action_speed(self, direction: int) -> None:
        """Play faster (+1) or slower."""
        self._chosen = min(max(self._chosen + direction, 0), len(SPEEDS) - 1)
        if self._timer:
            self.action_play()
            self.action_play()
