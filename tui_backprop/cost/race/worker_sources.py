"""Workers for one command: processes of this machine, or those that a Dask scheduler has."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from tui_backprop.cost.race.dask_client import Refused, Started, relay
from tui_backprop.cost.race.scheduler import Scheduler, reason_of
from tui_backprop.cost.race.workers import Note, Workers, ignore
from tui_backprop.support.errors import InputError
from tui_backprop.support.format import printable
from tui_backprop.support.starting import StartError

LONGEST_CONNECT = 4.0  # seconds for a scheduler and a worker to answer, beside a second to import Dask
MAX_LINE = 600  # characters of what the client says
LONGEST_START = 60.0  # seconds for a process of ours to import Dask, on a busy machine
STAGES_OF = 0.8  # of the time to connect, after which the process itself says why it failed


@contextmanager
def local_workers(number: int) -> Iterator[Workers]:
    """So many worker processes on this machine, one thread each. Raises InputError if they cannot be started."""
    workers = Workers("workers", wanted=number, spare=2 * number)
    try:
        try:
            for _ in range(number):
                workers.start()
        except StartError as error:
            raise InputError("workers", str(error)) from None
        yield workers
    finally:
        workers.close()


@contextmanager
def scheduler_workers(
    scheduler: Scheduler, patience: float = LONGEST_CONNECT, *, note: Note = ignore
) -> Iterator[Workers]:
    """The workers of a scheduler that runs already; they stay. Raises InputError where none answers in time, and for
    workers that would compute something else."""
    if importlib.util.find_spec("distributed") is None:
        raise InputError("scheduler", 'needs the extra: pip install "backprop-tui[cluster]"')
    workers = Workers("scheduler", wanted=0, spare=1, note=note)
    try:
        _connect(workers, scheduler, patience)
        yield workers
    finally:
        workers.close()


def _connect(workers: Workers, scheduler: Scheduler, patience: float) -> None:
    deadline = monotonic() + LONGEST_START
    silent = "Dask could not be imported in time"
    try:
        for message in workers.connect(relay, scheduler, patience * STAGES_OF):
            if isinstance(message, Refused):
                raise InputError("scheduler", printable(message.why, MAX_LINE))
            if isinstance(message, Started):
                deadline = monotonic() + patience
                silent = f"{scheduler.address} did not answer like a Dask scheduler within {patience:g} s"
            if monotonic() > deadline:
                raise InputError("scheduler", silent)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("scheduler", f"cannot connect to {scheduler.address}: {reason_of(error)}") from None
