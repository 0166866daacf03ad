"""Threads that share a phase: every job is done once, whatever happens to a thread or to a job."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from itertools import count

import pytest

from tests.waits import GENEROUS
from tui_backprop.engine.arrays import team as module
from tui_backprop.engine.arrays.team import PAUSES, Chain, Team


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self):
        return self.now


def appending(list_, *items):
    return [[(list_.append, (item,))] for item in items]


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_all_jobs_are_done_once_and_calls_of_a_job_in_order(threads):
    team = Team(threads)
    for jobs in (1, 2, 3, 50):
        done = [[] for _ in range(jobs)]
        for _ in range(20):
            team.run([[(each.append, (i,)) for i in range(3)] for each in done])
        assert done == [[0, 1, 2] * 20] * jobs


def test_others_take_jobs_while_this_thread_has_one():
    team, both = Team(2), threading.Barrier(2)
    team.run(
        [[(both.wait, (GENEROUS,))], [(both.wait, (GENEROUS,))]]
    )  # neither ends before the other has begun


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_jobs_behind_a_chain_begin_once_what_they_wait_for_is_done(threads):
    team, done = Team(threads), []
    chain = Chain(appending(done, *range(5)))

    def behind(place):
        chain.wait(place)
        assert done[: place + 1] == [*range(place + 1)]

    for _ in range(50):
        done.clear()
        chain.start()
        team.run([[(chain.run, ())], *([(behind, (place,))] for place in range(5))])


def test_a_job_goes_on_while_the_chain_does():
    """The end of the chain waits for a job that waits for its beginning only."""
    team, both = Team(2), threading.Barrier(2)
    chain = Chain([[], [(both.wait, (GENEROUS,))]])
    chain.start()
    team.run([[(chain.run, ())], [(chain.wait, (0,)), (both.wait, (GENEROUS,))]])


def test_nobody_waits_for_a_chain_that_ended_with_an_error():
    team, chain = Team(3), Chain([[(int, ("no number",))], []])
    chain.start()
    with pytest.raises(ValueError, match="no number"):
        team.run([[(chain.run, ())], *([(chain.wait, (1,))] for _ in range(4))])


def test_the_first_job_is_done_in_this_thread():
    team, where = Team(4), []
    for _ in range(50):
        team.run([[(lambda: where.append(threading.get_ident()), ())], *([] for _ in range(9))])
    assert set(where) == {threading.get_ident()}


def test_an_error_is_raised_after_the_others_have_ended_and_the_team_goes_on():
    team, done = Team(3), []
    for where in range(4):
        jobs = appending(done, *range(4))
        jobs[where] = [(int, ("no number",))]
        with pytest.raises(ValueError, match="no number"):
            team.run(jobs)
    done.clear()
    team.run(appending(done, *range(6)))
    assert sorted(done) == [*range(6)]


def test_an_interruption_while_waiting_for_others_waits_all_the_same():
    team, started, go_on, done = Team(2), threading.Event(), threading.Event(), []
    first = threading.Lock()

    def job():
        if first.acquire(blocking=False):
            started.wait(GENEROUS)  # until the other has the second job
            raise KeyboardInterrupt
        started.set()
        go_on.wait(GENEROUS)
        done.append(True)

    threading.Timer(0.05, go_on.set).start()
    with pytest.raises(KeyboardInterrupt):
        team.run([[(job, ())], [(job, ())]])
    assert done == [True]


def test_nothing_of_a_job_is_held_once_it_is_done():
    class Held:
        def work(self):
            started.wait()  # until both threads have a job

    team, started = Team(2), threading.Barrier(2)
    held = [Held(), Held()]
    gone = [weakref.ref(each) for each in held]
    team.run([[(each.work, ())] for each in held])
    del held
    assert [each() for each in gone] == [None, None]


def test_who_comes_while_others_work_works_alone():
    team, done = Team(2), []
    inner = appending(done, *range(5))
    team.run([[(team.run, (inner,))], [(team.run, (inner,))]])
    assert sorted(done) == sorted([*range(5)] * 2)


def test_where_no_thread_can_be_started_this_one_does_it_all(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    team, done = Team(4), []
    team.run(appending(done, *range(5)))
    assert (team.threads, done) == (1, [*range(5)])


def test_threads_that_get_no_core_are_left_out_for_a_while_and_longer_each_time(monkeypatch):
    clock = Clock()
    team, begun = Team(2, clock), []
    other = team._others[0]
    monkeypatch.setattr(other, "begin", lambda left: begun.append(clock.now))

    def finish():
        clock.now += waiting

    monkeypatch.setattr(other, "finish", finish)

    def work():
        clock.now += 0.01

    def phase():
        begun.clear()
        team.run([[(work, ())]] * 2)  # all by this thread: the other does not begin
        return len(begun)

    waiting = 0.001
    assert [phase() for _ in range(5)] == [1] * 5
    waiting = 0.05
    pauses = []
    assert phase() == 1
    for _ in range(8):
        end = clock.now
        while not phase():
            pass
        pauses.append(begun[0] - end)
    for pause, wanted in zip(pauses, (PAUSES[0] * 2**i for i in count()), strict=False):
        assert min(wanted, PAUSES[1]) <= pause <= min(wanted, PAUSES[1]) + 0.1
    waiting = 0.001
    clock.now += 2 * PAUSES[1]
    assert [phase() for _ in range(5)] == [1] * 5


LIMITS = """
from threadpoolctl import threadpool_info
import numpy
from tui_backprop.engine.arrays.team import team
threads = team().threads
print(threads, *[each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"])
"""


@pytest.mark.parametrize("wanted", ["1", "2", "3"])
def test_the_number_that_a_user_sets_for_blas_bounds_them_and_blas_has_one(wanted):
    said = subprocess.run(
        [sys.executable, "-c", LIMITS],
        env=os.environ | {"OPENBLAS_NUM_THREADS": wanted},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    threads, *of_blas = map(int, said.split())
    if not of_blas:
        pytest.skip("a BLAS that cannot be asked")
    assert threads == min(int(wanted), module.usable_cores())
    assert set(of_blas) == {1}
