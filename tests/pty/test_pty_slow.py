"""A slow connection, 64 kbit/s with a round trip of 300 ms: a key is answered at once, and nothing queues up.

The figures are measured here, between a real client and a real server."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.pty.rest import at_rest, starved
from tests.pty.slow_line import SlowLine
from tests.pty.test_pty_ssh import opened
from tests.steady import keep_measurement
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import step_on

pytestmark = pytest.mark.pty

SIZES = pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
STEPS = 21  # of an iteration of the lesson's network
ANSWER = 0.3  # seconds that an answer may take in addition to the round trip
BEHIND = 1.0  # seconds of backlog allowed on the connection
HELD, EACH = 5.0, 1 / 30  # seconds that a key is held, and from one to the next


@pytest.fixture
def line(server) -> Iterator[SlowLine]:
    with SlowLine(server.port) as slow:
        yield slow


def rested(terminal, server, line, columns: int, rows: int, *arguments: str):
    """Start the app over the slow connection, and wait until everything is shown and measured."""
    keep_measurement()
    run = opened(terminal, server, *arguments, columns=columns, rows=rows, port=line.port)
    run.until(lambda: "step 0/20" in run.text, "the first step")
    (process,) = server.apps()
    at_rest(run, process)
    return run


class Watch:
    """The time since its creation, minus the time for which all processes involved have waited for a core."""

    def __init__(self, run, server) -> None:
        self._all = [
            os.getpid(),
            run.child.pid,
            server.connection().pid,
            *(each.pid for each in server.apps()),
        ]
        self._start, self._starved = time.monotonic(), starved(*self._all)

    @property
    def starved(self) -> float:
        return starved(*self._all) - self._starved

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start - self.starved


def read_for(run, seconds: float) -> float:
    """Read for so long; return when the last data arrived."""
    last, end = 0.0, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        if run.read(min(0.02, end - now)):
            last = time.monotonic()
    return last


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


@pytest.mark.slow
@SIZES
def test_a_step_is_seen_within_a_round_trip_and_a_bit(terminal, server, line, columns, rows):
    run = rested(terminal, server, line, columns, rows)
    seconds, sizes = [], []
    for step in range(1, STEPS):
        watch, before = Watch(run, server), line.down.passed
        run.send("right")
        run.until(lambda step=step: f"step {step}/20" in run.text.splitlines()[0], f"step {step}")
        seconds.append(watch.seconds)
        run.quiet(0.5)
        sizes.append(line.down.passed - before)
    median, high = statistics.median(seconds), percentile(seconds, 0.95)
    said = f"median {median:.3f} s, p95 {high:.3f} s, median {statistics.median(sizes):.0f} bytes a step"
    print(f"\n{columns}x{rows}: {said}")
    assert median <= line.round_trip + ANSWER, said


def after(keys: int) -> str:
    """Return the text of the top line after so many steps forward."""
    session = from_preset("lesson")
    for _ in range(keys):
        session = step_on(session, STEPS)
    return f"{session.t}, step {session.walk.step}/20"


def test_the_lesson_s_walk_is_as_long_as_these_tests_take_it_to_be():
    assert after(STEPS + 3) == "1, step 3/20"
    assert PRESETS["lesson"].network.layers == (784, 256, 256, 256, 10)


@pytest.mark.slow
@SIZES
def test_a_key_that_is_held_leaves_nothing_behind(terminal, server, line, columns, rows):
    run = rested(terminal, server, line, columns, rows)
    line.down.most = line.up.most = 0.0
    watch = Watch(run, server)
    seen, start = set(), time.monotonic()
    keys = round(HELD / EACH)
    for key in range(keys):
        read_for(run, start + key * EACH - time.monotonic())
        run.send("right")
        seen.add(run.text.splitlines()[0])
    end = time.monotonic()
    run.until(lambda: after(keys) in run.text.splitlines()[0], "the last step")
    late = time.monotonic() - end - watch.starved
    queued = max(line.down.most / line.rate, line.up.most / line.rate)
    said = f"there {late:.1f} s after the last key, {watch.starved:.1f} s without a core not counted"
    said += f"; {queued:.2f} s of bytes waited; {len(seen)} top lines seen"
    print(f"\n{columns}x{rows}: {said}")
    assert queued <= BEHIND + watch.starved, said  # the line that this test makes had no core either
    assert late <= BEHIND + line.round_trip, said
    assert len(seen) > 5, said  # intermediate states are shown, too


@pytest.mark.slow
@SIZES
def test_play_at_full_speed_leaves_nothing_behind(terminal, server, line, columns, rows):
    run = rested(terminal, server, line, columns, rows)
    run.send("+", "+", "+")
    run.quiet(1.0)
    line.down.most = 0.0
    run.send(" ")
    seen, end = set(), time.monotonic() + HELD
    while time.monotonic() < end:
        run.read(0.02)
        seen.add(run.text.splitlines()[0])
    assert "16/s" in run.text
    watch, start = Watch(run, server), time.monotonic()
    run.send(" ")
    ended = max(read_for(run, BEHIND + line.round_trip), start)
    ended = max(read_for(run, watch.starved), ended)
    trailing = read_for(run, 1.0)  # nothing more may arrive
    queued = line.down.most / line.rate
    said = (
        f"output ended {max(ended, trailing) - start:.2f} s after the pause; {queued:.2f} s of bytes waited"
    )
    said += f"; {len(seen)} top lines seen"
    print(f"\n{columns}x{rows}: {said}")
    assert "16/s" not in run.text, said
    assert line.down.most <= BEHIND * line.rate, said
    assert not trailing, said
    assert len(seen) > 5, said
