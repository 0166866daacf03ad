"""What doctor finds out is so, comes with its reason, and tells nothing about who asks."""

from __future__ import annotations

import json
import os
import platform
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.waits import GENEROUS
from tui_backprop import __version__
from tui_backprop.cli.commands import doctor
from tui_backprop.cli.main import main
from tui_backprop.cli.settings import SETTINGS
from tui_backprop.support import paths as places
from tui_backprop.support.cores import usable_cores

SECRETS = ("marguerite", "192.0.2.7", "192.0.2.1", "50022")


def environment(home, **changes):
    """Somebody's, over SSH, with nothing else that doctor looks at."""
    dropped = (
        "LC_",
        "LANG",
        "TERM",
        "COLORTERM",
        "NO_COLOR",
        "TEXTUAL",
        "XDG_",
        "TMUX",
        "STY",
        "BACKPROP",
        "PYTHON",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    mine = {"HOME": str(home), "USER": "marguerite", "LOGNAME": "marguerite", "HOSTNAME": "marguerite-laptop"}
    over = {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return kept | mine | over | changes


@pytest.fixture
def ask(tmp_path):
    """Run doctor in a process: ``ask(*arguments, NAME=value)``; what it prints."""
    home = tmp_path / "marguerite"
    home.mkdir()

    def run(*arguments, **changes):
        command = [sys.executable, "-m", "tui_backprop", *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=GENEROUS, cwd=home,
            env=environment(home, **changes), check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert not [secret for secret in SECRETS if secret.encode() in done.stdout]
        assert not list(home.rglob("*.toml"))  # it makes nothing
        return done.stdout.decode()

    run.home = home
    return run


def test_it_works_without_a_terminal_and_without_settings(ask):
    text = ask("doctor")
    assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) == {"\n"}
    for words in (
        f"backprop-tui {__version__}",
        "terminals none (of stdin, stdout and stderr)",
        "link ssh (SSH_CONNECTION is set)",
        "app cannot open here (stdin",
        "settings ~/.config/backprop-tui/config.toml (does not exist yet, writable)",
        "colors 256 (TERM=xterm-256color)",
    ):
        assert words in " ".join(text.split())
    assert "marguerite" not in text


def test_the_object_holds_the_same_findings(ask):
    found = json.loads(ask("doctor", "--json"))
    assert list(found) == ["versions", "terminal", "screen", "machine", "places", "settings"]
    assert {tuple(row) for group in found.values() for row in group.values()} == {("value", "why")}
    assert found["versions"]["Python"]["value"] == platform.python_version()
    assert found["versions"]["numpy"]["value"] == np.__version__
    assert found["machine"]["cores"]["value"] == str(os.cpu_count())
    assert found["screen"]["motion"] == {"value": "no", "why": "SSH_CONNECTION is set"}
    text = ask("doctor")
    assert all(f"  {name} " in text or f"  {name}\n" in text for group in found.values() for name in group)


def test_the_threads_are_those_that_a_user_wants_of_blas_at_most(ask):
    for threads in (1, 2):
        found = json.loads(ask("doctor", "--json", OPENBLAS_NUM_THREADS=str(threads)))["machine"]
        if "openblas" not in found["BLAS"]["value"]:
            pytest.skip("another BLAS")
        wanted = str(min(threads, usable_cores()))
        assert found["threads"] == {"value": wanted, "why": "that share a pass; BLAS has one"}
        assert found["OPENBLAS_NUM_THREADS"]["value"] == str(threads)


def test_settings_come_with_their_place(ask):
    found = json.loads(ask("--memory", "64", "doctor", "--json", "--color", "16", BACKPROP_TUI_MOUSE="no"))[
        "settings"
    ]
    assert found["memory"] == {"value": "64", "why": "flag --memory"}
    assert found["color"] == {"value": "16", "why": "flag --color"}
    assert found["mouse"] == {"value": "false", "why": "environment BACKPROP_TUI_MOUSE"}
    assert found["motion"] == {"value": "auto", "why": "default"}
    assert list(found) == [setting.name for setting in SETTINGS]


def test_settings_that_do_not_do_are_a_finding(ask, tmp_path):
    wrong = tmp_path / "marguerite.toml"
    wrong.write_text('colour = "16"')
    found = json.loads(ask("doctor", "--json", BACKPROP_TUI_COLOR="pink"))["settings"]["problem"]
    assert found["why"].startswith('BACKPROP_TUI_COLOR: invalid value "pink"')
    settings = CliRunner().invoke(main, ["doctor", "--config", str(wrong), "--json"])
    assert (
        "colour: unknown setting; did you mean color?"
        in json.loads(settings.stdout)["settings"]["problem"]["why"]
    )


def test_a_flag_that_does_not_do_is_refused():
    for arguments in (["doctor", "--color", "pink"], ["--color", "pink", "doctor"]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith('backprop-tui: --color: invalid value "pink"; choose from')
        assert len(result.stderr.splitlines()) == 1


def test_what_comes_from_the_environment_is_shown_without_control_characters(ask):
    noise = {
        "TERM": "x\x1b[2Jterm",
        "TERM_PROGRAM": "a\x07[red]b",
        "COLORTERM": "\x9b31m" + "x" * 500,
        "LANG": "é\nC",
    }
    text = ask("doctor", **noise)
    assert all(line.isprintable() for line in text.splitlines())
    assert "TERM_PROGRAM          a?[red]b" in text
    assert max(map(len, text.splitlines())) < 250


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-16"])
def test_other_encodings_can_carry_it(ask, encoding, monkeypatch):
    environ = environment(ask.home, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    done = subprocess.run(
        [sys.executable, "-m", "tui_backprop", "doctor"],
        env=environ,
        capture_output=True,
        timeout=GENEROUS,
        check=True,
    )
    text = done.stdout.decode(encoding)
    assert "ascii" in text
    assert done.stderr == b""


def test_in_a_terminal_its_size_is_told(tmp_path):
    master, slave = pty.openpty()
    try:
        os.set_blocking(master, False)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
        done = subprocess.run(
            [sys.executable, "-m", "tui_backprop", "doctor", "--json"], stdin=slave, stderr=slave,
            stdout=subprocess.PIPE, env=environment(tmp_path), timeout=GENEROUS, check=True,
        )  # fmt: skip
    finally:
        os.close(master)
        os.close(slave)
    found = json.loads(done.stdout)["terminal"]
    assert found["size"] == {"value": "101x33", "why": "of stderr"}
    assert found["terminals"]["value"] == "stdin, stderr"
    assert found["app"]["value"] == "can open here"


def test_places_that_cannot_be_written_are_told(monkeypatch, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "there").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    assert doctor._state(locked / "new" / "folder") == "does not exist yet, NOT WRITABLE"
    assert doctor._state(locked / "there") == "exists, writable"

    def homeless():
        raise OSError("this user has no home folder")

    for name in ("config_file", "state_folder", "cache_folder"):
        monkeypatch.setattr(places, name, homeless)
    assert {tuple(found) for _, *found in doctor._places()} == {("nowhere", "this user has no home folder")}


def test_streams_that_are_closed_are_no_terminals(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert not doctor._is_terminal("stdout")
