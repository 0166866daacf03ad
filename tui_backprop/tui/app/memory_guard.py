"""What happens when memory runs out: it is said, what can be spared is dropped, and the app goes on."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic

from tui_backprop.support.budget import Budget
from tui_backprop.support.errors import reason_of
from tui_backprop.support.malloc import Trimmer, release_free_memory
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.ending import Ending

MOST_OFTEN, WITHIN = 5, 10.0  # times that memory runs out, within so many seconds, before the app ends


class MemoryGuard:
    """Keep the app going without memory, and return memory that is free to the system."""

    def __init__(self, app: AppContext, budget: Budget, ending: Ending) -> None:
        self._app, self._budget, self._ending = app, budget, ending
        self._trimmer = Trimmer()
        self._times: list[float] = []  # that memory ran out, lately

    def run(self, work: Callable[..., object], *arguments: object) -> None:
        """Run work in a worker thread."""
        try:
            work(*arguments)
        finally:
            self._trimmer.trim()

    def ran_out(self, error: MemoryError) -> None:
        """Say that memory ran out, and go on; end the app if that does not help."""
        words = reason_of(error)
        now = monotonic()
        self._times = [each for each in self._times if each > now - WITHIN] + [now]
        try:
            self._budget.spare()
            error.__traceback__ = None  # which holds what was computed
            gc.collect()
            release_free_memory()
            if len(self._times) < MOST_OFTEN:
                self._app.fail(f"{words[:1].upper()}{words[1:]}")
                return
        except MemoryError:
            pass
        self._ending.failed(words)
