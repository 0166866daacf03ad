"""An app that nobody touches does nothing: it writes nothing, and takes no time."""

from __future__ import annotations

import time

import psutil
import pytest

from tests.pty.server import PATIENCE, below
from tests.pty.test_pty_ssh import opened

pytestmark = pytest.mark.pty

SETTLED, WATCHED = 4.0, 5.0  # seconds in which it has to be at rest before, and in which it is watched then
MOST = 0.05  # of a core; what is measured is far below


def watched(run, process: psutil.Process, seconds: float) -> tuple[int, float]:
    """How many bytes are written, and how much of a core is used by a process and those that it started."""
    processes, written = [process, *below(process)], len(run.raw)
    before = sum(sum(each.cpu_times()[:2]) for each in processes)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        run.read(0.1)
    used = sum(sum(each.cpu_times()[:2]) for each in processes) - before
    return len(run.raw) - written, used / (time.monotonic() - start)


def rests(run, process: psutil.Process) -> None:
    """Once it has measured what it wants to, it writes nothing and takes no time."""
    end = time.monotonic() + PATIENCE
    while True:
        written, share = watched(run, process, SETTLED)
        if not written and share < MOST:
            break
        assert time.monotonic() < end, f"it never rests: {written} bytes and {share:.1%} of a core"
    written, share = watched(run, process, WATCHED)
    print(f"\n{share:.2%} of a core")
    assert (written, share < MOST) == (0, True), f"{written} bytes and {share:.1%} of a core"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_it_rests_where_it_started(terminal, size):
    run = terminal(*size)
    run.shows("step 0/20")
    rests(run, psutil.Process(run.child.pid))


def test_it_rests_after_a_play(terminal):
    run = terminal(120, 40)
    run.shows("step 0/20")
    run.send(" ", "+", "+", "+")
    run.until(lambda: "step 15/20" in run.text, "the play")
    run.send(" ")
    rests(run, psutil.Process(run.child.pid))


def test_it_rests_over_a_connection(terminal, server):
    run = opened(terminal, server, columns=120, rows=40)
    run.shows("step 0/20")
    (process,) = server.apps()
    rests(run, process)
