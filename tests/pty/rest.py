"""What an app does when nobody touches it, and what it cannot do because others have the cores."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.pty.conftest import Terminal
from tests.pty.server import below
from tests.waits import until
from tui_backprop.tui.app.cost_lab import LOOK_AGAIN

MOST = 0.05  # of a core; what is measured is far below
GLANCE = 0.25  # seconds


def watched(run: Terminal, process: psutil.Process, seconds: float) -> tuple[int, float]:
    """How many bytes are written, and how much of a core is used by a process and those that it started."""
    processes, written = [process, *below(process)], len(run.raw)
    before = sum(sum(each.cpu_times()[:2]) for each in processes)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        run.read(0.1)
    used = sum(sum(each.cpu_times()[:2]) for each in processes) - before
    return len(run.raw) - written, used / (time.monotonic() - start)


def at_rest(run: Terminal, process: psutil.Process) -> None:
    """Wait until nothing is written and no time is taken for twice as long as a measurement is put off."""
    still = 0.0

    def rests() -> bool:
        nonlocal still
        written, share = watched(run, process, GLANCE)
        still = still + GLANCE if not written and share < MOST else 0.0
        return still > 2 * LOOK_AGAIN

    until(rests, "rest", pause=lambda: None)


def starved(*processes: int) -> float:
    """Seconds that all threads of processes have waited for a core so far, where the system counts them. On an idle
    machine that is next to nothing; beside busy processes it is what a time has to be longer for."""
    waited = 0
    for task in (task for process in processes for task in Path(f"/proc/{process}/task").glob("*")):
        with suppress(OSError):  # it has ended
            waited += int((task / "schedstat").read_text().split()[1])
    return waited / 1e9
