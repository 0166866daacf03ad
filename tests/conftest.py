"""Configuration of all tests."""

from __future__ import annotations

import gc
import os
import random
import sys
import tempfile
from pathlib import Path

import pytest

from tests import homes, processes

# Tests run side by side, a process and more for each core. Threads of BLAS beside each other only wait for each
# other most of the time.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Rewriting the asserts of all tests takes longer than anything else that workers do to begin with, and compiling the
# program longer than anything that a command does: both are done once, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The lesson on first launch is only for its own tests.
os.environ["BACKPROP_TUI_LESSON"] = "false"

# Before anything is imported that looks for a home. pytest keeps what tests leave in `tmp_path` where it always does.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
PROCESS = homes.process_place()
PROCESS.enter()
PLACES = homes.places(PROCESS)
sys.addaudithook(homes.refuse_homeless)

processes.hear_signals()
REAPER = None if homes.WORKER in os.environ else processes.start_reaper(PROCESS.folder)
processes.record_started()


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: tests of the real command wait most of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--remake-snapshots", action="store_true", help="write the screens of tests/tui/snapshots anew"
    )
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run the files, and the tests of each, in any order"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let each worker begin with other files: the first that imports one rewrites its asserts for all."""
    worker = getattr(config, "workerinput", None)
    if worker and all(map(os.path.exists, config.args)):
        files = [file for argument in config.args for file in files_of(Path(argument))]
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args[:] = map(str, files[first:] + files[:first])


def files_of(path: Path) -> list[Path]:
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the tests that wait most, so that others use the cores meanwhile and no long test is left for the
    end. With ``--shuffle`` run them in a random order, but file by file, so that fixtures of files are kept."""
    items.sort(key=lambda item: (not all(map(item.get_closest_marker, ("pty", "slow"))), item.path))
    if (seed := config.getoption("shuffle")) is not None:
        draw = random.Random(seed).random
        of_file: dict[object, float] = {}
        order = {item: (of_file.setdefault(item.path, draw()), draw()) for item in items}
        items.sort(key=order.__getitem__)


def pytest_collection_finish() -> None:
    """Exempt the tests themselves from garbage collection: thousands of objects that live until the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Clean up, which the reaper does when its input ends."""
    if REAPER is not None:
        REAPER.communicate()


@pytest.fixture(scope="session", autouse=True)
def untouched_home():
    """Fail if anything changed the home directory used before, between and after tests."""
    before = homes.contents(PROCESS.folder)
    yield
    assert homes.changes(before, homes.contents(PROCESS.folder)) == []


@pytest.fixture(autouse=True)
def place(untouched_home):
    """The home directory, and the other folders, of one test and of all processes that it starts; a test fails that
    leaves a process running."""
    place = next(PLACES)
    place.enter()
    before = set(processes.STARTED)
    yield place
    left = processes.end(processes.STARTED - before)
    PROCESS.enter()
    assert not left, "left running"
