"""A line of progress on stderr, where somebody looks on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click

Say = Callable[[str], None]
Watch = Callable[[int, int], None]  # (done, of how many)

PATIENCE = 0.5  # seconds of silence before anything is shown, and then between two updates 0.1


@contextmanager
def status() -> Iterator[Say]:
    """A function that shows a text in the place of the one before; at the end the line goes away. Into a pipe or a
    file nothing is written."""
    from tui_backprop.cost.race.worker import interrupts_blocked

    shown = sys.stderr.isatty()
    wide = 0

    def say(text: str) -> None:
        nonlocal wide
        if shown:
            wide = max(wide, len(text))  # first: an interrupt may come while it is written
            click.echo(f"\r{text:<{wide}}", nl=False, err=True)

    try:
        yield say
    finally:
        if wide:
            with interrupts_blocked():  # somebody may press it again and again
                click.echo(f"\r{' ' * wide}\r", nl=False, err=True)


@contextmanager
def progress(label: str) -> Iterator[Watch]:
    """A function to tell of progress, which shows the rate and what is left. What takes less than half a second shows
    nothing."""
    due = monotonic() + PATIENCE
    start: tuple[float, int] | None = None  # when the first of it was done, and how many that were

    with status() as say:

        def watch(done: int, of: int) -> None:
            nonlocal due, start
            if not done:
                return
            now = monotonic()
            start = start or (now, done)
            if now < due:
                return
            due = now + 0.1
            say(f"{label}: {done:,} of {of:,}{_pace(done - start[1], now - start[0], of - done)}")

        yield watch


def _pace(done: int, seconds: float, left: int) -> str:
    """How many a second, and the time that the others take at that rate; nothing while that is not known."""
    if not done or not seconds:
        return ""
    from tui_backprop.support.format import format_duration

    rate = done / seconds
    fast = f", {rate:,.0f}/s" if rate >= 10 else ""
    time = left / rate
    return f"{fast}, {f'{time:.0f} s' if time < 2 * 60 else format_duration(time)} left"
