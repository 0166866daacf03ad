"""Signals that have to wait a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STARTING = threading.RLock()  # held while a process is started: half of one would complain
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
DEFERRED = (signal.SIGINT, *ENDING)  # one that is blocked here can still come to a thread of BLAS


@contextmanager
def ending_deferred() -> Iterator[None]:
    """Have signals that end the process wait until this is over, if Python functions handle them."""
    if threading.current_thread() is not threading.main_thread():  # which is the one that handles signals
        yield
        return
    before = {number: signal.getsignal(number) for number in DEFERRED}
    pending: list[int] = []
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda number, frame: pending.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        for number in pending:
            signal.raise_signal(number)
