"""Inside tmux and GNU screen: the app steps, follows their sizes, survives a detach, and leaves nothing behind."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pty.conftest import KEYS, environment
from tests.pty.server import program
from tests.waits import GENEROUS, until

pytestmark = pytest.mark.pty

RIGHT, LEFT = KEYS["right"], KEYS["left"]


class Multiplexer(ABC):
    """A multiplexer session with a shell in it, from which ``./app`` starts the app."""

    name = ""

    def __init__(self, folder: Path, terminal: str, restores: bool, env: dict[str, str]) -> None:
        """``terminal``: the value of TERM inside; ``restores``: it has an alternate screen, so that the previous
        contents reappear after an app. GNU screen has one only if configured."""
        self.folder, self.program = folder, program(self.name)
        self.terminal, self.restores = terminal, restores
        self.env = env | self.places()
        app = folder / "app"
        app.write_text(f'#!/bin/sh\nexec {sys.executable} -m tui_backprop "$@"\n')
        app.chmod(0o755)
        shell = folder / "shell"
        shell.write_text("#!/bin/sh\nPS1='$ ' exec bash --norc --noediting -i\n")
        shell.chmod(0o755)
        self.start()

    def run(self, *arguments: str) -> str:
        """Run a command of the multiplexer; return its output."""
        done = subprocess.run(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", timeout=GENEROUS,
            env=self.env, cwd=self.folder, check=False,
        )  # fmt: skip
        return done.stdout

    def until(self, holds: Callable[[], object], what: str) -> None:
        until(holds, lambda: f"{what}:\n{self.text}", lambda: time.sleep(0.05))  # each look starts a process

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.text, repr(text))

    def press(self, key: str, text: str) -> None:
        self.type(key)
        self.shows(text)

    @property
    @abstractmethod
    def text(self) -> str:
        """Return the text in the pane."""

    @abstractmethod
    def places(self) -> dict[str, str]:
        """Return the environment variables that place its socket away from those of the user."""

    @abstractmethod
    def start(self) -> None:
        """Begin a session with a shell in it."""

    @abstractmethod
    def type(self, keys: str) -> None:
        """Type into the pane."""

    @abstractmethod
    def end(self) -> None:
        """End the session, and the server with it."""

    @abstractmethod
    def attached(self) -> list[str]:
        """Return the command that attaches to the session."""

    DETACH = ""


class Tmux(Multiplexer):
    name, DETACH = "tmux", "\x02d"

    def places(self) -> dict[str, str]:
        return {"TMUX_TMPDIR": str(self.folder), "SHELL": "/bin/sh"}

    def run(self, *arguments: str) -> str:
        settings = self.folder / "settings"
        settings.write_text(
            f"set -g default-terminal {self.terminal}\nset -g escape-time 20\n"
            "set -g status-right ''\nset -g automatic-rename off\n"  # no clock, no automatic names
        )
        return super().run("-L", "s", "-f", str(settings), *arguments)

    def start(self) -> None:
        self.run("-u", "new-session", "-d", "-s", "s", "-x", "120", "-y", "40", "./shell")

    @property
    def text(self) -> str:
        return self.run("capture-pane", "-p", "-t", "s")

    def type(self, keys: str) -> None:
        self.run("send-keys", "-t", "s", "-l", keys)

    def resize(self, columns: int, rows: int) -> None:
        self.run("resize-window", "-t", "s", "-x", str(columns), "-y", str(rows))

    def attached(self) -> list[str]:
        return [self.program, "-u", "-L", "s", "-f", "/dev/null", "attach", "-t", "s"]

    def end(self) -> None:
        self.run("kill-server")


class Screen(Multiplexer):
    name, DETACH = "screen", "\x01d"

    def places(self) -> dict[str, str]:
        folder = self.folder / "sockets"
        folder.mkdir(mode=0o700)
        return {"SCREENDIR": str(folder), "SHELL": "/bin/sh"}

    def start(self) -> None:
        settings = self.folder / "settings"
        second = "on" if self.restores else "off"
        settings.write_text(
            f"startup_message off\ndefutf8 on\nterm {self.terminal}\nvbell off\naltscreen {second}\n"
        )
        self.run("-U", "-c", str(settings), "-d", "-m", "-S", "s", "./shell")
        self.until(lambda: ".s" in self.run("-ls"), "the session")

    def order(self, *words: str) -> None:
        self.run("-S", "s", "-p", "0", "-X", *words)

    @property
    def text(self) -> str:
        copy = self.folder / "copy"
        with suppress(FileNotFoundError):
            copy.unlink()
        self.order("hardcopy", str(copy))
        until(copy.exists, "a copy of the pane")
        # A hardcopy has one byte per character: wrong ones for characters beyond ASCII.
        return copy.read_text(encoding="latin-1")

    def type(self, keys: str) -> None:
        self.order("stuff", keys)

    def resize(self, columns: int, rows: int) -> None:
        self.order("width", "-w", str(columns))
        self.order("height", "-w", str(rows))

    def attached(self) -> list[str]:
        return [self.program, "-U", "-r", "s"]

    def end(self) -> None:
        self.order("quit")


INSIDE = [
    (Tmux, "screen", True),
    (Tmux, "tmux-256color", True),
    (Screen, "screen", False),
    (Screen, "screen-256color", True),
]


def named(each: tuple[type[Multiplexer], str, bool]) -> str:
    return f"{each[0].name}, TERM={each[1]}"


@pytest.fixture(params=INSIDE, ids=named)
def inside(request, place):
    kind, *what = request.param
    folder = Path(place.variables["TMPDIR"])  # its name is short, as the path of a socket has to be
    env = environment(COLORTERM=None)
    session = kind(folder, *what, {name: value for name, value in env.items() if name not in ("TMUX", "STY")})
    yield session
    session.end()


def opened(inside) -> None:
    """Start the app from the shell."""
    inside.shows("$")
    inside.type("./app\r")
    inside.shows("step 0/20")


def left_alone(inside) -> bool:
    """Check that the screen has what the shell had, and the line that says how to come back, since the app ended."""
    before = r"\$ \./app\s+" if inside.restores else ""
    line = r"backprop-tui --resume continues at iteration 0, step \d+"
    return re.fullmatch(rf"{before}{line}\s+\$", inside.text.strip()) is not None


def test_it_steps_and_leaves_nothing_but_the_shell(inside):
    opened(inside)
    inside.press(RIGHT, "step 1/20")
    assert "z1" in inside.text
    for step in (2, 3, 4):
        inside.press(RIGHT, f"step {step}/20")
    inside.press(LEFT, "step 3/20")
    inside.type("q")
    inside.until(lambda: left_alone(inside), "the shell alone")
    inside.press("echo $?$?$?\r", "000")
    inside.press("stty -a | grep -c ' echo '\r", "\n1")


@pytest.mark.slow
@pytest.mark.parametrize("term", ["xterm-256color", "xterm"])
def test_it_follows_the_size_and_is_there_after_a_detach(inside, terminal, term):
    opened(inside)
    inside.press(RIGHT, "step 1/20")
    attach = inside.attached()
    run = terminal(120, 40, *attach, program=True, **inside.env | {"TERM": term})
    run.shows("step 1/20")
    run.shows("cost of one gradient")
    run.press("right", "step 2/20")
    assert "\N{REPLACEMENT CHARACTER}" not in run.text
    assert "256·256" in run.text  # characters beyond ASCII come through
    run.resize(80, 24)
    run.shows(" 1 net  2 walk ")
    run.press("right", "step 3/20")
    run.resize(50, 10)
    run.shows("60x18")
    run.resize(80, 24)
    run.shows("step 3/20")
    run.quiet()
    seen = run.text
    run.send(inside.DETACH)
    assert run.ended() == 0
    assert "step 3/20" in inside.text
    inside.press(RIGHT, "step 4/20")
    inside.press(LEFT, "step 3/20")
    again = terminal(80, 24, *attach, program=True, **inside.env | {"TERM": term})
    again.until(lambda: again.text == seen, f"the same screen:\n{seen}")
    again.send("q")
    inside.until(lambda: left_alone(inside), "the shell alone")


@pytest.mark.parametrize(
    "inside", INSIDE[:2], indirect=True, ids=named
)  # screen has no size while it is detached
def test_it_follows_the_size_of_a_window_that_nobody_looks_at(inside):
    opened(inside)
    inside.resize(80, 24)
    inside.until(lambda: " 1 net  2 walk " in inside.text, "the narrow screen")
    inside.press(RIGHT, "step 1/20")
    inside.resize(120, 40)
    inside.shows("cost of one gradient")
    assert "step 1/20" in inside.text
    inside.type("q")
    inside.until(lambda: left_alone(inside), "the shell alone")
