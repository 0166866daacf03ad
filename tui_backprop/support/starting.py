"""The one way to start a thread or a process, with one error where none can be started.

A process imports nothing from the current folder, and neither kind ever hears of Ctrl+C. The threads of Textual's
workers are the exception: the app starts them, in ``in_thread``.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from tui_backprop.support.process_limits import granted
from tui_backprop.support.signals import STARTING, ending_deferred

T = TypeVar("T")

SAFE = {"PYTHONSAFEPATH": "1"}  # nothing is imported from the current folder
REASONS = (OSError, RuntimeError, ValueError, ImportError, MemoryError)  # why nothing starts


class StartError(OSError):
    """A thread or a process that cannot be started; its text is a clause that says why."""


def start_thread(work: Callable[[], object], name: str) -> threading.Thread:
    """Start a thread, which does not keep the process alive. Raises StartError."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    with interrupts_blocked():
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            raise StartError(f"no thread can be started: {error}") from None
    return thread


def require_threads(count: int) -> None:
    """Raise StartError unless so many more threads can be started. They are, for a trial, unless limits are far: each
    takes a turn of the scheduler, milliseconds on a busy machine."""
    if granted() >= count:
        return
    over, started = threading.Event(), []
    try:
        for _ in range(count):
            started.append(start_thread(over.wait, "trial"))  # noqa: PERF401 - those before a failure have to end
    finally:
        over.set()
        for thread in started:
            thread.join()


def done_in_threads(jobs: Sequence[Callable[[], T]], threads: int) -> Iterator[T]:
    """Yield the results of all jobs, as they are done in at most so many threads; in this one, if none can be
    started. Raises what a job raises. When iteration stops, no more are begun."""
    waiting: SimpleQueue[Callable[[], T]] = SimpleQueue()
    finished: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    over, started = threading.Event(), []
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        with suppress(Empty):
            while not over.is_set():
                job = waiting.get_nowait()
                try:
                    finished.put((job(), None))
                except BaseException as error:
                    finished.put((None, error))

    try:
        with suppress(StartError):
            for _ in range(min(threads, len(jobs))):
                started.append(start_thread(work, "job"))  # noqa: PERF401 - keeps those before a failure
        for job in jobs:
            result, error = finished.get() if started else (job(), None)
            if error is not None:
                raise error
            yield result  # type: ignore[misc]
    finally:
        over.set()
        for thread in started:
            thread.join()


def start_process(
    target: Callable[..., object],
    given: tuple[object, ...],
    environment: Mapping[str, str] = SAFE,
    name: str | None = None,
) -> Any:
    """Start a process of Python that runs ``target`` with what it is given; ``environment`` has more variables for
    it. While an app runs, what it puts in the place of standard error is no file, and none can be started with it:
    the real one stands in for that moment. Raises StartError, also where none would be safe."""
    if sys.flags.ignore_environment and not sys.flags.safe_path:
        raise StartError(
            "no process can be started: Python runs with -E and would import from the current folder; start it with"
            " -P as well"
        )
    multiprocessing = importlib.import_module("multiprocessing")
    resource_tracker = importlib.import_module("multiprocessing.resource_tracker")
    context = multiprocessing.get_context("spawn")  # there are threads: no fork
    process = context.Process(target=target, args=given, daemon=True, name=name)
    with STARTING, redirect_stderr(sys.__stderr__), variables({**environment, **SAFE}):
        try:
            resource_tracker.ensure_running()  # a process, too; whichever thread starts it hears of Ctrl+C again
            with interrupts_blocked():
                process.start()
        except REASONS as error:
            raise StartError(f"no process can be started: {_reason(error)}") from None
    return process


def start_talking(
    target: Callable[..., object], given: tuple[object, ...], environment: Mapping[str, str] = SAFE
) -> tuple[Any, Any]:
    """Start a process whose first argument is one end of a pipe; return it, and the other end. Raises StartError."""
    connection = importlib.import_module("multiprocessing.connection")
    try:
        here, there = connection.Pipe()
    except OSError as error:
        raise StartError(f"no process can be started: {_reason(error)}") from None
    try:
        return start_process(target, (there, *given), environment), here
    except BaseException:
        here.close()
        raise
    finally:
        there.close()


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


@contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables; afterward all is as before."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Threads and processes that are begun meanwhile never hear of Ctrl+C; this thread does afterward."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with ending_deferred():  # a process that is half started would complain
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
