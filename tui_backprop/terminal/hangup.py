"""The terminal goes away: its window is closed, or the connection is lost."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable
from contextlib import suppress
from time import sleep

from tui_backprop.support.exit_codes import HANGUP
from tui_backprop.support.starting import StartError, start_thread

GONE = getattr(select, "POLLHUP", 0) | getattr(select, "POLLERR", 0)
GRACE = 0.6  # seconds in which the app may end by itself


class HangupWatch:
    """End the process when its terminal is gone, whatever it does then.

    SIGHUP reaches only processes whose controlling terminal it was; others would read an empty stream forever. An app
    is asked to ``leave`` first. ``at_last`` is called if it has not left in time, and must not take long."""

    def __init__(self, fileno: int, at_last: Callable[[], object]) -> None:
        self.leave: Callable[[], object] | None = None
        self._fileno, self._at_last = fileno, at_last

    def start(self) -> None:
        """Watch from now on, in a thread. Without threads, only SIGHUP ends the app."""
        with suppress(StartError):
            start_thread(self._watch, "terminal")

    def _watch(self) -> None:
        if not hung_up(self._fileno, None):
            return
        with suppress(Exception):
            if self.leave is not None:
                self.leave()
                sleep(GRACE)
        with suppress(Exception):
            self._at_last()
        os._exit(HANGUP)


def hung_up(fileno: int, timeout: float | None) -> bool:
    """Wait until a terminal is gone, for at most ``timeout`` milliseconds (None: forever); return False if it is
    still there, or if the system cannot tell: macOS answers POLLNVAL for /dev/tty."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fileno, 0)
    return any(event & GONE for _, event in poll.poll(timeout))


def lost_terminal(fileno: int) -> bool:
    """Return True for a terminal that is gone, which is no terminal any more; False for pipes and files."""
    try:
        return stat.S_ISCHR(os.fstat(fileno).st_mode) and hung_up(fileno, 0)
    except OSError:
        return False
