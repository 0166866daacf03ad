"""Folders of the tests' own: no test, and no process that one starts, finds the home of whoever runs the tests.

Each test has a place of its own, removed after it. Before, between and after tests, and for fixtures of a wider
scope, there is the place of the process that runs them: its home has things to lose, and must stay as it was.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

FOLDERS = {
    "HOME": "home", "TMPDIR": "tmp", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
    "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run",
}  # fmt: skip
MADE = (FOLDERS["HOME"], FOLDERS["TMPDIR"])  # the others are made by whoever needs them
KEPT = set(FOLDERS.values()) - {FOLDERS["TMPDIR"]}
HISTORY = ".history"  # in the home
LINES = 1000  # of a history; bash cuts it to 500 unless it is configured otherwise
NEEDED = ("HOME", "HISTFILE", "TMPDIR")  # a process that lacks one of them looks up the real one


class Place:
    """A home and the folders that belong to one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {name: str(folder / short) for name, short in FOLDERS.items()}
        self.variables["HISTFILE"] = str(folder / FOLDERS["HOME"] / HISTORY)
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in MADE:
            (folder / name).mkdir(mode=0o700)

    def enter(self) -> None:
        """Have this process, and all that it starts, use these folders."""
        os.environ.update(self.variables)
        tempfile.tempdir = self.variables["TMPDIR"]

    @property
    def untouched(self) -> bool:
        """Whether nothing was written here."""
        return set(os.listdir(self.folder)) == set(MADE) and not any(
            os.listdir(self.folder / each) for each in MADE
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def process_place() -> Place:
    """A place for this process, with something to lose. Its path is short, because those of sockets are limited.
    Places of xdist's workers lie in that of their controller, which removes them all."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    made = Place(
        Path(os.environ["TMPDIR"]).parent / worker if worker else Path(tempfile.mkdtemp(prefix="bp-"))
    )
    furnish(made.folder)
    return made


def places(process: Place) -> Iterator[Place]:
    """A place for one test after the other. One that was left as it was is used again: most tests write nothing, and
    to make folders takes longer than many a test."""
    for number in count():
        place = Place(process.folder / str(number))
        while True:
            yield place
            if not place.untouched:
                break
        place.remove()


def furnish(place: Path) -> None:
    """Fill a home with what a user would not like to lose."""
    for folder in KEPT:
        (place / folder).mkdir(exist_ok=True)
        (place / folder / "kept").write_text(folder)
    for name in (HISTORY, ".bash_history", ".python_history"):
        (place / FOLDERS["HOME"] / name).write_text("".join(f"echo {i}\n" for i in range(LINES)))


def contents(place: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time of change and content of everything in a place, except temporary files."""
    found = {}
    for path in (path for folder in KEPT for path in (place / folder).rglob("*")):
        facts = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(place))] = (facts.st_mode, facts.st_mtime_ns, data)
    return found


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """The paths that were added, removed or changed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def refuse_homeless(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook that refuses to start a process whose environment names no home: it would find the real one."""
    if event == "subprocess.Popen" and arguments[3] is not None:
        missing = set(NEEDED) - {os.fsdecode(name) for name in arguments[3]}
        assert not missing, f"started without {', '.join(sorted(missing))}, a process finds the real home"
