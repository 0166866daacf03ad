"""The time in which a process was stopped is in no estimate and in no total."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import numpy as np
import psutil
import pytest

from tests.waits import until
from tui_backprop.cost.race.race import Race
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import Problem
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.training_run import learn
from tui_backprop.support.running_clock import LONGEST_TICK, TICK, RunningClock, running_clock

STOPPED = 2 * LONGEST_TICK  # seconds


class Hands:
    """The hands of a clock that are turned by a test: the time, and the time that was computed."""

    now = used = 0.0


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def clock(hands):
    return RunningClock(lambda: hands.now, lambda: hands.used)


@pytest.mark.parametrize(
    ("passed", "computed", "counted"),
    [
        (0.5, 0.0, 0.5),  # waiting
        (0.5, 0.5, 0.5),
        (30.0, 0.0, TICK),  # stopped
        (30.0, 30.0, 30.0),  # one long computation
        (30.0, 60.0, 30.0),  # with two threads
        (40.0, 10.0, 10.0),  # stopped in the middle of one
    ],
)
def test_a_gap_counts_as_far_as_the_process_computed(hands, clock, passed, computed, counted):
    hands.now, hands.used = passed, computed
    assert clock() == pytest.approx(counted)
    hands.now += 0.5
    assert clock() == pytest.approx(counted + 0.5)


def test_it_never_goes_back(hands, clock):
    seen = [clock()]
    for step in (0.1, 5.0, 0.0, 0.2, 100.0, 0.3):
        hands.now += step
        seen.append(clock())
    assert seen == sorted(seen)


def stop(process: int) -> None:
    """Stop a process for a while."""
    os.kill(process, signal.SIGSTOP)
    until(lambda: psutil.Process(process).status() == psutil.STATUS_STOPPED, "a stop")
    time.sleep(STOPPED)
    os.kill(process, signal.SIGCONT)


def timed(connection) -> None:
    start = time.perf_counter()
    with running_clock() as clock:
        begun = clock()
        connection.send("begun")
        connection.poll(None)  # waits, as for workers
        connection.send((time.perf_counter() - start, clock() - begun))


def test_a_process_that_waits_and_is_stopped_leaves_the_gap_out():
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=timed, args=(there,))
    process.start()
    assert here.recv() == "begun"
    stop(process.pid)
    here.send("on")
    all_of_it, counted = here.recv()
    process.join()
    assert all_of_it - counted > STOPPED - 2 * TICK


def test_a_race_that_was_stopped_has_the_gap_neither_in_its_total_nor_in_its_estimate():
    spec = NetworkSpec((784, 64, 10))
    rng = np.random.default_rng(0)
    problem = Problem(spec, rng.random((1, 784)), np.array([5]), initial_parameters(spec), 0)
    with Race(problem) as race:
        race.start()
        until(lambda: race.status().evaluations, "a race")
        before, began = race.status(), time.perf_counter()
        stop(race._process.pid)
        until(lambda: race.status().evaluations > before.evaluations, "the race after it")
        after = race.status()
        elapsed = time.perf_counter() - began
    assert elapsed - (after.seconds - before.seconds) > STOPPED - 2 * TICK


def test_training_counts_the_time_of_its_clock(monkeypatch):
    class Stopped(RunningClock):
        def __call__(self) -> float:
            return super().__call__() / 1e9

    monkeypatch.setattr("tui_backprop.support.running_clock.RunningClock", Stopped)
    *_, last = learn(Replay(2**20), from_preset("xor"), 20, None)
    assert last.learning.seconds < 1e-3
