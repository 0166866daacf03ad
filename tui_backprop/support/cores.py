"""How many cores this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tui_backprop.support.cgroups import cgroup_folders

ROOT = Path("/")


def usable_cores(root: Path = ROOT) -> int:
    """Return the number of cores that this process may use, at least 1: those that it may run on, and no more than
    the CPU quota of its container has whole ones. ``root`` is the folder of proc and sys."""
    return max(min([_bound(), *_quotas(root)]), 1)


def _bound() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[int]:
    """Yield the whole cores within the quota of each cgroup that has one."""
    for folder, version in cgroup_folders(root, "cpu"):
        with suppress(OSError, ValueError, ZeroDivisionError):  # no limit is the word max, or -1
            if version == 1:
                quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            else:
                quota, period = (folder / "cpu.max").read_text().split()
            if int(quota) >= 0:
                yield int(quota) // int(period)
