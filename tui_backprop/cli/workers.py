"""Worker processes for a command, if its options ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.support.errors import InputError

if TYPE_CHECKING:
    from tui_backprop.cost.race.dask_cluster import Cluster

OPTIONS = ("workers", "scheduler")


def worker_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that ask for worker processes, ``workers`` and ``scheduler``."""
    scheduler = click.option(
        "--scheduler", metavar="HOST:PORT", help="Share the work among a Dask scheduler's workers."
    )
    return click.option("--workers", metavar="2", help="Share the work among this many processes.")(
        scheduler(command)
    )


def worker_option(options: Mapping[str, Any]) -> str | None:
    """The option that asks for workers, None if neither does. Raises InputError if both do."""
    given = [name for name in OPTIONS if options[name] is not None]
    if len(given) > 1:
        raise InputError("scheduler", "cannot be combined with --workers")
    return given[0] if given else None


@contextmanager
def worker_cluster(options: Mapping[str, Any]) -> Iterator[Cluster | None]:
    """The workers that ``--workers`` or ``--scheduler`` asks for, None if neither does; they are released at the end.
    Raises InputError, naming the option, if there are none to be had."""
    option = worker_option(options)
    if option is None:
        yield None
        return
    from tui_backprop.cli.progress import status
    from tui_backprop.cost.race.dask_cluster import joined, local

    with ExitStack() as stack:
        with status() as say:
            say("starting worker processes" if option == "workers" else "asking the scheduler for workers")
            start = local if option == "workers" else joined
            cluster = stack.enter_context(start(options[option]))
        try:
            yield cluster
        except KeyboardInterrupt:  # a second one would interrupt the cleanup
            import signal

            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise
