"""The address of a scheduler, its files, and what answers there, refused in one line and in time."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from contextlib import contextmanager, suppress

import pexpect
import psutil
import pytest

from tests.cost.race.certificates import files, make_certificate, openssl
from tests.cost.race.workers import dies, stuck
from tests.waits import GENEROUS, gone
from tui_backprop import __version__
from tui_backprop.cost.race import worker_sources
from tui_backprop.cost.race.dask_client import RefusalError, Relay, _misfit
from tui_backprop.cost.race.scheduler import TLS_OPTIONS, Scheduler, scheduler_at
from tui_backprop.cost.race.worker_sources import scheduler_workers
from tui_backprop.support.errors import UserError

pytest.importorskip("distributed", reason="needs the extra cluster")
NO_FILES = dict.fromkeys(TLS_OPTIONS)


@pytest.mark.parametrize(
    "address",
    [
        "", "here", "1.2.3.4", "1.2.3.4:", ":8786", "1.2.3.4:0", "1.2.3.4:65536", "http://a:80", "tls:a:80",
        "a b:1", "a\x1b[1m:1", "tcp://", "tls://a", "ucx://a:1", "a:1\n", "a:" + "9" * 5000, "é:1", "a:1/x",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match="; use tls://HOST:PORT or tcp://HOST:PORT") as refused:
        scheduler_at(address + ("x" if address.endswith("\n") else ""), NO_FILES)
    assert refused.value.field == "scheduler"
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 200


def test_what_is_an_address_is_taken():
    assert scheduler_at("a-b.example:1", NO_FILES) == Scheduler("a-b.example", 1)
    assert scheduler_at(" tcp://[::1]:8786 ", NO_FILES).address == "tcp://[::1]:8786"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with cert.pem and key.pem, made by make_certificate."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


def test_files_that_go_together_are_taken_and_named_in_the_commands(certificate):
    scheduler = scheduler_at("tls://a:1", files(certificate))
    assert scheduler.address == "tls://a:1"
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    tls = f"--tls-ca-file {cert} --tls-cert {cert} --tls-key {key}"
    quiet = "--no-dashboard --dashboard-address 127.0.0.1:0"
    assert scheduler.command("worker") == f"dask worker tls://a:1 --nthreads 1 {quiet} {tls}"
    assert scheduler.command("scheduler") == (f"dask scheduler --host tls://a:1 {quiet} {tls}")


def test_files_that_cannot_be_used_are_refused_by_the_option_that_names_them(certificate, tmp_path):
    fifo, large, text = tmp_path / "fifo", tmp_path / "large", tmp_path / "text"
    os.mkfifo(fifo)  # opened, it would wait for ever
    large.write_bytes(b"")
    os.truncate(large, 2**33)
    text.write_text("no certificate")
    locked = tmp_path / "locked.pem"
    openssl(certificate, f"rsa -aes128 -passout pass:secret -in key.pem -out {locked}")
    good = files(certificate)
    for option, path, why in (
        *((option, None, "is required for tls://") for option in TLS_OPTIONS),
        *((option, tmp_path / "nothing", "No such file") for option in TLS_OPTIONS),
        *((option, "a\0b", "cannot read") for option in TLS_OPTIONS),
        *((option, tmp_path, "Is a directory") for option in TLS_OPTIONS),
        *((option, fifo, "is not a regular file") for option in TLS_OPTIONS),
        *((option, "/dev/zero", "is not a regular file") for option in TLS_OPTIONS),
        *((option, large, "is larger than") for option in TLS_OPTIONS),
        ("tls_ca", text, "has no certificate"),
        ("tls_cert", text, "are no certificate with its unencrypted key"),
        ("tls_cert", good["tls_key"], "are no certificate with its unencrypted key"),
    ):
        with pytest.raises(UserError, match=why) as refused:
            scheduler_at("tls://a:1", good | {option: None if path is None else str(path)})
        assert refused.value.field == option.replace("_", "-")
        assert refused.value.message.isprintable()
    with pytest.raises(UserError, match="unencrypted key"):
        scheduler_at("tls://a:1", good | {"tls_key": str(locked)})
    for option in TLS_OPTIONS:
        for address in ("a:1", "tcp://a:1"):
            with pytest.raises(UserError, match="requires --scheduler tls://HOST:PORT") as refused:
                scheduler_at(address, NO_FILES | {option: "x"})
            assert refused.value.field == option.replace("_", "-")


@pytest.mark.pty
def test_nobody_is_asked_for_the_password_of_a_key(certificate):
    """OpenSSL would ask on the terminal, whatever standard input is."""
    openssl(certificate, "rsa -aes128 -passout pass:secret -in key.pem -out locked.pem")
    options = ["--tls-ca", "cert.pem", "--tls-cert", "cert.pem", "--tls-key", "locked.pem"]
    command = ["-m", "tui_backprop", "check", "--exhaustive", "--scheduler", "tls://127.0.0.1:1", *options]
    child = pexpect.spawn(sys.executable, command, cwd=str(certificate), timeout=GENEROUS)
    said = child.read().decode()
    assert "unencrypted key" in said
    assert "pass phrase" not in said


# --- what answers -----------------------------------------------------------------------------------------

GREETING = (2).to_bytes(8, "little")  # Dask's: the number of frames, their lengths, and then they
SILENT = "did not answer like a Dask scheduler in time"
OTHER = "is not a Dask scheduler: it speaks another protocol"
CLOSED = "is not a Dask scheduler: it closed the connection"
TALKERS = {
    "silence": [],
    "a length and silence": [GREETING],
    "half a length and silence": [GREETING[:3]],
    "hanging up": [None],
    "a length and hanging up": [GREETING, None],
    "another protocol": [b"SSH-2.0-OpenSSH_9.9\r\n"],
    "HTTP": [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
    "a huge length": [(2**62).to_bytes(8, "little")],
    "junk after a length": [GREETING + os.urandom(64)],
    "junk in two parts": [GREETING, b"\xff" * 200],
    "zeros": [bytes(4096)],
    "control characters": [b"\x1b[2J\x07" * 300],
}


@contextmanager
def talker(parts):
    """Something that listens, says this to whoever connects, and waits; its port, and who connected."""
    met = []

    def talk(line):
        with line, suppress(OSError):
            for part in parts:
                if part is None:
                    return
                line.sendall(part)
            while line.recv(1000):
                pass

    def listen():
        with suppress(OSError):
            while True:
                line, _ = server.accept()
                met.append(threading.Thread(target=talk, args=(line,), daemon=True))
                met[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        yield server.getsockname()[1], met
        server.shutdown(socket.SHUT_RDWR)
    listening.join(GENEROUS)


def refusal(port, patience):
    """What the process of the client says of what listens there, found in this process."""
    with pytest.raises(RefusalError) as refused:
        asyncio.run(Relay(None, Scheduler("127.0.0.1", port)).run(patience))
    return str(refused.value)


@pytest.mark.parametrize("kind", TALKERS)
def test_what_listens_and_is_no_scheduler_is_refused_with_a_reason(kind, caplog):
    with talker(TALKERS[kind]) as (port, met):
        why = refusal(port, 0.5 if kind.endswith("silence") else GENEROUS)
        for thread in met:  # nothing is left open
            thread.join(GENEROUS)
            assert not thread.is_alive()
        assert met
    expected = SILENT if kind.endswith("silence") else CLOSED if kind.endswith("hanging up") else OTHER
    assert why == f"tcp://127.0.0.1:{port} {expected}"


def test_where_nothing_listens_the_command_to_start_a_scheduler_is_said():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refusal(port, 5.0) == (
        f"no answer at tcp://127.0.0.1:{port} (Connection refused); start one there:"
        f" dask scheduler --host tcp://127.0.0.1:{port} --no-dashboard --dashboard-address 127.0.0.1:0"
    )


def test_a_host_that_does_not_exist_is_a_reason_too():
    with pytest.raises(RefusalError, match=r"no answer at tcp://a\.\.b:1 \(.+\)"):
        asyncio.run(Relay(None, Scheduler("a..b", 1)).run(1.0))


def test_a_client_that_hangs_is_given_up_and_one_that_ends_is_a_line(monkeypatch):
    for client, patience, why in (
        (stuck, 0.2, "did not answer like a Dask scheduler within 0.2 s"),
        (dies, GENEROUS, "its process ended"),
    ):
        monkeypatch.setattr(worker_sources, "relay", client)
        with pytest.raises(UserError, match=why), scheduler_workers(Scheduler("127.0.0.1", 1), patience):
            pass
    for child in psutil.Process().children():
        assert "spawn_main" not in " ".join(child.cmdline()) or gone(child)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(UserError, match=r'needs the extra: pip install "backprop-tui\[cluster\]"'),
        scheduler_workers(Scheduler("127.0.0.1", 1)),
    ):
        pass


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((__version__, True), ""),
        (("0.0.1", True), "it runs backprop-tui 0.0.1, but this is "),
        ((__version__, False), "start it with OMP_NUM_THREADS=1"),
        *((answer, "does not say what it is") for answer in (None, "x", (), (1, True), (__version__, 1), 5)),
    ],
)
def test_workers_that_would_compute_something_else_are_not_used(answer, why):
    assert why in _misfit(answer)
    assert bool(why) == bool(_misfit(answer))
