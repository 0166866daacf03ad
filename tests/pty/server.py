"""A real SSH server on the loopback address, for one test: its keys, settings and files are created for it.

It runs as the user of the tests, and accepts no other. It needs the programs on the machine and, as root, an empty
folder to confine its helper to, which the system's own service creates as well."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests import homes
from tests.waits import until

PROGRAMS = {"sshd": "/usr/sbin:/usr/local/sbin:/sbin", "ssh": "", "ssh-keygen": ""}
LOCKED_IN = Path("/run/sshd")
SETTINGS = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers {user}
PrintMotd no
PrintLastLog no
ClientAliveInterval {alive}
ClientAliveCountMax 2
SetEnv {home}
"""
OPTIONS = {
    "BatchMode": "yes", "IdentitiesOnly": "yes", "IdentityAgent": "none", "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null", "GlobalKnownHostsFile": "/dev/null", "LogLevel": "ERROR",
    "EscapeChar": "none", "Compression": "no", "ControlPath": "none",
    # Newer clients hide when keys are pressed behind others, which are never there on an old one.
    "IgnoreUnknown": "ObscureKeystrokeTiming", "ObscureKeystrokeTiming": "no",
}  # fmt: skip


def program(name: str) -> str:
    """Return the path of a program; skip the test if it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PROGRAMS.get(name, '')}")
    return path or pytest.skip(f"{name} is not installed")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def below(process: psutil.Process) -> list[psutil.Process]:
    """Return the descendants of a process."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


class Server:
    """Started on entering; on leaving, ends with all processes that it started."""

    def __init__(self, folder: Path, alive: int = 0) -> None:
        """``alive``: seconds of silence after which it asks whether the client is still there; 0: never."""
        self.folder, self._alive = folder / "ssh", alive
        self.user = getpass.getuser()
        self.port = 0

    def __enter__(self) -> Server:
        sshd, _, keygen = map(program, PROGRAMS)
        if os.geteuid() == 0:
            with suppress(OSError):
                LOCKED_IN.mkdir(mode=0o755, exist_ok=True)
            if not LOCKED_IN.is_dir():
                pytest.skip(f"sshd of root needs {LOCKED_IN}, which cannot be made")
        self.folder.mkdir(parents=True)
        for name in ("host", "user"):
            command = [keygen, "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", self.folder / name]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self.port = free_port()
        settings = self.folder / "sshd_config"
        given = {"port": self.port, "folder": self.folder, "user": self.user, "alive": self._alive}
        given |= {"home": " ".join(f"{name}={os.environ[name]}" for name in (*homes.FOLDERS, "HISTFILE"))}
        settings.write_text(SETTINGS.format(**given))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(settings)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._seen = [psutil.Process(self._process.pid)]
        self._await_port()
        return self

    def _await_port(self) -> None:
        def answers() -> bool:
            assert self._process.poll() is None, self.log
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        until(answers, lambda: f"an answer of the server: {self.log}")

    @property
    def log(self) -> str:
        """Return the log of the server."""
        return (self.folder / "log").read_text(errors="replace")

    def client(self, *command: str, port: int | None = None, **env: str) -> list[str]:
        """Return the command line of a client that runs a command in a terminal on the server, through ``port`` if
        given."""
        options = [f"-o{name}={value}" for name, value in OPTIONS.items()]
        options += ["-F", "/dev/null", "-i", str(self.folder / "user"), "-p", str(port or self.port), "-tt"]
        there = ["exec", "env", *(f"{name}={value}" for name, value in env.items()), *command]
        return [program("ssh"), *options, f"{self.user}@127.0.0.1", shlex.join(there)]

    def app(self, *arguments: str, port: int | None = None, **env: str) -> list[str]:
        """Return the command line of a client that runs the app."""
        given = {
            "LANG": "C.UTF-8",
            "BACKPROP_TUI_LESSON": "false",
            "PYTHONPATH": os.pathsep.join(sys.path[:1]),
        }
        given |= {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")}
        return self.client(sys.executable, "-m", "tui_backprop", *arguments, port=port, **given | env)

    def connection(self) -> psutil.Process:
        """Return the server's process for the newest connection."""
        return max(psutil.Process(self._process.pid).children(), key=psutil.Process.create_time)

    def apps(self) -> list[psutil.Process]:
        """Return all processes of the app that run over a connection, with their children."""
        found = [each for each in below(psutil.Process(self._process.pid)) if self._is_app(each)]
        assert found, self.log
        self._seen += found
        return found

    @staticmethod
    def _is_app(process: psutil.Process) -> bool:
        try:
            return "python" in Path(process.exe()).name
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def __exit__(self, *raised: object) -> None:
        self._seen += below(self._seen[0])
        for process in self._seen[::-1]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._process.wait()
