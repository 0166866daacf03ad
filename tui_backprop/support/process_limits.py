"""How many more threads and processes the system grants this process for certain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tui_backprop.support.cgroups import cgroup_folders

ROOT = Path("/")


def granted(root: Path = ROOT) -> int:
    """Return a number of threads that can be started for certain, 0 if that is not known: by the limits of the user
    (RLIMIT_NPROC; all threads of the system are counted, which are at least the user's) and of the containers around
    this process. ``root`` is the folder of proc and sys."""
    try:
        return max(min([*_of_user(root), *_of_containers(root)]), 0)
    except (ImportError, OSError, ValueError, IndexError):
        return 0


def _of_user(root: Path) -> Iterator[int]:
    import resource

    running = int((root / "proc/loadavg").read_text().split()[3].partition("/")[2])
    most = int((root / "proc/sys/kernel/threads-max").read_text())
    limit, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    yield (most if limit == resource.RLIM_INFINITY else min(limit, most)) - running


def _of_containers(root: Path) -> Iterator[int]:
    for folder, _ in cgroup_folders(root, "pids"):
        with suppress(FileNotFoundError):  # this one has no limit
            if (most := (folder / "pids.max").read_text().strip()) != "max":
                yield int(most) - int((folder / "pids.current").read_text())
