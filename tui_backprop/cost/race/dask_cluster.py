"""Worker processes, of this machine or of others, by Dask: started or joined, and given work. What the work is about,
this module does not know; and no other one knows Dask, which comes with an extra and is imported when it is used.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tui_backprop import __version__
from tui_backprop.cost.race.worker import interrupts_blocked, leave_terminal
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import quoted, whole_number

LONGEST_WAIT = 0.1  # seconds after which whoever waits is given the chance to stop
LONGEST_ANSWER = 5.0  # seconds for a scheduler to answer
LONGEST_GREETING = 2**16  # bytes; it has about 200
WORKERS_A_CORE = 4  # workers for each core, at the most

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LEFT_BEHIND = ("MALLOC_TRIM_THRESHOLD_", "PYTHONHASHSEED")  # what Dask sets here to start processes with
LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application")
# No server that tells over HTTP how things stand, no statistics, and no looking at the clock 50 times a second.
CONFIG = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "5s",
}
ADDRESS = re.compile(r"(?:tcp://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")


Future = Any  # of Dask


@dataclass(frozen=True)
class Cluster:
    """Workers, by their Dask ``client``. Whatever goes wrong over there, out of memory or out of reach, is raised
    here as InputError, which names the option ``field`` with which they were asked for."""

    client: Any
    field: str

    def threads(self) -> int:
        """How many pieces of work can be done at once; 0 while there is no worker."""
        with self._named():
            return sum(self.client.nthreads().values())

    def submit(self, function: Callable[..., Any], *given: object) -> Future:
        """Have it called by some worker, by another one too if that dies. Futures among what is given stand for their
        results. The function has to be picklable, like all that it is given and returns."""
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}), self._named():
            return self.client.submit(function, *given, pure=False)

    def ready(self, futures: Sequence[Future]) -> list[Future]:
        """Those whose result or error is there; waits a tenth of a second for the first."""
        wait: Any = importlib.import_module("distributed").wait

        with self._named(), self.client.as_current():
            try:
                return list(wait(futures, timeout=LONGEST_WAIT, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                return []

    def result(self, future: Future) -> Any:
        with self._named():
            return future.result()

    def cancel(self, futures: Sequence[Future]) -> None:
        """Begin none of them any more; one that is at work ends by itself."""
        with suppress(Exception):  # whoever would have to hear of it is gone
            self.client.cancel(futures, force=True)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise InputError(self.field, _said(error)) from None


@contextmanager
def local(workers: object) -> Iterator[Cluster]:
    """So many worker processes on this machine, one thread each, reachable from this machine alone. Raises InputError
    for a number that does not do, and without the extra that brings Dask."""
    most = WORKERS_A_CORE * (os.cpu_count() or 1)
    number = whole_number("workers", workers, 1)
    if number > most:
        raise InputError("workers", f"{number} is too many for this machine; choose {most} or fewer")
    with ExitStack() as stack:
        distributed = _distributed("workers", stack)
        import dask

        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="backprop-tui-", ignore_cleanup_errors=True)
        )
        stack.enter_context(_environment())
        try:
            with dask.config.set(CONFIG), interrupts_blocked():
                processes = distributed.LocalCluster(
                    n_workers=number,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # None would be port 8787
                    preload=[__name__],
                    local_directory=folder,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )
                stack.callback(processes.close)
                client = stack.enter_context(distributed.Client(processes, set_as_default=False))
        except (OSError, RuntimeError) as error:
            raise InputError("workers", f"cannot start workers: {error}") from None
        yield Cluster(client, "workers")


@contextmanager
def joined(address: str, patience: float = LONGEST_ANSWER) -> Iterator[Cluster]:
    """The workers of a scheduler that runs already, at HOST:PORT. Raises InputError for what is no address, where
    nobody answers in time, and for workers that would compute something else."""
    found = ADDRESS.fullmatch(address.strip())
    if found is None or not 0 < int(found[2]) < 2**16:
        raise InputError(
            "scheduler", f"invalid address {quoted(address)}; use HOST:PORT, as in 127.0.0.1:8786"
        )
    host, port = found[1], int(found[2])
    _greet(host, port, patience)
    with ExitStack() as stack:
        distributed = _distributed("scheduler", stack)
        where = f"tcp://{host}:{port}"
        try:
            client = distributed.Client(where, timeout=patience, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise InputError("scheduler", f"cannot use {where}: {error}") from None
        stack.enter_context(client)
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            raise InputError(
                "scheduler", f"{where} has no workers; start some: dask worker {where}"
            ) from None
        cluster = Cluster(client, "scheduler")
        with cluster._named():
            workers = client.run(_who)
        for worker, (version, one_thread) in workers.items():
            _check(worker, version, one_thread)
        yield cluster


def _greet(host: str, port: int, patience: float) -> None:
    """Check that a Dask scheduler answers. It speaks first, and begins with a length, 8 bytes; Dask itself would wait
    for that without end."""
    try:
        with socket.create_connection((host.strip("[]"), port), patience) as line:
            greeting = line.recv(8, socket.MSG_WAITALL)
    except TimeoutError:
        raise InputError(
            "scheduler", f"{host}:{port} did not answer within {patience:g} s; is it a Dask scheduler?"
        ) from None
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(
            "scheduler", f"no answer at {host}:{port} ({said}); start one there: dask scheduler"
        ) from None
    if len(greeting) < 8 or not 0 < int.from_bytes(greeting, "little") < LONGEST_GREETING:
        raise InputError("scheduler", f"{host}:{port} is not a Dask scheduler")


def _check(worker: str, version: str, one_thread: bool) -> None:
    if version != __version__:
        raise InputError("scheduler", f"{worker} runs backprop-tui {version}, but this is {__version__}")
    if not one_thread:
        raise InputError("scheduler", f"{worker} uses several threads; start it with OMP_NUM_THREADS=1")


def _distributed(field: str, stack: ExitStack) -> Any:
    """The package, which has nothing to say on this terminal until the stack is left."""
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InputError(field, 'needs the extra: pip install "backprop-tui[cluster]"') from None
    for name in LOGGERS:
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)
    return distributed


@contextmanager
def _environment() -> Iterator[None]:
    """What is started computes with one thread, whatever was asked for here; afterward all is as before."""
    before = {name: os.environ.get(name) for name in (*ONE_THREAD, *LEFT_BEHIND)}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _said(error: BaseException) -> str:
    """An error in a line."""
    if type(error).__name__ == "KilledWorker":
        return "a task failed: every worker that ran it died, perhaps out of memory"
    if isinstance(error, OSError | CancelledError):
        return "lost the connection to the scheduler"
    return f"{type(error).__name__}: {error}".partition("\n")[0]


# --- what runs in a worker --------------------------------------------------------------------------------


def dask_setup(worker: object) -> None:
    """Dask calls this in each worker of our own, as it starts."""
    leave_terminal()


def _who() -> tuple[str, bool]:
    """The version, and whether BLAS was told to keep to one thread."""
    return __version__, any(os.environ.get(name) == "1" for name in ONE_THREAD)
