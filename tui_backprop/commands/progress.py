"""A line of progress on stderr, where somebody looks on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click

Watch = Callable[[int, int], None]  # (done, of how many)

PATIENCE = 0.5  # seconds of silence before anything is shown, and then between two updates 0.1


@contextmanager
def progress(label: str) -> Iterator[Watch]:
    """A function to tell of progress. What takes less than half a second shows nothing; at the end the line
    goes away. Into a pipe or a file nothing is written."""
    shown = sys.stderr.isatty()
    due = monotonic() + PATIENCE
    started = monotonic()
    wide = 0

    def watch(done: int, of: int) -> None:
        nonlocal due, wide
        now = monotonic()
        if not shown or now < due or not done:
            return
        due = now + 0.1
        left = (now - started) * (of - done) / done
        text = f"{label}: {done:,} of {of:,}, {left:.0f} s left"
        click.echo(f"\r{text:<{wide}}", nl=False, err=True)
        wide = max(wide, len(text))

    try:
        yield watch
    finally:
        if wide:
            click.echo(f"\r{' ' * wide}\r", nl=False, err=True)
