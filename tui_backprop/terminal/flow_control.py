"""How fast the line to the terminal is, and whether it can take another frame.

With each frame goes a question that every terminal answers (where its cursor is); the answer says that the frame has
arrived. What is on the way is bounded by what the line carries in a quarter of a second: so a frame that was sent is
seen soon, on every line, and nothing waits behind it.

    seconds from question to answer = round trip + bytes / rate
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

QUESTION = "\x1b[6n"
AHEAD = 0.25  # seconds of the line that may be filled
TELLING = 500  # bytes from which a frame says something of the rate
SLOW = 20_000  # bytes a second; below that a step of the walk takes longer than an eighth of a second
SAMPLES = 5  # whose median counts
DEAF = 1.0  # seconds without the very first answer, after which none is waited for
LOST = 10.0  # seconds without one later


@dataclass(frozen=True)
class Sent:
    """A frame that is on its way."""

    bytes: int
    at: float


class Link:
    """An account of what was sent and answered. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self.answers = True  # whether the terminal does
        self.round_trip: float | None = None
        self._way: deque[Sent] = deque()
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._last = 0.0  # when the last answer came

    @property
    def rate(self) -> float | None:
        """Bytes a second, once something is known of it."""
        return sorted(self._rates)[len(self._rates) // 2] if self._rates else None

    @property
    def slow(self) -> bool:
        """Whether a line was measured on which little should be sent."""
        return self.rate is not None and self.rate < SLOW

    @property
    def waits(self) -> bool:
        """Whether there are answers to come."""
        return self.answers and bool(self._way)

    def sent(self, bytes_: int, now: float) -> None:
        """Something went out with a question behind it."""
        self._way.append(Sent(bytes_, now))

    def answered(self, now: float) -> bool:
        """An answer came; False if none was waited for."""
        if not self._way:
            return False
        sent = self._way.popleft()
        took = now - sent.at
        self.round_trip = took if self.round_trip is None else min(took, self.round_trip)
        start = max(sent.at, self._last - self.round_trip)  # until then the line carried the one before
        carrying = now - self.round_trip - start
        if sent.bytes >= TELLING:
            self._rates.append(sent.bytes / max(carrying, 1e-3))
        self._last = now
        return True

    def free(self, now: float) -> bool:
        """Whether another frame may be sent."""
        if self._way and now - self._way[0].at > (DEAF if self.round_trip is None else LOST):
            self.answers = self.round_trip is not None
            self._way.clear()
        if not self.answers:
            return True
        ahead = sum(sent.bytes for sent in self._way)
        return not ahead or ahead < AHEAD * (self.rate or 0)

    @property
    def patience(self) -> float:
        """Seconds after which ``free`` is worth asking again, if no answer comes."""
        return (DEAF if self.round_trip is None else LOST) * 1.05
