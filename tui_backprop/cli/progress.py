"""A line of progress on stderr, if it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from tui_backprop.cli.streams import say, say_over
from tui_backprop.support.format import printable
from tui_backprop.support.running_clock import Clock, running_clock

MAX_NOTE = 600  # characters of a line
UPDATE_INTERVAL = 0.1  # seconds between updates
PATIENCE = 0.5  # seconds before anything is shown


class StatusLine:
    """A text on stderr, in place of the previous one, if that is a terminal."""

    def __init__(self) -> None:
        self._shown, self._wide = sys.stderr.isatty(), 0

    def say(self, text: str) -> None:
        if self._shown:
            self._wide = max(self._wide, len(text))  # before writing, which may be interrupted
            say_over(f"{text:<{self._wide}}")

    def note(self, text: str) -> None:
        """Print a line that stays, also to a pipe or a file."""
        self.erase()
        say(f"backprop-tui: {printable(text, MAX_NOTE)}")

    def erase(self) -> None:
        from tui_backprop.support.starting import interrupts_blocked

        if self._wide:
            with interrupts_blocked():  # Ctrl+C may be pressed repeatedly
                say_over(" " * self._wide)
                say_over("")
                self._wide = 0


@contextmanager
def status() -> Iterator[StatusLine]:
    """Yield a line of status, which is erased at the end. Nothing but notes is written to a pipe or a file."""
    line = StatusLine()
    try:
        yield line
    finally:
        line.erase()


class Progress:
    """The rate and the time left, from half a second on, as a function of the progress; and notes between."""

    def __init__(self, label: str, line: StatusLine, clock: Clock = monotonic) -> None:
        self.note = line.note
        self._label, self._line = label, line
        self._clock = clock
        self._due = clock() + PATIENCE
        self._start: tuple[float, int] | None = None  # time and count of the first report

    def __call__(self, done: int, of: int) -> None:
        if not done:
            return
        now = self._clock()
        self._start = self._start or (now, done)
        if now < self._due:
            return
        self._due = now + UPDATE_INTERVAL
        since, first = self._start
        self._line.say(f"{self._label}: {done:,} of {of:,}{_pace(done - first, now - since, of - done)}")


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Yield a function that takes the progress and shows the rate and the time left."""
    with status() as line, running_clock() as clock:
        yield Progress(label, line, clock)


def _pace(done: int, seconds: float, left: int) -> str:
    """Format the rate and the time left; "" while they are not known."""
    if not done or not seconds:
        return ""
    from tui_backprop.support.format import format_duration

    rate = done / seconds
    fast = f", {rate:,.0f}/s" if rate >= 10 else ""
    time = left / rate
    return f"{fast}, {f'{time:.0f} s' if time < 2 * 60 else format_duration(time)} left"
