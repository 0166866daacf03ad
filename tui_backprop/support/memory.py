"""How much more memory this process may take: the least of what the system, its container and its limits leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path

from tui_backprop.support.cgroups import cgroup_folders
from tui_backprop.support.format import format_bytes

KIB = 1024
ROOT = Path("/")
RESERVED = (
    192 * 2**20
)  # bytes of address space that libraries reserve when they are loaded, most of it never used
UNLIMITED = 2**60  # bytes from which a limit is none
STRICT = "2"  # the kind of overcommitment in which the system promises no more than it has
# Of version 1 and 2 of cgroups: the files of limit and use, and of statistics what is freed on demand.
CGROUPS = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
LIMITS = {"RLIMIT_AS": "VmSize", "RLIMIT_DATA": "VmData"}  # limits of a process, and what counts against each


@dataclass(frozen=True)
class Available:
    """Bytes that can be allocated, and the limit ``within`` which that is, if it is not memory itself. With less than
    ``least`` bytes numpy and Textual cannot be loaded."""

    bytes: int
    within: str = ""
    least: int = 64_000_000

    @property
    def words(self) -> str:
        """Say how much is free: 4 GB is free; 200 MB is free within RLIMIT_AS."""
        return f"{format_bytes(self.bytes)} is free" + (f" within {self.within}" if self.within else "")


def ran_out(error: MemoryError) -> str:
    """Say that memory ran out: how much was needed, how much is free, and what to do."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)  # of numpy
    needed = f" ({format_bytes(prod(shape) * dtype.itemsize)} more needed)" if shape and dtype else ""
    return f"memory ran out{needed}; {available().words}; choose a smaller network or batch"


def available(root: Path = ROOT) -> Available:
    """Return how much can be allocated now, by the limit that binds; ``root`` is the folder of proc and sys."""
    return min(_all(root), key=lambda each: each.bytes)


def _all(root: Path) -> Iterator[Available]:
    yield _system(root)
    yield from _promises(root)
    yield from _containers(root)
    yield from _limits(root)


def _system(root: Path) -> Available:
    with suppress(OSError, KeyError, ValueError):
        return Available(_table(root / "proc/meminfo")["MemAvailable"] * KIB)
    import psutil  # takes 30 ms, and is needed where there is no /proc

    return Available(int(psutil.virtual_memory().available))


def _promises(root: Path) -> Iterator[Available]:
    """Yield what a system leaves that promises no more memory than it has."""
    with suppress(OSError, KeyError, ValueError):
        if (root / "proc/sys/vm/overcommit_memory").read_text().strip() == STRICT:
            table = _table(root / "proc/meminfo")
            left = table["CommitLimit"] - table["Committed_AS"]
            yield Available(max(left, 0) * KIB, "the commit limit of the system")


def _containers(root: Path) -> Iterator[Available]:
    """Yield what is left of the limit of each cgroup around this process."""
    for folder, version in cgroup_folders(root, "memory"):
        limit, used, freed = CGROUPS[version]
        with suppress(OSError, ValueError):  # no limit is the word max
            most = int((folder / limit).read_text())
            taken = int((folder / used).read_text()) - _freed(folder / "memory.stat", freed)
            if most < UNLIMITED:
                yield Available(max(most - taken, 0), "the memory limit of the container (cgroup)")


def _freed(path: Path, name: str) -> int:
    """Return the bytes of files in memory that are dropped when others need it."""
    with suppress(OSError):
        return _table(path).get(name, 0)
    return 0


def _limits(root: Path) -> Iterator[Available]:
    """Yield what is left of the limits of this process."""
    import resource

    for name, counted in LIMITS.items():
        most, _ = resource.getrlimit(getattr(resource, name))
        if most != resource.RLIM_INFINITY:
            used = 0
            with suppress(OSError, KeyError, ValueError):
                used = _table(root / "proc/self/status")[counted] * KIB
            yield Available(max(most - used, 0), f"{name}, a limit of this process", RESERVED)


def _table(path: Path) -> dict[str, int]:
    """Read a table of names and numbers, one in a line, as the system writes them."""
    rows = (line.replace(":", " ").split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
