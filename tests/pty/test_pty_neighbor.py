"""Another user of the machine gets nothing, whatever the umask, and whatever was there before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.pty.conftest import environment
from tests.waits import until

NEIGHBOR = 65534  # nobody, everywhere
ROOT = not hasattr(os, "geteuid") or os.geteuid() == 0
pytestmark = pytest.mark.skipif(not ROOT, reason="only the superuser can act as another user")
KINDS = ("STATE", "CACHE", "CONFIG")
LARGE = ("--layers", "784,256,256,10", "--exhaustive", "--workers", "2")

# Become the neighbor, and try to list, read and write all below a folder that does not belong to them.
TRY = """
import json, os, sys
os.setgroups([]); os.setresgid(*[int(sys.argv[1])] * 3); os.setresuid(*[int(sys.argv[1])] * 3)
got, left = [], [sys.argv[2]]
def attempt(what, path, do):
    try:
        do(); got.append((what, path))
    except OSError:
        pass
while left:
    folder = left.pop()
    for path in (os.path.join(folder, name) for name in os.listdir(folder)):
        mine = os.lstat(path).st_uid == os.getuid()
        if os.path.isdir(path) and not os.path.islink(path):
            attempt("list", path, lambda: left.append(path) if os.listdir(path) is not None else None)
            if not mine:
                attempt("make", path, lambda: os.close(os.open(path + "/planted", os.O_CREAT | os.O_WRONLY)))
        elif not mine:
            attempt("read", path, lambda: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK)))
            attempt("write", path, lambda: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK)))
print(json.dumps(got))
"""


def attempts_of_the_neighbor(folder: Path) -> set[tuple[str, str]]:
    """Return what succeeded, by the path in the folder."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", TRY, str(NEIGHBOR), str(folder)], capture_output=True, check=True
    )
    return {(what, os.path.relpath(path, folder)) for what, path in json.loads(done.stdout)}


def open_to_others(process: psutil.Process) -> list[object]:
    """Return the sockets that a process listens on, and the named files in shared memory that it has open."""
    sockets = [each for each in process.net_connections("all") if each.status == psutil.CONN_LISTEN]
    handles = [os.readlink(each) for each in Path(f"/proc/{process.pid}/fd").iterdir() if each.is_symlink()]
    return [*sockets, *(each for each in handles if each.startswith("/dev/shm"))]


@pytest.fixture
def shared():
    """A folder for everybody, as /tmp is, that others can reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def plant(shared: Path) -> None:
    """Have the neighbor own the folders of the program before it starts, with files that it would read."""
    for kind, name in zip(KINDS, ("last-session", "cost.json", "config.toml"), strict=True):
        folder = shared / kind / "backprop-tui"
        folder.mkdir()
        (folder / name).write_text('theme = "light"\n')
        for path in (folder / name, folder):
            path.chmod(0o777)
            os.chown(path, NEIGHBOR, NEIGHBOR)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is needed")
@pytest.mark.parametrize("planted", [False, True], ids=["empty folders", "planted folders"])
def test_nobody_else_reads_or_writes_anything_or_reaches_a_port(terminal, shared, planted):
    for kind in (*KINDS, "TMP"):
        (shared / kind).mkdir()
        (shared / kind).chmod(0o1777)
    if planted:
        plant(shared)
    (shared / "canary").write_text("for all")
    variables = {f"XDG_{kind}_HOME": str(shared / kind) for kind in KINDS} | {"TMPDIR": str(shared / "TMP")}
    before = os.umask(0)
    try:
        app = terminal(100, 30, "--preset", "xor", **variables)
        race = subprocess.Popen(
            [sys.executable, "-m", "tui_backprop", "check", *LARGE],
            env=environment(**variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        os.umask(before)
    app.shows("step")
    app.send("right")
    if not planted:
        until(lambda: (shared / "STATE" / "backprop-tui" / "last-session").exists(), "a session that is kept")
    children = until(
        lambda: len(found := psutil.Process(race.pid).children(recursive=True)) > 2 and found, "workers"
    )
    everything = attempts_of_the_neighbor(shared)
    opened = [
        open_to_others(each) for each in (psutil.Process(race.pid), *children, psutil.Process(app.child.pid))
    ]
    race.terminate()
    race.wait()
    own = {path for _, path in everything if "backprop-tui" not in path}
    assert own == {*KINDS, "TMP", "canary"}
    there = {(what, path) for what, path in everything if "backprop-tui" in path}
    assert there == ({("list", f"{kind}/backprop-tui") for kind in KINDS} if planted else set())
    assert not any(opened)
    if planted:
        folders = [shared / kind / "backprop-tui" for kind in KINDS]
        assert {each.read_text() for folder in folders for each in folder.iterdir()} == {'theme = "light"\n'}
