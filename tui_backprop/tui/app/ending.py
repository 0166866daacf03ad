"""How the app ends when nobody asked for it: by a signal, without its terminal, or by a fault."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from textual.app import App

from tui_backprop.support.exit_codes import FAULT, HANGUP, SIGNAL

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Ending:
    """End an ``app`` with the exit code of the reason. ``reason`` is a line for the user, or empty."""

    def __init__(self, app: App[None]) -> None:
        self.reason = ""
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._mounted = False
        self._due: int | None = None  # an exit code from before the widgets were there

    def heed_signals(self) -> None:
        """Leave by the normal way on every signal that ends a process."""
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, partial(self._end, SIGNAL + number))

    def mounted(self) -> None:
        """Note that the widgets are there: only then can the app end without leaving them half made."""
        self._mounted = True
        if self._due is not None:
            self._end(self._due)

    def terminal_gone(self) -> None:
        """End the app; called from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end, HANGUP)

    def failed(self, reason: str) -> None:
        """End the app, which has nothing to show."""
        self.reason = reason
        self._end(FAULT)
        if not self._mounted:
            self._app._close_messages_no_wait()

    def _end(self, code: int) -> None:
        if not self._mounted:
            self._due = code
            return
        with self._app._context():
            self._app.exit(return_code=code)
