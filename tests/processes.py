"""Processes of the tests: they hear the usual signals, none outlives the test that started it, and none outlives the
run, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from weakref import WeakSet

import psutil

IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
STARTED: WeakSet[subprocess.Popen[bytes]] = WeakSet()


def hear_signals() -> None:
    """Undo what the parent ignores or blocks, such as nohup and a shell that starts a job in the background: every
    process would inherit it."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        return
    for number in signal.valid_signals() - {getattr(signal, name, None) for name in IGNORED_BY_PYTHON}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def record_started() -> None:
    """Note in STARTED every process that the subprocess module starts."""
    start = subprocess.Popen.__init__

    @wraps(start)
    def noted(self, *arguments, **options):  # type: ignore[no-untyped-def]
        start(self, *arguments, **options)
        STARTED.add(self)

    subprocess.Popen.__init__ = noted  # type: ignore[method-assign]


def end(processes: Iterable[subprocess.Popen[bytes]]) -> list[str]:
    """End those that still run, with all that they started, and close their pipes; return their command lines. One
    left alone would warn when it is forgotten, which fails another test."""
    left = []
    for process in processes:
        if process.poll() is not None:
            continue
        left.append(str(process.args))
        with suppress(psutil.NoSuchProcess):
            kill(psutil.Process(process.pid).children(recursive=True))
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
    return left


def kill(processes: Iterable[psutil.Process]) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            each.kill()


def of(folder: str) -> list[psutil.Process]:
    """Return the processes, except this one, that have a folder in their environment or command line."""

    def mentions(process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return any(f"{folder}/" in text for text in (*process.cmdline(), *process.environ().values()))
        return False

    return [each for each in psutil.process_iter() if each.pid != os.getpid() and mentions(each)]


def start_reaper(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that waits for the end of this one, even by SIGKILL, then ends all processes that use the
    folder and removes it."""
    command = [sys.executable, str(Path(__file__).with_name("reaper.py")), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environment)
