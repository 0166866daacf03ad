"""What a learner has done, saved in a worker as it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from tui_backprop.support.format import printable
from tui_backprop.tui.app.app_interface import AppContext

T = TypeVar("T")


class Keeping(Generic[T]):
    """Save the newest value of ``what`` by ``save``; say so once if that fails."""

    def __init__(self, app: AppContext, what: str, save: Callable[[T], None]) -> None:
        self._app, self._what, self._save = app, what, save
        self._newest: T | None = None
        self._saved: T | None = None
        self._failed = False
        self._lock = threading.Lock()

    def keep(self, value: T) -> None:
        """Have a value saved. Workers may run in any order: each saves the newest one."""
        self._newest = value
        self._app.in_thread(f"keep {self._what}", self._run)

    def close(self) -> None:
        """Save what no worker has saved yet."""
        with suppress(OSError):
            self._save_newest()

    def _run(self) -> None:
        try:
            self._save_newest()
        except OSError as error:
            self._app.call_from_thread(self._tell, printable(error.strerror or error))

    def _save_newest(self) -> None:
        with self._lock:
            newest = self._newest
            if newest is not None and newest is not self._saved:
                self._save(newest)
                self._saved = newest

    def _tell(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            self._app.warn(f"The {self._what} is not saved: {reason}.")
