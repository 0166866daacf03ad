"""Worker processes for a command, where its options ask for some."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tui_backprop.cli.progress import status
from tui_backprop.cost.race.dask_cluster import Cluster, joined, local
from tui_backprop.support.errors import InputError

OPTIONS = ("workers", "scheduler")


def asked(given: dict[str, Any]) -> str | None:
    """The option that asks for workers, None if neither does. Raises InputError where both do."""
    named = [name for name in OPTIONS if given[name] is not None]
    if len(named) > 1:
        raise InputError("scheduler", "its workers are there already; leave --workers out, or --scheduler")
    return named[0] if named else None


@contextmanager
def hired(given: dict[str, Any]) -> Iterator[Cluster | None]:
    """The workers that ``--workers`` or ``--scheduler`` asks for, None if neither does; they are let go at the end.
    Raises InputError, naming the option, where there are none to be had."""
    option = asked(given)
    if option is None:
        yield None
        return
    with ExitStack() as stack:
        with status() as say:
            say("starting worker processes" if option == "workers" else "asking the scheduler for workers")
            start = local if option == "workers" else joined
            cluster = stack.enter_context(start(given[option]))
        try:
            yield cluster
        except KeyboardInterrupt:  # pressed again, it would break off what follows
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise
