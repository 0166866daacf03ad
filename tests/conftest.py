"""For all tests."""

from __future__ import annotations

import gc
import os
import sys
import tempfile

import pytest

from tests import homes

# Tests run side by side, a process and more for each core. Threads of BLAS beside each other only wait for each
# other most of the time.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# The tour of the first start is for the tests that are about it.
os.environ["BACKPROP_TUI_TOUR"] = "false"

# Before anything is imported that looks for a home. pytest keeps what tests leave in `tmp_path` where it always does.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
PROCESS = homes.process_place()
PROCESS.enter()
PLACES = homes.places(PROCESS)
sys.addaudithook(homes.refuse_homeless)


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: those that have the real command before them wait most of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--remake-snapshots", action="store_true", help="write the screens of tests/tui/snapshots anew"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits most of the time, so that others use the cores meanwhile and nothing long is left over
    at the end, for one alone."""
    items.sort(key=lambda item: not all(map(item.get_closest_marker, ("pty", "slow"))))


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests themselves, thousands of objects that stay to the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    PROCESS.remove()


@pytest.fixture(scope="session", autouse=True)
def untouched_home():
    """Fail if anything changed the home that is there before, between and after tests."""
    before = homes.contents(PROCESS.folder)
    yield
    assert homes.changes(before, homes.contents(PROCESS.folder)) == []


@pytest.fixture(autouse=True)
def place(untouched_home):
    """The home, and the other folders, of one test and of all that it starts."""
    place = next(PLACES)
    place.enter()
    yield place
    PROCESS.enter()
