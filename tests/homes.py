"""Home directories of the tests: no test, and no process that one starts, finds the home of the user who runs them.

Each test has its own folders, removed after it. Before, between and after tests, and for fixtures of a wider scope,
the process that runs them has its own: that home contains files to lose, and must remain unchanged."""

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
MADE = (FOLDERS["HOME"], FOLDERS["TMPDIR"])  # the others are created when needed
KEPT = set(FOLDERS.values()) - {FOLDERS["TMPDIR"]}
HISTORY = ".history"  # in the home directory
LINES = 1000  # of a history; bash cuts it to 500 unless it is configured otherwise
WORKER = "PYTEST_XDIST_WORKER"  # set in the workers of a run, not in their controller
NEEDED = ("HOME", "HISTFILE", "TMPDIR")  # a process that lacks one of them would use the real one


class Place:
    """A home directory and its related folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {name: str(folder / short) for name, short in FOLDERS.items()}
        self.variables["HISTFILE"] = str(folder / FOLDERS["HOME"] / HISTORY)
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in MADE:
            (folder / name).mkdir(mode=0o700)

    def enter(self) -> None:
        """Make this process, and all that it starts, use these folders."""
        os.environ.update(self.variables)
        tempfile.tempdir = self.variables["TMPDIR"]

    @property
    def untouched(self) -> bool:
        """Return True if nothing was written here."""
        return set(os.listdir(self.folder)) == set(MADE) and not any(
            os.listdir(self.folder / each) for each in MADE
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def process_place() -> Place:
    """Create the folders of this process, with files to lose. The path is short, because those of sockets are
    limited. Those of xdist's workers are inside their controller's, which removes them all."""
    worker = os.environ.get(WORKER)
    made = Place(
        Path(os.environ["TMPDIR"]).parent / worker if worker else Path(tempfile.mkdtemp(prefix="bp-"))
    )
    furnish(made.folder)
    return made


def places(process: Place) -> Iterator[Place]:
    """Yield folders for one test after the other. Folders left unchanged are reused: most tests write nothing, and
    creating folders takes longer than many a test."""
    for number in count():
        place = Place(process.folder / str(number))
        while True:
            yield place
            if not place.untouched:
                break
        place.remove()


def furnish(place: Path) -> None:
    """Fill a home with files that a user would not like to lose."""
    for folder in KEPT:
        (place / folder).mkdir(exist_ok=True)
        (place / folder / "kept").write_text(folder)
    for name in (HISTORY, ".bash_history", ".python_history"):
        (place / FOLDERS["HOME"] / name).write_text("".join(f"echo {i}\n" for i in range(LINES)))


def contents(place: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, modification time and content of everything in a place, except temporary files."""
    found = {}
    for path in (path for folder in KEPT for path in (place / folder).rglob("*")):
        facts = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(place))] = (facts.st_mode, facts.st_mtime_ns, data)
    return found


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the paths that were added, removed or changed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def refuse_homeless(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook that refuses to start a process whose environment has no home: it would find the real one."""
    if event == "subprocess.Popen" and arguments[3] is not None:
        missing = set(NEEDED) - {os.fsdecode(name) for name in arguments[3]}
        assert not missing, f"started without {', '.join(sorted(missing))}, a process finds the real home"
