"""Time runs in turns: the one place where passes are timed.

Beside the wall time of each run stands the CPU time that it used. Where the machine gave its cores to something else
meanwhile, the CPU time is what the run would have taken, and the share of both says how busy the machine was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, process_time, thread_time

from tui_backprop.cost.model.busy_machine import QUIET_SHARE

# Kinds of passes that take turns.
TURNS = (("forward", "backprop"), ("naive", "central"), ("complex",), ("jvp",), ("batched",), ("spsa",))
BURST = 6  # readings in succession in each turn
COLD = 3  # of them, that do not count: another kind of pass has left its arrays in the caches, not those of this one
LEAST_RUNS, MOST_RUNS = 5, 20_000  # however long they take, and whatever the clock says
LEAST_READING, MOST_REPEATS = (
    1e-4,
    100,
)  # seconds that a reading takes, by so many runs in succession at the most
MARGIN = (
    1.1,
    1e-5,
)  # factor and seconds by which CPU time may exceed wall time: it includes reading the clocks
LEAST_QUIET = 3  # undisturbed runs, from which the others are ignored

Run = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Clocks:
    """Wall time, and CPU time of this thread and of the process, in seconds."""

    wall: Clock = perf_counter
    thread: Clock = thread_time
    process: Clock = process_time


CLOCKS = Clocks()


@dataclass(frozen=True)
class TimedRun:
    """A run, and True if threads ``shared`` its work, so that their CPU time counts; ``repeats`` make a reading."""

    run: Run
    shared: bool = False
    repeats: int = 1


@dataclass(frozen=True)
class Reading:
    """Seconds of a run, as a mean of some in succession: ``wall`` time, and CPU time ``used``, by several threads if
    they ``shared`` it."""

    wall: float
    used: float
    shared: bool = False

    @property
    def disturbed(self) -> bool:
        """True if a core was given to something else, or if the clock jumped: a thread cannot use more CPU time than
        passes."""
        if self.used < QUIET_SHARE * self.wall:
            return True
        return not self.shared and self.used > MARGIN[0] * max(self.wall, 0.0) + MARGIN[1]

    @property
    def seconds(self) -> float:
        """Wall time; CPU time if the run was disturbed."""
        return max(self.used if self.disturbed else self.wall, 1e-9)


@dataclass(frozen=True)
class Timing:
    """Seconds of a run: the least, a robust minimum, and the median, over so many ``runs``; ``share`` is that of the
    wall time in which a core was ours, at most 1."""

    low: float
    middle: float
    high: float
    runs: int
    share: float


def in_turns(runs: Sequence[TimedRun], budget: float, clocks: Clocks = CLOCKS) -> list[Timing]:
    """Time runs in turns, so that what disturbs one disturbs the others, after a warm-up: at least LEAST_RUNS, then
    until ``budget`` seconds for each are spent."""
    runs = [_repeated(each, clocks) for each in runs]
    readings: list[list[Reading]] = [[] for _ in runs]
    burst, end, done = BURST if len(runs) > 1 else 1, clocks.wall() + budget * len(runs), 0
    while done < LEAST_RUNS or (clocks.wall() < end and done < MOST_RUNS):
        for each, found in zip(runs, readings, strict=True):
            in_succession = [_read(each, clocks) for _ in range(burst)]
            found += in_succession[COLD:] if burst > COLD else in_succession
        done += max(burst - COLD, 1)
    return [timing_of(found, each.repeats) for each, found in zip(runs, readings, strict=True)]


def _repeated(timed: TimedRun, clocks: Clocks) -> TimedRun:
    """Warm up, and choose the repeats: reading the clocks takes as long as a pass of a very small network."""
    timed.run()
    took = _read(timed, clocks).seconds
    return replace(timed, repeats=max(1, min(math.ceil(LEAST_READING / took), MOST_REPEATS)))


def _read(timed: TimedRun, clocks: Clocks) -> Reading:
    used = clocks.process if timed.shared else clocks.thread
    before, start = used(), clocks.wall()
    for _ in range(timed.repeats):
        timed.run()
    end = clocks.wall()
    return Reading((end - start) / timed.repeats, (used() - before) / timed.repeats, timed.shared)


def timing_of(readings: Sequence[Reading], repeats: int = 1) -> Timing:
    """Summarize the readings of a run. Disturbances only make runs slower, so a robust minimum is that of a quiet
    machine: the seconds that one run in eight does not exceed. Disturbed runs count where there are few others."""
    if not any(reading.used for reading in readings):  # a CPU clock too coarse for them: nothing is known
        readings = [Reading(reading.wall, reading.wall) for reading in readings]
    quiet = [reading for reading in readings if not reading.disturbed]
    counted = quiet if len(quiet) >= LEAST_QUIET else readings
    seconds = sorted(reading.seconds for reading in counted)
    last = len(seconds) - 1
    return Timing(
        seconds[0], seconds[last // 8], seconds[last // 2], repeats * len(readings), _share(readings)
    )


def _share(readings: Sequence[Reading]) -> float:
    wall = sum(max(reading.wall, 0.0) for reading in readings)
    used = sum(reading.used for reading in readings)
    return min(used / wall, 1.0) if wall > 0 else 1.0
