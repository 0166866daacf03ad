"""Dask's client, in a process of its own, which can be given up at any moment with all that it has open. No other
module knows Dask, which comes with an extra.

Whoever controls a scheduler or its workers can run code in that process. With TLS, these are the holders of the key.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic, perf_counter
from typing import Any

from tui_backprop import __version__
from tui_backprop.cost.race.scheduler import MAX_REASON, Scheduler
from tui_backprop.cost.race.shares import (
    ONE_THREAD,
    Answer,
    Ask,
    Failure,
    Forget,
    Roster,
    Task,
    computed,
    error_line,
    fault_of,
)
from tui_backprop.cost.race.worker import leave_terminal
from tui_backprop.files.decoder import DecodeError, convert
from tui_backprop.support.exit_codes import DONE
from tui_backprop.support.format import printable
from tui_backprop.support.starting import start_thread

FIRST_INTERVAL, ROSTER_INTERVAL = 0.05, 0.5  # seconds between two looks at who is there
LONGEST_LOOK = 2.0  # seconds for a scheduler to say so
MAX_THREADS = 1024  # of a worker
CONFIG = {"distributed.comm.retry.count": 0, "distributed.admin.large-graph-warning-threshold": "1TB"}


@dataclass(frozen=True)
class Started:
    """Dask has been imported."""


@dataclass(frozen=True)
class Refused:
    why: str


def relay(there: Any, scheduler: Scheduler, patience: float) -> None:
    """Connect, and pass shares to the workers and answers back, until nobody is there any more."""
    leave_terminal()
    dask = importlib.import_module("dask")
    importlib.import_module("distributed")
    dask.config.set(CONFIG)
    there.send(Started())
    try:
        asyncio.run(Relay(there, scheduler).run(patience))
    except RefusalError as error:
        there.send(Refused(str(error)))


class RefusalError(Exception):
    """No connection, and why."""


class Relay:
    def __init__(self, there: Any, scheduler: Scheduler) -> None:
        self._there, self._scheduler = there, scheduler
        self._client: Any = None
        self._fit: dict[str, int] = {}
        self._unfit: dict[str, str] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}  # workers that have been asked who they are
        self._task: Task | None = None
        self._held: dict[str, Any] = {}  # a future of the task, at each worker
        self._shares: set[asyncio.Task[None]] = set()

    async def run(self, patience: float) -> None:
        end = monotonic() + patience
        await self._reach(patience)
        self._client = await self._connected(end)
        while not self._fit:
            if monotonic() > end:
                raise RefusalError(self._no_workers())
            await self._look()
            await asyncio.sleep(FIRST_INTERVAL)
        self._there.send(Roster(dict(self._fit), dict(self._unfit)))
        loop = asyncio.get_running_loop()
        start_thread(partial(self._read, loop), "read")
        while True:
            before = {**self._fit}, {**self._unfit}
            await asyncio.sleep(ROSTER_INTERVAL)
            await self._look()
            if before != (self._fit, self._unfit):
                self._there.send(Roster(dict(self._fit), dict(self._unfit)))

    def _no_workers(self) -> str:
        if self._unfit:
            name, why = next(iter(self._unfit.items()))
            return f"no worker of {self._scheduler.address} can be used; {name}: {why}"
        if self._asked:
            return f"no worker of {self._scheduler.address} answered; first is {next(iter(self._asked))}"
        command = self._scheduler.command("worker")
        return f"{self._scheduler.address} has no workers; start some: {command}"

    async def _reach(self, patience: float) -> None:
        """Check that something listens; Dask itself would try on without a reason."""
        scheduler = self._scheduler
        try:
            connecting = asyncio.open_connection(scheduler.host.strip("[]"), scheduler.port)
            _, writer = await asyncio.wait_for(connecting, patience)
            writer.close()
        except TimeoutError:
            raise RefusalError(f"no answer at {scheduler.address} within {patience:g} s") from None
        except (OSError, UnicodeError) as error:
            raise RefusalError(
                f"no answer at {scheduler.address} ({_root_reason(error)}); start one there:"
                f" {scheduler.command('scheduler')}"
            ) from None

    async def _connected(self, end: float) -> Any:
        """Return Dask's client, once what answers says that it is a scheduler."""
        distributed = importlib.import_module("distributed")
        core = importlib.import_module("distributed.core")
        address, security = self._scheduler.address, _security(self._scheduler)
        try:
            left = max(end - monotonic(), 0.1)
            options = security.get_connection_args("client")
            async with core.rpc(address, timeout=left, connection_args=options) as remote:
                kind = (await asyncio.wait_for(remote.identity(), left))["type"]
            if kind != "Scheduler":
                raise RefusalError(f"{address} is a Dask {printable(kind, 20).lower()}, not a scheduler")
            left = max(end - monotonic(), 0.1)
            client = distributed.Client(
                address, asynchronous=True, security=security, timeout=left, set_as_default=False
            )
            return await asyncio.wait_for(client, left)
        except RefusalError:
            raise
        except TimeoutError:
            raise RefusalError(f"{address} did not answer like a Dask scheduler in time") from None
        except Exception as error:
            raise RefusalError(f"{address} is not a Dask scheduler: {_root_reason(error)}") from None

    async def _look(self) -> None:
        """See who is there, and ask those who are new who they are."""
        with suppress(TimeoutError):
            there = await asyncio.wait_for(self._client.scheduler.ncores(), LONGEST_LOOK)
            for worker in there.keys() - self._asked.keys():
                self._asked[worker] = asyncio.create_task(self._ask_who(worker, there[worker]))
            for worker in self._asked.keys() - there.keys():
                self._asked.pop(worker).cancel()
                self._fit.pop(worker, None)
                self._held.pop(worker, None)

    async def _ask_who(self, worker: str, threads: int) -> None:
        try:
            why = _misfit(await self._submit(_who, worker))
        except Exception as error:
            why = error_line(error)
        if why:
            self._unfit[worker] = printable(why, MAX_REASON)
        else:
            self._fit[worker] = min(threads, MAX_THREADS)

    def _submit(self, function: Any, worker: str, *given: object) -> Any:
        return self._client.submit(function, *given, workers=[worker], allow_other_workers=False, pure=False)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while True:
                loop.call_soon_threadsafe(self._take, self._there.recv())
        finally:
            os._exit(DONE)  # nobody is there any more; what is open is closed by that

    def _take(self, message: Task | Ask | Forget) -> None:
        if isinstance(message, Ask):
            share = asyncio.ensure_future(self._compute(message))
            self._shares.add(share)
            share.add_done_callback(self._shares.discard)
        elif isinstance(message, Task | Forget):
            for share in self._shares:
                share.cancel()
            self._held.clear()
            self._task = message if isinstance(message, Task) else None

    async def _compute(self, ask: Ask) -> None:
        if self._task is None or ask.worker not in self._fit:
            return
        if ask.worker not in self._held:
            self._held[ask.worker] = self._submit(_same, ask.worker, self._task)
        asked = perf_counter()
        try:
            outcome = await self._submit(computed, ask.worker, self._held[ask.worker], ask.share)
        except Exception as error:
            self._there.send(
                Failure(ask.worker, ask.share, f"failed: {printable(error_line(error), MAX_REASON)}")
            )
            return
        fault = fault_of(ask.share, outcome, perf_counter() - asked)
        if fault:
            self._there.send(Failure(ask.worker, ask.share, f"sent {printable(fault, MAX_REASON)}"))
        else:
            self._there.send(Answer(ask.worker, ask.share, *outcome))


def _security(scheduler: Scheduler) -> Any:
    security = importlib.import_module("distributed.security").Security
    if scheduler.tls is None:
        return security(require_encryption=False)
    ca, certificate, key = scheduler.tls
    return security(tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True)


def _root_reason(error: BaseException) -> str:
    """Return the reason of the first error in a chain of them."""
    import ssl  # not every Python has it, and workers of this machine do without

    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "it closed the TLS connection; perhaps it does not trust this certificate"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({printable(error.reason or error, MAX_REASON)})"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "it closed the connection"
    if isinstance(error, OSError) and error.errno:  # negative are those of the resolver
        return os.strerror(error.errno) if error.errno > 0 else printable(error.strerror, MAX_REASON)
    return "it closed the connection" if isinstance(error, OSError) else "it speaks another protocol"


def _misfit(answer: object) -> str:
    """Return why a worker cannot be used, by what it says of itself."""
    try:
        version, one_thread = convert(answer, tuple[str, bool])
    except DecodeError:
        return "it does not say what it is"
    if version != __version__:
        return f"it runs backprop-tui {version}, but this is {__version__}"
    return "" if one_thread else "it uses several threads of BLAS; start it with OMP_NUM_THREADS=1"


# --- what runs in a worker --------------------------------------------------------------------------------


def _same(task: Task) -> Task:
    """The task as a result: a worker keeps it, and its shares refer to it."""
    return task


def _who() -> tuple[str, bool]:
    """The version, and whether BLAS was told to keep to one thread."""
    return __version__, any(os.environ.get(name) == "1" for name in ONE_THREAD)
