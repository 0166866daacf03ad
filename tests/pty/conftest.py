"""A terminal for tests: the real command in a real pseudo-terminal, with its output parsed by pyte."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyte
import pytest

from tests.pty.server import Server
from tests.waits import GENEROUS, until

KEYS = {
    "right": "\x1b[C",
    "left": "\x1b[D",
    "down": "\x1b[B",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "enter": "\r",
    "ctrl+l": "\x0c",
    "ctrl+q": "\x11",
    "ctrl+z": "\x1a",
}
MEANT_FOR_TERMINALS = re.compile(rb"\x1b\[[<>=?][\d;]*\$?[pucn]|\x1b\[[<>=][\d;]*[a-zA-Z]")
UNFINISHED = re.compile(rb"\x1b(?:\[[<>=?]?[\d;]*\$?)?$")
STYLE = re.compile(rb"\x1b\[([\d;]*)m")

# The child makes the terminal its controlling one before it runs the command; only then does a hangup reach it.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, '-m', 'tui_backprop', *sys.argv[1:]])"
)
COMMAND, SHELL = (
    TAKE_TERMINAL.rpartition(";")[2],
    "os.execv('/bin/bash', ['bash', '--norc', '--noediting', '-i'])",
)
PROGRAM = TAKE_TERMINAL.replace(COMMAND, "os.execvp(sys.argv[1], sys.argv[1:])")


def environment(**changes: str | None) -> dict[str, str]:
    """Return the environment of a common terminal, whatever the tests run in; None removes a variable."""
    dropped = (
        "NO_COLOR",
        "COLORFGBG",
        "COLUMNS",
        "LINES",
        "LC_",
        "SSH_",
        "TEXTUAL",
        "PYTHON",
        "FORCE_COLOR",
        "TERM",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    given = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    given |= {"BACKPROP_TUI_LESSON": "false"} | changes
    return {name: value for name, value in (kept | given).items() if value is not None}


class Terminal:
    """One run of the command. There are no sleeps: output is read until the expected text appears."""

    def __init__(
        self,
        *arguments: str,
        columns: int,
        rows: int,
        env: dict[str, str],
        cwd,
        own: bool = True,
        shell=False,
        program=False,
    ) -> None:
        """``own``: the terminal is the child's controlling terminal, so that a hangup sends it a signal; with
        ``shell`` the child is a shell, with ``program`` the first argument is a program."""
        self.master, slave = os.openpty()
        self._size(columns, rows)
        start = ["-c", TAKE_TERMINAL] if own else ["-m", "tui_backprop"]
        start = ["-c", TAKE_TERMINAL.replace(COMMAND, SHELL)] if shell else start
        start = ["-c", PROGRAM] if program else start
        self.child = subprocess.Popen(
            [sys.executable, *start, *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=env, cwd=cwd,
        )  # fmt: skip
        os.close(slave)
        self.screen = pyte.Screen(columns, rows)
        self.screen.write_process_input = self.send  # replies to queries: status, cursor position, identity
        self._stream = pyte.ByteStream(self.screen)
        self._unread = b""
        self.raw = bytearray()

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def styles(self) -> list[str]:
        """Return the codes of all changes of style so far."""
        return [codes.decode() for codes in STYLE.findall(self.raw)]

    def send(self, *keys: str) -> None:
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        """Resize as a terminal does: the system signals the process in the foreground."""
        self.screen.resize(rows, columns)
        self._size(columns, rows)

    def read(self, timeout: float) -> bool:
        """Read what arrives within ``timeout`` seconds; return True if anything did."""
        ready, _, _ = select.select([self.master], [], [], timeout)
        data = b""
        if ready:
            with suppress(OSError):  # the other end is closed
                data = os.read(self.master, 65536)
        self.raw += data
        data = self._unread + data
        unfinished = UNFINISHED.search(data)
        self._unread = unfinished.group() if unfinished else b""
        data = data[: len(data) - len(self._unread)]
        for mode in re.findall(rb"\x1b\[\?(\d+)\$p", data):  # "do you know this mode?"
            self.send(f"\x1b[?{mode.decode()};{2 if mode == b'2026' else 0}$y")
        self._stream.feed(MEANT_FOR_TERMINALS.sub(b"", data))
        return bool(ready and data)

    def until(self, holds: Callable[[], object], what: str) -> None:
        until(holds, lambda: f"{what}:\n{self.text}", lambda: self.read(0.02))

    def shows(self, text: str) -> None:
        """Wait until a text is on the screen and the output pauses."""
        self.until(lambda: text in self.text, repr(text))
        while self.read(0.05):
            pass

    def press(self, key: str, text: str) -> int:
        """Send a key, wait for the text that it shows; return the number of bytes received."""
        before = len(self.raw)
        self.send(key)
        self.shows(text)
        return len(self.raw) - before

    def quiet(self, seconds: float = 1.0) -> None:
        """Wait until nothing has arrived for so long."""
        self.until(lambda: not self.read(seconds), "silence")

    def ended(self) -> int:
        """Wait for the end of the process; return its exit code."""
        self.until(lambda: self.child.poll() is not None, "the end")
        while self.read(0.05):
            pass
        return self.child.returncode

    def close(self) -> None:
        """End the child if it still runs, and release the terminal."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
            self.child.wait()
        with suppress(OSError):
            os.close(self.master)


@pytest.fixture
def terminal(tmp_path):
    """``terminal(columns, rows, NAME=value)``: start the app in a terminal of that size."""
    opened = []

    def start(
        columns: int = 80,
        rows: int = 24,
        *arguments: str,
        own=True,
        shell=False,
        program=False,
        **env: str | None,
    ) -> Terminal:
        env = {"PS1": "$ "} | env
        given = {"columns": columns, "rows": rows, "env": environment(**env), "cwd": tmp_path}
        given |= {"own": own, "shell": shell, "program": program}
        opened.append(Terminal(*arguments, **given))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def bare_run(tmp_path):
    """Run the command without a terminal: ``bare_run(*arguments, NAME=value)``."""

    def run(*arguments: str, stdin: int = subprocess.DEVNULL, **env: str | None):
        return subprocess.run(
            [sys.executable, "-m", "tui_backprop", *arguments],
            stdin=stdin, capture_output=True, text=True, timeout=GENEROUS,
            env=environment(**env), cwd=tmp_path, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def server(place):
    """An SSH server for the test; skips the test if none can be started."""
    with Server(Path(place.variables["TMPDIR"])) as started:
        yield started
