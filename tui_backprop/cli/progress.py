"""A line of progress on stderr, if it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click

Say = Callable[[str], None]
Watch = Callable[[int, int], None]  # (done, of how many)

UPDATE_INTERVAL = 0.1  # seconds between updates
PATIENCE = 0.5  # seconds before anything is shown


@contextmanager
def status() -> Iterator[Say]:
    """Yield a function that shows a text in place of the previous one; the line is erased at the end. Nothing is
    written to a pipe or a file."""
    from tui_backprop.cost.race.worker import interrupts_blocked

    shown = sys.stderr.isatty()
    wide = 0

    def say(text: str) -> None:
        nonlocal wide
        if shown:
            wide = max(wide, len(text))  # before writing, which may be interrupted
            click.echo(f"\r{text:<{wide}}", nl=False, err=True)

    try:
        yield say
    finally:
        if wide:
            with interrupts_blocked():  # Ctrl+C may be pressed repeatedly
                click.echo(f"\r{' ' * wide}\r", nl=False, err=True)


@contextmanager
def progress(label: str) -> Iterator[Watch]:
    """Yield a function that takes the progress and shows the rate and the time left, from half a second on."""
    due = monotonic() + PATIENCE
    start: tuple[float, int] | None = None  # time and count of the first report

    with status() as say:

        def watch(done: int, of: int) -> None:
            nonlocal due, start
            if not done:
                return
            now = monotonic()
            start = start or (now, done)
            if now < due:
                return
            due = now + UPDATE_INTERVAL
            say(f"{label}: {done:,} of {of:,}{_pace(done - start[1], now - start[0], of - done)}")

        yield watch


def _pace(done: int, seconds: float, left: int) -> str:
    """Format the rate and the time left; "" while they are not known."""
    if not done or not seconds:
        return ""
    from tui_backprop.support.format import format_duration

    rate = done / seconds
    fast = f", {rate:,.0f}/s" if rate >= 10 else ""
    time = left / rate
    return f"{fast}, {f'{time:.0f} s' if time < 2 * 60 else format_duration(time)} left"
