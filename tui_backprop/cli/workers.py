"""Worker processes for a command, if its options ask for them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import whole_number

if TYPE_CHECKING:
    from tui_backprop.cost.race.workers import Workers

OPTIONS = ("workers", "scheduler")
TLS_OPTIONS = ("tls_ca", "tls_cert", "tls_key")
WORKERS_A_CORE = 4  # workers for each core, at the most
PLAIN_TCP = (
    "tcp:// has neither encryption nor passwords: whoever reaches the scheduler, any user of its machine included,"
    " can run code as its owner; use tls:// (see README)"
)


def worker_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that ask for workers, and those for TLS."""
    for option in (
        click.option("--tls-key", metavar="FILE", help="Its private key, in PEM format."),
        click.option("--tls-cert", metavar="FILE", help="Certificate of this client, in PEM format."),
        click.option("--tls-ca", metavar="FILE", help="Certificates to trust, in PEM format, for tls://."),
        click.option(
            "--scheduler", metavar="tls://HOST:PORT", help="Share the work among a Dask scheduler's workers."
        ),
        click.option("--workers", metavar="2", help="Share the work among this many processes."),
    ):
        command = option(command)
    return command


def worker_option(options: Mapping[str, Any]) -> str | None:
    """The option that asks for workers, None if neither does. Raises InputError if both do, or for an option that
    applies to the other one."""
    given = [name for name in OPTIONS if options[name] is not None]
    if len(given) > 1:
        raise InputError("scheduler", "cannot be combined with --workers")
    for name in TLS_OPTIONS:
        if options[name] is not None and "scheduler" not in given:
            raise InputError(name.replace("_", "-"), "requires --scheduler tls://HOST:PORT")
    return given[0] if given else None


@contextmanager
def option_workers(options: Mapping[str, Any]) -> Iterator[Workers | None]:
    """The workers that ``--workers`` or ``--scheduler`` asks for, None if neither does; our processes among them end
    with this. Raises InputError, naming the option, if there are none to be had."""
    option = worker_option(options)
    if option is None:
        yield None
        return
    from tui_backprop.cli.progress import status
    from tui_backprop.cost.race.scheduler import scheduler_at
    from tui_backprop.cost.race.worker_sources import local_workers, scheduler_workers

    with ExitStack() as stack:
        with status() as line:
            if option == "workers":
                number = _number(options["workers"])
                line.say("starting worker processes")
                workers = stack.enter_context(local_workers(number))
            else:
                scheduler = scheduler_at(options["scheduler"], {name: options[name] for name in TLS_OPTIONS})
                if scheduler.tls is None:
                    line.note(f"--scheduler: {PLAIN_TCP}")
                line.say("asking the scheduler for workers")
                workers = stack.enter_context(scheduler_workers(scheduler, note=line.note))
        try:
            yield workers
        except KeyboardInterrupt:  # a second one would interrupt the cleanup
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise


def _number(value: object) -> int:
    number, most = whole_number("workers", value, 1), WORKERS_A_CORE * (os.cpu_count() or 1)
    if number > most:
        raise InputError("workers", f"{number} is too many for this machine; choose {most} or fewer")
    return number
