"""A slow connection: bytes that enter at one end leave at the other with a delay, at a limited rate each way.

It accepts everything at once, like the buffers along a real connection, so that its backlog can be measured."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress

PIECE = 64  # bytes sent at once; at 64 kbit/s they take 8 ms


class Way:
    """One direction between two sockets."""

    def __init__(self, source: socket.socket, sink: socket.socket, rate: float, delay: float) -> None:
        self._source, self._sink, self._rate, self._delay = source, sink, rate, delay
        self._queue: deque[tuple[float, bytes]] = deque()  # pieces, and when each arrives
        self._changed = threading.Condition()
        self._clear = 0.0  # time at which the last piece has left
        self.held = False
        self.passed = 0  # bytes so far
        self.most = 0.0  # largest backlog since it was last set to 0
        for work in (self._take, self._give):
            threading.Thread(target=work, daemon=True, name="slow line").start()

    @property
    def waiting(self) -> float:
        """Return the bytes that have not left yet; those in flight are not counted."""
        return max(self._clear - time.monotonic(), 0.0) * self._rate

    def _take(self) -> None:
        data = b"."
        while data:
            data = b""
            with suppress(OSError):  # treated as the end
                data = self._source.recv(65536)
            with self._changed:
                self._clear = max(self._clear, time.monotonic())
                for at in range(0, len(data), PIECE) or [0]:
                    piece = data[at : at + PIECE]
                    self._clear += len(piece) / self._rate
                    self._queue.append((self._clear + self._delay, piece))
                self.passed += len(data)
                self.most = max(self.most, self.waiting)
                self._changed.notify()

    def _give(self) -> None:
        piece = b"."
        while piece:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                due, piece = self._queue.popleft()
            time.sleep(max(due - time.monotonic(), 0.0))
            with self._changed:
                self._changed.wait_for(lambda: not self.held)
            with suppress(OSError):
                if piece:
                    self._sink.sendall(piece)
                else:
                    self._sink.shutdown(socket.SHUT_WR)


class SlowLine:
    """A port on the loopback address that forwards to another one, at ``rate`` bytes per second each way, with a
    round trip of ``round_trip`` seconds. It carries one connection at a time; ``up`` and ``down`` are those of the
    newest."""

    def __init__(self, to: int, rate: float = 8000.0, round_trip: float = 0.3) -> None:
        self._to, self.rate, self.round_trip = to, rate, round_trip
        self.up: Way | None = None
        self.down: Way | None = None
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> SlowLine:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name="slow line").start()
        return self

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:  # closed
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [near, far]
            self.up = Way(near, far, self.rate, self.round_trip / 2)
            self.down = Way(far, near, self.rate, self.round_trip / 2)

    def hold(self) -> None:
        """Deliver nothing from now on, without an error on either side."""
        for way in (self.up, self.down):
            if way is not None:
                way.held = True

    def __exit__(self, *raised: object) -> None:
        for each in (self._server, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for way in (self.up, self.down):
            if way is not None:
                with way._changed:
                    way.held = False
                    way._changed.notify_all()
