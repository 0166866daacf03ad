"""Flow control: how fast the line to the terminal is, and whether it can take another frame.

Each frame ends with a query that every terminal answers, for the cursor position; the reply says that the frame has
arrived. The bytes in flight are bounded by what the line carries in a quarter of a second. So a frame is seen soon
after it was sent, on every line, and no frames queue up.

    seconds from query to reply = round trip + bytes / rate
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

CURSOR_POSITION_QUERY = "\x1b[6n"
MAX_BACKLOG = 0.25  # seconds of the line that may be filled
MIN_SAMPLE = 500  # bytes; smaller frames do not measure the rate
SLOW_RATE = 20_000  # bytes per second; below that, a step of the walk takes longer than an eighth of a second
RATE_SAMPLES = 5  # samples whose median is the rate
FIRST_REPLY_TIMEOUT = 1.0  # seconds without any reply, after which none is expected
REPLY_TIMEOUT = 10.0  # seconds for a reply of a terminal that has replied before


@dataclass(frozen=True)
class FrameInFlight:
    """A frame whose reply has not arrived yet: its size in ``bytes``, and the time it was sent, in seconds."""

    bytes: int
    sent_at: float


class FlowControl:
    """An account of frames and replies. All times are seconds of one clock.

    ``replies`` is False once the terminal has been found not to reply; ``round_trip`` is the shortest time from a
    query to its reply.
    """

    def __init__(self) -> None:
        self.replies = True
        self.round_trip: float | None = None
        self._in_flight: deque[FrameInFlight] = deque()
        self._rates: deque[float] = deque(maxlen=RATE_SAMPLES)
        self._last_reply_at = 0.0

    @property
    def rate(self) -> float | None:
        """Bytes a second, the median of the last samples; None while there is none."""
        return sorted(self._rates)[len(self._rates) // 2] if self._rates else None

    @property
    def slow(self) -> bool:
        """True if the measured rate is low enough to draw less."""
        return self.rate is not None and self.rate < SLOW_RATE

    @property
    def awaiting_reply(self) -> bool:
        """True while replies are outstanding."""
        return self.replies and bool(self._in_flight)

    def sent(self, size: int, now: float) -> None:
        """Account for a frame of ``size`` bytes with a query behind it."""
        self._in_flight.append(FrameInFlight(size, now))

    def reply_received(self, now: float) -> bool:
        """Account for a reply; False if none was outstanding."""
        if not self._in_flight:
            return False
        frame = self._in_flight.popleft()
        took = now - frame.sent_at
        self.round_trip = took if self.round_trip is None else min(took, self.round_trip)
        # Before this time, the line was still carrying the previous frame.
        start = max(frame.sent_at, self._last_reply_at - self.round_trip)
        carrying = now - self.round_trip - start
        if frame.bytes >= MIN_SAMPLE:
            self._rates.append(frame.bytes / max(carrying, 1e-3))
        self._last_reply_at = now
        return True

    def can_send(self, now: float) -> bool:
        """Decide if another frame may be sent; give up on replies that are overdue."""
        if self._in_flight and now - self._in_flight[0].sent_at > self._timeout:
            self.replies = self.round_trip is not None
            self._in_flight.clear()
        if not self.replies:
            return True
        backlog = sum(frame.bytes for frame in self._in_flight)
        return not backlog or backlog < MAX_BACKLOG * (self.rate or 0)

    @property
    def retry_after(self) -> float:
        """Seconds after which to ask ``can_send`` again if no reply comes."""
        return self._timeout * 1.05

    @property
    def _timeout(self) -> float:
        return FIRST_REPLY_TIMEOUT if self.round_trip is None else REPLY_TIMEOUT
