"""Signals and hangups at any moment from the start on: the process ends with a code of the table, its terminal is as
before, and it says nothing but how to come back. (Before the interpreter has started, only the latter is ours.)"""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.hostile.chance import KILLED, SEED, cases, told
from tests.pty.conftest import terminal  # noqa: F401
from tests.pty.test_pty_life import left_clean

pytestmark = pytest.mark.pty

LATEST = 3.0  # seconds after the start
SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
KEYS = ["right", "left", "down", "b", "t", "z", "T", "c", "?", "/", "S", "q", "ctrl+l", "\x10", "\x1b"]


def played(run, chance, until: float) -> None:
    """Press random keys until a moment."""
    while (left := until - time.monotonic()) > 0 and run.child.poll() is None:
        run.read(min(left, 0.1))
        if run.raw and chance.random() < 0.3:
            run.send(chance.choice(KEYS))


def start(terminal, chance):  # noqa: F811
    run = terminal(*chance.choice([(80, 24), (120, 40), (60, 4)]), own=chance.random() < 0.5)
    played(run, chance, time.monotonic() + LATEST * chance.random() ** 2)
    return run


def test_a_signal_at_any_moment(terminal):  # noqa: F811
    for chance in cases(4):
        name = chance.choice(SIGNALS)
        run = start(terminal, chance)
        with told(name, bytes(run.raw[-2000:])):
            number = getattr(signal, name)
            run.child.send_signal(number)
            code = run.ended()
            if b"tui_backprop" in run.raw or b"\x1b" in run.raw:  # else the interpreter had not started yet
                assert code in (128 + number, -number, 0)  # 0: a key had ended it
                assert b"Traceback" not in run.raw
            assert left_clean(run) or b"\x1b[?1049h" not in run.raw


def test_a_hangup_at_any_moment(terminal):  # noqa: F811
    for chance in cases(4):
        run = start(terminal, chance)
        with told(SEED, bytes(run.raw[-2000:])):
            os.close(run.master)
            assert run.child.wait(timeout=60) in {129, 0, *KILLED} or not run.raw
