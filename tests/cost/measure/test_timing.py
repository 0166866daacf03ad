"""Timing of passes on a machine whose clocks are made up, and which other work disturbs in known ways."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from tui_backprop.cost.measure import timing
from tui_backprop.cost.measure.again import TRIES, combined, disturbed, measured_again, with_points
from tui_backprop.cost.measure.timing import (
    BURST,
    COLD,
    LEAST_READING,
    LEAST_RUNS,
    MOST_REPEATS,
    MOST_RUNS,
    Clocks,
    Reading,
    TimedRun,
    in_turns,
    timing_of,
)
from tui_backprop.cost.model.busy_machine import is_busy
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

SPEC = NetworkSpec((5, 4, 3))


class MadeUp:
    """A machine on which a run takes its true seconds of CPU time, and ``disturb`` says how much longer by the wall
    clock: it gets the number of the run and its seconds."""

    def __init__(self, disturb=lambda i, seconds: 0.0):
        self.wall = self.used = 0.0
        self.ran, self._disturb = [], disturb

    def run(self, name, seconds, slower=lambda i: 1.0):
        def go():
            i = len(self.ran)
            self.ran.append(name)
            took = seconds * slower(i)
            self.used += took
            self.wall += took + self._disturb(i, took)

        return TimedRun(go)

    @property
    def clocks(self):
        return Clocks(lambda: self.wall, lambda: self.used, lambda: self.used)


def timed(machine, *seconds, budget=0.0):
    return in_turns([machine.run(i, each) for i, each in enumerate(seconds)], budget, machine.clocks)


def test_passes_take_turns_in_bursts_after_a_warm_up():
    machine = MadeUp()
    timed(machine, 1e-3, 3e-3, budget=4.5e-3)
    assert machine.ran == [0, 0, 1, 1, *math.ceil(LEAST_RUNS / (BURST - COLD)) * ([0] * BURST + [1] * BURST)]
    alone = MadeUp()
    timed(alone, 1e-3)
    assert alone.ran == [0] * (2 + LEAST_RUNS)


def test_the_first_readings_of_a_burst_which_find_cold_caches_do_not_count(monkeypatch):
    machine, counted = MadeUp(), []
    cold = lambda i: 3.0 if "other" in machine.ran[max(i - 3, 0) : i] else 1.0  # noqa: E731
    monkeypatch.setattr(timing, "timing_of", lambda readings, repeats: counted.append(readings))
    in_turns([machine.run("a", 1e-3, cold), machine.run("other", 2e-3)], 0.02, machine.clocks)
    assert len(counted[0]) >= LEAST_RUNS
    assert {round(reading.seconds, 9) for reading in counted[0]} == {1e-3}


def test_short_runs_are_read_many_at_once():
    machine = MadeUp()
    (found,) = timed(machine, 4e-6)
    assert found.runs == LEAST_RUNS * math.ceil(LEAST_READING / 4e-6) == len(machine.ran) - 2
    assert found.middle == pytest.approx(4e-6)


def test_on_a_quiet_machine_the_time_is_that_of_the_clock():
    (found,) = timed(MadeUp(lambda i, took: 0.02 * took), 1e-3, budget=0.1)
    assert found.middle == pytest.approx(1.02e-3)
    assert found.share == pytest.approx(1 / 1.02)
    assert not is_busy(found.high / found.middle - 1, found.share)


DISTURBED = {
    "every run waits for the others' turns": (lambda i, took: 3 * took, 0.25),
    "a core is ours half of the time": (lambda i, took: took * (i % 3), 0.5),
    "one long wait": (lambda i, took: 1.0 if i == 4 else 0.0, 0.1),
}


@pytest.mark.parametrize("how", DISTURBED)
@pytest.mark.parametrize("seconds", [5e-6, 1e-3, 0.2])
def test_beside_other_work_the_time_stays_and_the_share_says_so(how, seconds):
    disturb, most = DISTURBED[how]
    (found,) = timed(MadeUp(disturb), seconds, budget=20 * seconds)
    assert found.middle == pytest.approx(seconds, rel=0.01)
    assert found.share <= most + 0.02 or (seconds == 0.2 and how == "one long wait" and found.share < 0.9)
    assert is_busy(found.high / found.middle - 1, found.share)


@pytest.mark.parametrize("seed", range(5))
def test_runs_that_caches_make_slower_at_random_do_not_move_the_minimum(seed):
    """Half of the runs take up to three times as long, without the clocks differing."""
    chance = random.Random(seed)
    machine = MadeUp()
    slower = lambda i: 1 + 2 * chance.random() if chance.random() < 0.5 else 1.0  # noqa: E731
    (found,) = in_turns([machine.run("a", 1e-3, slower)], 0.1, machine.clocks)
    assert found.middle == pytest.approx(1e-3, rel=0.05)
    assert found.share == pytest.approx(1.0)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, -1e-3])
def test_a_clock_that_jumps_spoils_no_time_and_ends_nothing_early_or_never(jump):
    (found,) = timed(MadeUp(lambda i, took: jump if i == 3 else 0.0), 1e-3, budget=0.05)
    assert found.middle == pytest.approx(1e-3, rel=0.01)
    assert LEAST_RUNS <= found.runs <= MOST_RUNS * MOST_REPEATS
    assert 0 <= found.share <= 1


def test_a_clock_that_stands_still_is_not_waited_for():
    frozen = Clocks(lambda: 0.0, lambda: 0.0, lambda: 0.0)
    (found,) = in_turns([TimedRun(lambda: None)], 1.0, frozen)
    assert found.runs % MOST_RUNS == 0
    assert found.middle > 0


def test_cpu_time_of_threads_that_share_a_pass_does_not_count_as_a_jump():
    shared = [Reading(1e-3, 1.9e-3, shared=True)] * 5
    assert timing_of(shared).middle == 1e-3
    assert timing_of(shared).share == 1.0
    assert timing_of([Reading(1e-3, 1.9e-3)] * 5).middle == 1.9e-3


def test_a_cpu_clock_too_coarse_to_tell_is_not_believed():
    found = timing_of([Reading(1e-3, 0.0)] * 5)
    assert (found.middle, found.share) == (1e-3, 1.0)


# --- measured again ----------------------------------------------------------------------------------------


def point(kind, seconds, share=1.0, spec=SPEC):
    return Measured(kind, shape_of(spec), seconds, seconds, seconds, 9, share)


class Machine:
    """Measures with one share of a core after another."""

    def __init__(self, *shares):
        self.shares, self.asked, self.pauses = list(shares), [], 0

    def pause(self, seconds):
        self.pauses += 1

    def measure(self, spec, budget, kinds):
        self.asked.append((spec, kinds))
        share = self.shares.pop(0)
        return tuple(
            point(kind, {"forward": 1e-6, "backprop": 3e-6}[kind] / share, share, spec) for kind in kinds
        )


def again(cost_model, machine):
    for _, better in measured_again(cost_model, 0.0, machine.measure, machine.pause):
        cost_model = better
    return cost_model


BUSY = CostModel((point("backprop", 9e-6), point("forward", 5e-6, 0.4), point("jvp", 1e-5)))


def test_a_disturbed_pass_is_measured_again_with_the_one_that_it_takes_turns_with_until_it_is_quiet():
    machine = Machine(0.3, 1.0)
    found = again(BUSY, machine)
    assert machine.asked == [(SPEC, ("forward", "backprop"))] * 2
    assert machine.pauses == 2
    assert [(p.kind, p.middle, p.share) for p in found.points] == [
        ("backprop", 3e-6, 1.0),
        ("forward", 1e-6, 1.0),
        ("jvp", 1e-5, 1.0),
    ]


def test_the_tries_end_and_the_least_disturbed_measurement_stays():
    machine = Machine(*[0.5, 0.3, 0.9][:TRIES])
    found = again(CostModel((point("backprop", 9e-6, 0.4), point("forward", 5e-6, 0.4))), machine)
    assert len(machine.asked) == machine.pauses == TRIES == 2
    assert {p.share for p in found.points} == {0.5}


def test_nothing_is_measured_again_on_a_quiet_machine():
    quiet = CostModel((point("forward", 1e-6), point("backprop", 3e-6)))
    assert disturbed(quiet) == {}
    assert again(quiet, Machine()) is quiet


def test_a_refused_pair_is_measured_again():
    odd = CostModel((point("forward", 5e-6), point("backprop", 3e-6)))
    assert disturbed(odd) == {SPEC: ("forward", "backprop")}
    assert not again(odd, Machine(1.0)).refused


@pytest.mark.parametrize(
    ("old", "new", "kept"), [(1.0, 0.5, "old"), (0.5, 1.0, "new"), (0.3, 0.5, "new"), (1, 1, "new")]
)
def test_a_disturbed_measurement_replaces_no_quiet_one(old, new, kept):
    before = CostModel((point("forward", 1e-6, old),))
    found = with_points(before, [point("forward", 2e-6, new)])
    assert found.points[0].middle == {"old": 1e-6, "new": 2e-6}[kept]


def test_the_interval_of_measurements_at_several_times_holds_all_that_were_not_disturbed():
    """Arrays at other addresses, or a core that another machine shares: one measurement is steady, but alone."""
    steady = [replace(point("forward", t), low=0.99 * t, high=1.01 * t) for t in (4.2e-5, 6.2e-5, 4.3e-5)]
    (found,) = combined([*steady, point("forward", 9e-5, 0.4)])
    assert (found.low, found.middle) == (steady[0].low, 4.2e-5)
    assert found.high == steady[1].high
    assert (found.runs, found.share) == (sum(one.runs for one in steady), 1.0)
    assert found.busy  # 1.5 times as long: what it takes cannot be said better
    estimate = CostModel((found,)).seconds("forward", found.shape)
    assert estimate.low <= 4.2e-5 < 6.2e-5 <= estimate.high
    near = combined([steady[0], replace(steady[0], middle=4.4e-5, high=4.5e-5)])
    assert not near[0].busy
    assert len(combined([steady[0], point("backprop", 1e-4)])) == 2


def test_a_disturbed_measurement_is_better_than_none():
    (found,) = combined([point("forward", 9e-5, 0.4), point("forward", 8e-5, 0.3)])
    assert (found.middle, found.share) == (8e-5, 0.3)
