"""In a browser, by `textual serve`: the app reads and writes packets on pipes, and ends with the server."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pyte
import pytest

from tests.pty.conftest import KEYS, MEANT_FOR_TERMINALS, environment
from tests.pty.server import free_port
from tests.waits import GENEROUS, all_gone, until
from tui_backprop.terminal.web import VARIABLE, WEB_DRIVER

pytestmark = pytest.mark.pty

READY = b"__GANGLION__\n"
HEAD = 5  # bytes before the payload of a packet: its kind, and the size of the payload
SERVED = {
    VARIABLE: WEB_DRIVER,
    "TEXTUAL_COLOR_SYSTEM": "truecolor",
    "COLUMNS": "120",
    "ROWS": "40",
    "TERM": None,
}


class Browser:
    """One run of the command as textual-serve starts it, with its output parsed by pyte."""

    def __init__(self, cwd, **env: str | None) -> None:
        self.app = subprocess.Popen(
            [sys.executable, "-m", "tui_backprop"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
            env=environment(**SERVED | env),
        )  # fmt: skip
        self.screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self.screen)
        self._unread = b""
        self.metas: list[dict[str, object]] = []

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def packet(self, kind: bytes, payload: bytes) -> None:
        self.app.stdin.write(kind + len(payload).to_bytes(4, "big") + payload)
        self.app.stdin.flush()

    def send(self, key: str) -> None:
        self.packet(b"D", KEYS.get(key, key).encode())

    def meta(self, **content: object) -> None:
        self.packet(b"M", json.dumps(content).encode())

    def read(self, timeout: float) -> bool:
        """Read what arrives within ``timeout`` seconds; return whether anything did."""
        found = b""
        if select.select([self.app.stdout], [], [], timeout)[0]:
            found = os.read(self.app.stdout.fileno(), 65536)
        self._unread += found
        self._parse()
        return bool(found)

    def _parse(self) -> None:
        self._unread = self._unread.removeprefix(READY)
        while len(self._unread) >= HEAD:
            end = HEAD + int.from_bytes(self._unread[1:HEAD], "big")
            if len(self._unread) < end:
                return
            kind, payload, self._unread = self._unread[:1], self._unread[HEAD:end], self._unread[end:]
            if kind == b"M":
                self.metas.append(json.loads(payload))
            else:
                assert kind == b"D"
                self._stream.feed(MEANT_FOR_TERMINALS.sub(b"", payload))

    def shows(self, text: str) -> None:
        until(lambda: text in self.text, lambda: f"{text!r}:\n{self.text}", lambda: self.read(0.02))

    def ended(self) -> tuple[int, bytes]:
        """Wait for the end; return the exit code and what was written to stderr."""
        until(lambda: self.app.poll() is not None, "the end", lambda: self.read(0.02))
        while self.read(0):  # what it wrote last may not be read yet
            pass
        return self.app.returncode, self.app.stderr.read()

    def close(self) -> None:
        self.app.kill()
        self.app.wait()
        for pipe in (self.app.stdin, self.app.stdout, self.app.stderr):
            with suppress(OSError):
                pipe.close()


@pytest.fixture
def browser(tmp_path):
    """``browser(NAME=value)``: start the app as in a browser."""
    opened = []

    def start(**env: str | None) -> Browser:
        opened.append(Browser(tmp_path, **env))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_it_opens_steps_follows_the_size_and_quits(browser):
    run = browser()
    run.shows("step 0/20")
    assert len(run.text.splitlines()[0].rstrip()) > 100
    run.send("right")
    run.shows("step 1/20")
    run.screen.resize(24, 80)
    run.meta(type="resize", width=80, height=24)
    run.shows(" 1 net  2 walk ")
    run.send("ctrl+l")
    run.send("q")
    assert run.ended() == (0, b"")
    assert {"type": "exit"} in run.metas


def test_what_the_server_lacks_does_not_matter_to_a_browser(browser):
    """Neither its locale, nor its terminal, nor the lack of one."""
    run = browser(LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", TERM="dumb")
    run.shows("step 0/20")
    assert "│" in run.text


@pytest.mark.parametrize(
    ("how", "busy"),
    [
        ("SIGTERM", False),
        ("SIGINT", True),
        ("SIGHUP", False),
        ("quit", False),
        ("quit", True),
        ("gone", True),
    ],
)
def test_it_ends_with_the_server_and_saves_the_session(browser, how, busy):
    run = browser()
    run.shows("step 0/20")
    run.send("right")
    run.shows("step 1/20")
    if busy:
        run.send(" ")
        run.shows("playing")
    if how == "quit":
        run.meta(type="quit")
    elif how == "gone":
        for pipe in (run.app.stdin, run.app.stdout):
            pipe.close()
        run.app.wait(GENEROUS)
        assert b"Traceback" not in run.app.stderr.read()
        return
    else:
        run.app.send_signal(getattr(signal, how))
    _, said = run.ended()
    assert said == b""
    assert [path for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*") if path.is_file()]


@pytest.mark.parametrize("driver", ["os:path", "nothing", "textual.drivers.headless_driver:HeadlessDriver"])
def test_another_driver_is_refused_in_one_line(bare_run, driver):
    done = bare_run(**{VARIABLE: driver})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"backprop-tui: TEXTUAL_DRIVER: invalid value {driver!r}; unset it, or use textual serve\n"
    )


def test_an_empty_name_of_a_driver_means_the_terminal(terminal):
    run = terminal(**{VARIABLE: ""})
    run.shows("step 0/20")


SERVER = """
import sys
from textual_serve.server import Server

Server(f"exec {sys.executable} -m tui_backprop", host="127.0.0.1", port=int(sys.argv[1])).serve()
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_the_real_server_shows_it_and_takes_it_along_when_it_ends(tmp_path, how):
    pytest.importorskip("textual_serve", reason="textual-serve is not installed")
    import aiohttp

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    try:
        until(lambda: accepts(port), "the server")
        url = f"http://127.0.0.1:{port}/ws?width=120&height=40"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as line:
            screen = pyte.Screen(120, 40)
            stream = pyte.ByteStream(screen)

            async def shows(text: str) -> None:
                while text not in "\n".join(screen.display):
                    got = await line.receive(GENEROUS)
                    assert got.type is aiohttp.WSMsgType.BINARY, got
                    stream.feed(MEANT_FOR_TERMINALS.sub(b"", got.data))

            await shows("step 0/20")
            await line.send_json(["stdin", KEYS["right"]])
            await shows("step 1/20")
            apps = psutil.Process(server.pid).children(recursive=True)
            assert apps
            server.send_signal(how)
        all_gone(apps)
        server.wait(GENEROUS)
    finally:
        server.kill()
        server.wait()


def accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
