"""The cgroups around this process: where Linux keeps the limits of a container."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UNIFIED = ""  # the controller that version 2 names: all of them in one tree
BASE = "sys/fs/cgroup"


def cgroup_folders(root: Path, controller: str) -> Iterator[tuple[Path, int]]:
    """Yield the folder of each cgroup that limits this process, from the innermost outward, with the version of its
    files, 1 or 2. ``controller`` is memory or cpu, ``root`` the folder of proc and sys."""
    lines: list[str] = []
    with suppress(OSError):
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inner = Path(path.strip("/"))
        for named in {controller, UNIFIED} & set(controllers.split(",")):
            for each in (inner, *inner.parents):
                yield root / BASE / named / each, 1 if named else 2
