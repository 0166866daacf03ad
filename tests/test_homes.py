"""No test touches the home directory of the user, or sees files of another test; one that does fails."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import homes, probe
from tests.waits import GENEROUS

LONGEST_SOCKET = "tmux-4294967294/default"  # longest of those that the tests' programs create in TMPDIR


@pytest.mark.parametrize("name", [*homes.FOLDERS, "HISTFILE"])
@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_writes_the_next_does_not_find(name, turn):
    mine = Path(os.environ[name], "mine") if name != "HISTFILE" else Path(os.environ[name])
    assert not mine.exists()
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")


def test_processes_have_the_same_folders(place):
    printed = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    for name, folder in place.variables.items():
        assert f"{name}={folder}\n" in printed
    assert tempfile.mkdtemp().startswith(place.variables["TMPDIR"])
    assert Path.home() == Path(place.variables["HOME"])


def test_sockets_fit_in_the_temporary_folder():
    path = Path(tempfile.gettempdir(), LONGEST_SOCKET)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def test_what_was_left_as_it_was_is_used_again_and_what_was_not_is_gone(tmp_path):
    given = homes.places(homes.Place(tmp_path))
    place = next(given)
    assert next(given) is place
    Path(place.variables["XDG_STATE_HOME"]).mkdir()
    assert next(given) is not place
    assert not place.folder.exists()


# --- violations ---------------------------------------------------------------------------------------------


@pytest.fixture
def furnished(tmp_path):
    """Folders with files to lose."""
    place = homes.Place(tmp_path / "place")
    homes.furnish(place.folder)
    return place


def interactive(variables):
    """Run an interactive bash, which keeps a history."""
    bash = shutil.which("bash") or pytest.skip("bash is not installed")
    command = [bash, "--norc", "--noediting", "-i"]
    given = os.environ | variables
    subprocess.run(command, input=b"echo\n", env=given, capture_output=True, timeout=GENEROUS, check=True)


def test_a_shell_that_cuts_a_history_is_noticed(furnished):
    before = homes.contents(furnished.folder)
    interactive({})
    assert homes.changes(before, homes.contents(furnished.folder)) == []
    interactive(furnished.variables)
    assert homes.changes(before, homes.contents(furnished.folder)) == [f"home/{homes.HISTORY}"]
    assert (furnished.folder / "home" / homes.HISTORY).read_text().count("\n") == 500


@pytest.mark.parametrize(
    "change", [Path.unlink, Path.touch, lambda path: path.chmod(0o600), lambda path: path.write_text("")]
)
def test_any_other_change_is_noticed(furnished, change):
    before = homes.contents(furnished.folder)
    change(furnished.folder / "config" / "kept")
    assert homes.changes(before, homes.contents(furnished.folder)) == ["config/kept"]


PROBE = """
    import os
    from pathlib import Path

    PROCESS_HOME = Path.home()

    def test_in_its_own():
        assert Path.home() != PROCESS_HOME
        Path.home().joinpath("mine").touch()

    def test_elsewhere():
        if "PLANTED" in os.environ:
            PROCESS_HOME.joinpath("mine").touch()
"""


@pytest.mark.parametrize(("planted", "outcome"), [({}, "2 passed"), ({"PLANTED": "1"}, "2 passed, 1 error")])
def test_a_run_that_touches_its_home_fails(tmp_path, planted, outcome):
    """The home directory is the one used before, between and after tests."""
    said, _ = probe.start(tmp_path, PROBE, **planted).communicate(timeout=GENEROUS)
    assert outcome in said
    assert ("assert ['home/mine'] == []" in said) == bool(planted)


@pytest.mark.parametrize("name", homes.NEEDED)
def test_no_process_is_started_that_would_look_up_the_real_home(name):
    with pytest.raises(AssertionError, match=f"without {name}, a process finds the real home"):
        subprocess.run(["true"], env={each: value for each, value in os.environ.items() if each != name})
