"""Started by `tests.processes.start_reaper`: cleans up after a run of the tests, however it ends."""

from __future__ import annotations

import shutil
import signal
import sys

from tests import processes

ROUNDS = 5  # a process that is being started may be missed once


def main(folder: str) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdin.read()  # returns when the run has ended
    for _ in range(ROUNDS):
        if not (left := processes.of(folder)):
            break
        processes.kill(left)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
