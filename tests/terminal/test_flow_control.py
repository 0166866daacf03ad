"""The line to the terminal is measured by questions and answers, and never given more than it carries soon."""

from __future__ import annotations

import pytest

from tui_backprop.terminal.flow_control import (
    FIRST_REPLY_TIMEOUT,
    MAX_BACKLOG,
    REPLY_TIMEOUT,
    SLOW_RATE,
    FlowControl,
)


class Line:
    """A line with a rate and a round trip, for as long as somebody holds a key: frames go out when the flow says so,
    and only the newest is ever waiting."""

    def __init__(self, rate: float, round_trip: float) -> None:
        self.rate, self.round_trip, self.now = rate, round_trip, 0.0
        self.flow, self._free_at, self._answers = FlowControl(), 0.0, []
        self.flow.sent(0, 0.0)
        self._answers.append(round_trip)
        self.sent, self.waited = 0, 0.0

    def run(self, seconds: float, frame: int, every: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += every
            while self._answers and self._answers[0] <= self.now:
                self.flow.reply_received(self._answers.pop(0))
            if self.flow.can_send(self.now):
                self._free_at = max(self._free_at, self.now + self.round_trip / 2) + frame / self.rate
                self.flow.sent(frame, self.now)
                self._answers.append(self._free_at + self.round_trip / 2)
                self.waited = max(self.waited, self._free_at - self.now - self.round_trip / 2)
                self.sent += 1


@pytest.mark.parametrize("round_trip", [0.001, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("rate", [1_000, 8_000, 100_000, 10_000_000])
def test_what_is_on_the_way_is_bounded_on_every_line(rate, round_trip):
    """Never more than a frame, and what the line carries in the time that may be filled."""
    line = Line(rate, round_trip)
    line.run(20, 2_500, 1 / 30)
    one = 2_500 / rate
    assert line.waited <= one + max(MAX_BACKLOG, one) + 1e-6
    assert line.sent >= min(20 * 30, 20 / (round_trip + one)) * 0.8


def test_a_fast_line_is_never_held_up_and_not_called_slow():
    line = Line(1e6, 0.1)
    line.run(10, 2_500, 1 / 30)
    assert line.sent >= 10 * 30 - 5  # but for the first, before anything was known
    assert not line.flow.slow


def test_the_rate_is_found_and_a_slow_line_called_so():
    line = Line(8_000, 0.3)
    assert not line.flow.slow
    line.run(10, 2_500, 1 / 30)
    assert line.flow.rate == pytest.approx(8_000, rel=0.15)
    assert line.flow.round_trip == pytest.approx(0.3, rel=0.15)
    assert line.flow.slow


def test_one_late_answer_makes_no_line_slow():
    line = Line(1e6, 0.05)
    line.run(1, 2_500, 0.1)
    line.flow.sent(2_500, line.now)
    line.flow.reply_received(line.now + 3.0)
    assert line.flow.rate > SLOW_RATE


def test_short_frames_say_nothing_of_the_rate():
    line = Line(8_000, 0.3)
    line.run(10, 100, 0.5)
    assert line.flow.rate is None


def test_a_terminal_that_never_answers_is_not_waited_for():
    flow = FlowControl()
    flow.sent(0, 0.0)
    assert flow.can_send(0.5)  # the very first frame needs no answer
    flow.sent(2_000, 0.5)
    assert not flow.can_send(FIRST_REPLY_TIMEOUT * 0.9)
    assert flow.can_send(FIRST_REPLY_TIMEOUT * 1.1)
    assert not flow.replies
    flow.sent(2_000, 2.0)
    assert flow.can_send(2.1)


def test_answers_that_get_lost_later_are_given_up():
    flow = FlowControl()
    flow.sent(0, 0.0)
    flow.reply_received(0.1)
    flow.sent(2_000, 1.0)
    assert flow.awaiting_reply
    assert not flow.can_send(1.0 + REPLY_TIMEOUT * 0.9)
    assert flow.can_send(1.0 + REPLY_TIMEOUT * 1.1)
    assert flow.replies
    assert not flow.awaiting_reply


def test_an_answer_that_nobody_asked_for_is_somebody_else_s():
    assert not FlowControl().reply_received(1.0)
