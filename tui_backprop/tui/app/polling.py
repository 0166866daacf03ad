"""Polling of a background process, several times a second."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer

from tui_backprop.tui.app.app_interface import AppContext

OFTEN, SELDOM = 0.25, 1.0  # seconds between two polls; the latter on slow connections


class Polling:
    """Call ``look`` at intervals, from ``start`` on until it returns False."""

    def __init__(self, app: AppContext, look: Callable[[], bool]) -> None:
        self._app, self._look = app, look
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin polling, unless it is running."""
        if self._timer is None:
            seconds = SELDOM if self._app.render_context.sparse else OFTEN
            self._timer = self._app.set_interval(seconds, self._tick)

    def _tick(self) -> None:
        if not self._look() and self._timer is not None:
            self._timer.stop()
            self._timer = None
