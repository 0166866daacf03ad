"""A signal that comes while a process is being started is heard afterward, whichever thread it comes to."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from tui_backprop.support.signals import DEFERRED, ending_deferred
from tui_backprop.support.starting import interrupts_blocked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Heard(Exception):
    """Raised by the handler of a signal."""


def hear(number, frame):
    raise Heard


@pytest.fixture
def another_thread():
    """A thread without any signal blocked, as those of BLAS are."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize("number", DEFERRED)
@pytest.mark.parametrize("deferred", [ending_deferred, interrupts_blocked])
def test_a_signal_waits_until_the_start_is_over(another_thread, number, deferred):
    finished = []

    def start():
        with deferred():
            os.kill(os.getpid(), number)
            while number in signal.sigpending():  # until a thread takes it
                pass
            time.sleep(0.01)
            finished.append(True)

    before = signal.signal(number, hear)
    try:
        with pytest.raises(Heard):
            start()
    finally:
        signal.signal(number, before)
    assert finished == [True]
