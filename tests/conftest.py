"""Configuration of all tests."""

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

# The tour on first launch is only for its own tests.
os.environ["BACKPROP_TUI_TOUR"] = "false"

# Before anything is imported that looks for a home. pytest keeps what tests leave in `tmp_path` where it always does.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
PROCESS = homes.process_place()
PROCESS.enter()
PLACES = homes.places(PROCESS)
sys.addaudithook(homes.refuse_homeless)


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: tests of the real command wait most of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--remake-snapshots", action="store_true", help="write the screens of tests/tui/snapshots anew"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait most, so that others use the cores meanwhile and no long test is left for the
    end."""
    items.sort(key=lambda item: not all(map(item.get_closest_marker, ("pty", "slow"))))


def pytest_collection_finish() -> None:
    """Exempt the tests themselves from garbage collection: thousands of objects that live until the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    PROCESS.remove()


@pytest.fixture(scope="session", autouse=True)
def untouched_home():
    """Fail if anything changed the home directory used before, between and after tests."""
    before = homes.contents(PROCESS.folder)
    yield
    assert homes.changes(before, homes.contents(PROCESS.folder)) == []


@pytest.fixture(autouse=True)
def place(untouched_home):
    """The home directory, and the other folders, of one test and of all processes that it starts."""
    place = next(PLACES)
    place.enter()
    yield place
    PROCESS.enter()
