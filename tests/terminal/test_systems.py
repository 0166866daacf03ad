"""Other systems and other builds of Python, simulated."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tests.waits import GENEROUS, until
from tui_backprop.cli import main as main_module
from tui_backprop.cli.main import main
from tui_backprop.terminal.hangup import hung_up
from tui_backprop.terminal.setup import erases_with_background

# Modules of Python's library that a build may lack, and that no dependency needs.
OPTIONAL = (
    "curses",
    "_curses",
    "ctypes",
    "_ctypes",
    "readline",
    "sqlite3",
    "lzma",
    "bz2",
    "ssl",
    "_ssl",
    "pwd",
    "grp",
)
WITHOUT = f"import sys; sys.modules |= dict.fromkeys({OPTIONAL}); "


@pytest.fixture(autouse=True)
def forget_terminfo():
    erases_with_background.cache_clear()
    yield
    erases_with_background.cache_clear()


def test_without_curses_nothing_is_known_of_the_terminal(monkeypatch):
    monkeypatch.setitem(sys.modules, "curses", None)
    assert erases_with_background() is False


@pytest.mark.parametrize("arguments", [("trace", "--preset", "xor"), ("doctor",)])
def test_reports_need_no_optional_module_of_python(arguments):
    code = f"{WITHOUT}from tui_backprop.cli.main import main; main({arguments})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=GENEROUS)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_app_needs_no_optional_module_of_python():
    code = f"{WITHOUT}import tui_backprop.tui.app.app"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=GENEROUS)
    assert (done.returncode, done.stderr) == (0, "")


class Poll:
    """A poll that gives one answer to every question."""

    answer = 0

    def register(self, descriptor, events):
        self.descriptor = descriptor

    def poll(self, timeout):
        return [(self.descriptor, self.answer)] * bool(self.answer)


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (0, False),
        (select.POLLNVAL, False),  # macOS, of /dev/tty
        (select.POLLHUP, True),
        (select.POLLERR, True),
        (select.POLLHUP | select.POLLNVAL, True),
    ],
)
@pytest.mark.parametrize("timeout", [0, None])
def test_only_a_hangup_is_taken_for_one(monkeypatch, answer, gone, timeout):
    monkeypatch.setattr(Poll, "answer", answer)
    monkeypatch.setattr(select, "poll", Poll)
    assert hung_up(0, timeout) is gone


def test_a_system_without_poll_cannot_tell(monkeypatch):
    monkeypatch.delattr(select, "poll")
    assert hung_up(0, 0) is False


def test_a_terminal_that_goes_away_is_noticed():
    master, slave = pty.openpty()
    assert not hung_up(slave, 0)
    os.close(master)
    until(lambda: hung_up(slave, 0), "the hangup")
    os.close(slave)


@pytest.mark.parametrize("arguments", [(), ("trace",), ("doctor",), ("cost", "--race"), ("--resume",)])
def test_windows_is_refused_in_one_line_that_says_what_works(monkeypatch, arguments):
    monkeypatch.setattr(main_module, "SYSTEM", "nt")
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("backprop-tui: system: Windows is not supported; install backprop-tui in WSL ")


def test_help_and_version_are_shown_on_windows(monkeypatch):
    monkeypatch.setattr(main_module, "SYSTEM", "nt")
    for option in ("--help", "--version"):
        assert CliRunner().invoke(main, [option]).exit_code == 0
