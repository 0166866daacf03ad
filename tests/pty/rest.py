"""The activity of an idle app, and the effect of a busy machine."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.pty.conftest import Terminal
from tests.pty.server import below
from tests.waits import until
from tui_backprop.tui.app.cost_lab import LOOK_AGAIN

MOST = 0.05  # of a core; measured values are far below
GLANCE = 0.25  # seconds


def watched(run: Terminal, process: psutil.Process, seconds: float) -> tuple[int, float]:
    """Return the bytes written, and the share of a core used by a process and its children."""
    processes, written = [process, *below(process)], len(run.raw)
    before = sum(sum(each.cpu_times()[:2]) for each in processes)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        run.read(0.1)
    used = sum(sum(each.cpu_times()[:2]) for each in processes) - before
    return len(run.raw) - written, used / (time.monotonic() - start)


def at_rest(run: Terminal, process: psutil.Process) -> None:
    """Wait until nothing is written and no processor time is used for twice as long as a measurement is postponed."""
    still = 0.0

    def rests() -> bool:
        nonlocal still
        written, share = watched(run, process, GLANCE)
        still = still + GLANCE if not written and share < MOST else 0.0
        return still > 2 * LOOK_AGAIN

    until(rests, "rest", pause=lambda: None)


def starved(*processes: int) -> float:
    """Return the seconds that all threads of processes have waited for a core so far, if the system counts them. On
    an idle machine that is close to 0; on a busy one it is added to a time limit."""
    waited = 0
    for task in (task for process in processes for task in Path(f"/proc/{process}/task").glob("*")):
        with suppress(OSError):  # it has ended
            waited += int((task / "schedstat").read_text().split()[1])
    return waited / 1e9
