"""The time in which no key comes: what the app does by itself waits for it, since it would delay what a key shows."""

from __future__ import annotations

from threading import Event
from time import monotonic

CALM = 1.0  # seconds without a key


class Calm:
    """Have threads wait until nothing has been pressed for so many ``seconds``."""

    def __init__(self, seconds: float = CALM) -> None:
        self._seconds, self._from = seconds, 0.0
        self._ended = Event()

    def disturb(self) -> None:
        """Note that a key has come."""
        self._from = monotonic() + self._seconds

    def end(self) -> None:
        """Let nothing wait any longer: the app ends."""
        self._ended.set()

    def wait(self) -> None:
        """Wait for calm, in a thread that is not the screen's."""
        while (left := self._from - monotonic()) > 0 and not self._ended.wait(left):
            pass
