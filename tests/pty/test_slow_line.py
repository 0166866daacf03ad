"""Tests of the slow connection: it has its rate and delay, loses nothing, and counts its backlog."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.pty.slow_line import SlowLine


@pytest.fixture
def echo() -> Iterator[int]:
    """Return the port of a server that sends back what it receives."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                each, _ = server.accept()
            except OSError:
                return
            with each:
                while data := each.recv(65536):
                    each.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def answer(near: socket.socket, size: int) -> bytes:
    """Receive at least ``size`` bytes, or until the end."""
    data = b""
    while len(data) < size:
        piece = near.recv(65536)
        assert piece, "the line was closed"
        data += piece
    return data


def test_an_answer_takes_a_round_trip(echo):
    with SlowLine(echo) as line, socket.create_connection(("127.0.0.1", line.port), 10) as near:
        times = []
        for _ in range(5):
            start = time.monotonic()
            near.sendall(b"x")
            assert answer(near, 1) == b"x"
            times.append(time.monotonic() - start)
    assert min(times) == pytest.approx(line.round_trip, rel=0.15)


def test_it_carries_so_many_bytes_a_second_and_loses_none(echo):
    sent = os.urandom(12_000)
    with SlowLine(echo) as line, socket.create_connection(("127.0.0.1", line.port), 10) as near:
        near.sendall(sent)
        data = answer(near, 1)
        start = time.monotonic()
        data += answer(near, len(sent) - len(data))
        seconds = time.monotonic() - start
    assert data == sent
    assert len(sent) / seconds == pytest.approx(line.rate, rel=0.15)


def test_it_knows_what_waits(echo):
    with SlowLine(echo) as line, socket.create_connection(("127.0.0.1", line.port), 10) as near:
        near.sendall(bytes(8000))
        first = answer(near, 1)
        assert line.up.most == pytest.approx(8000, rel=0.15)
        assert line.up.waiting < 8000 * 0.85  # half a round trip has passed
        answer(near, 8000 - len(first))
        assert line.up.waiting == 0
        assert line.down.most < 1000  # slow input leaves as it arrives


def test_the_end_of_one_side_is_the_end_of_the_other(echo):
    with SlowLine(echo) as line, socket.create_connection(("127.0.0.1", line.port), 10) as near:
        near.sendall(b"last words")
        near.shutdown(socket.SHUT_WR)
        assert answer(near, 10) == b"last words"
        assert near.recv(1) == b""


def test_a_line_that_is_held_says_nothing(echo):
    with SlowLine(echo) as line, socket.create_connection(("127.0.0.1", line.port), 10) as near:
        near.sendall(b"x")
        answer(near, 1)
        line.hold()
        near.sendall(b"y")
        near.settimeout(3 * line.round_trip)
        with pytest.raises(TimeoutError):
            near.recv(1)
