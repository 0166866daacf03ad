"""For all tests."""

from __future__ import annotations

import os

# Tests run side by side, a process and more for each core. Threads of BLAS beside each other only wait for each
# other most of the time.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# The tour of the first start is for the tests that are about it.
os.environ["BACKPROP_TUI_TOUR"] = "false"


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: those that have the real command before them wait most of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) + 1
