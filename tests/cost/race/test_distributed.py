"""One numerical gradient over many workers: the same as in one process, whatever happens to them."""

from __future__ import annotations

import os
import signal
from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from tests.cost.race.workers import LONG, SMALL, problem_of
from tests.waits import gone, until
from tui_backprop.cost.race import distributed
from tui_backprop.cost.race.agreement import name_of
from tui_backprop.cost.race.distributed import (
    DISTRIBUTED_METHODS,
    fill_distributed,
    filled_chunks,
    race_distributed,
)
from tui_backprop.cost.race.race import Race
from tui_backprop.cost.race.shares import Answer, Failure, computed
from tui_backprop.cost.race.worker_sources import local_workers
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS, Options
from tui_backprop.support.errors import UserError


@pytest.fixture(scope="module")
def workers():
    with local_workers(2) as made:
        yield made


def gradient(workers, problem, method, **kind):
    out = np.zeros(problem.spec.parameters)
    made = list(fill_distributed(workers, method, out, problem, **kind))
    assert made == sorted(made)
    assert made[-1] == METHODS[method].count(problem.spec.parameters, 1)
    return out


@pytest.mark.parametrize("chunk", [5, 64])
@pytest.mark.parametrize("method", DISTRIBUTED_METHODS)
def test_the_gradient_is_that_of_one_process_to_the_last_bit(workers, method, chunk):
    problem = problem_of(SMALL, 4)
    found = gradient(workers, problem, method, chunk=chunk)
    assert found.tobytes() == METHODS[method].gradient(problem).tobytes()


@pytest.mark.parametrize(
    ("spec", "batch"),
    [
        (replace(SMALL, dtype="float32"), 1),
        (SMALL, 32),
        (replace(SMALL, dropout=0.4, l2=0.1, layer_norm=True), 32),
        (NetworkSpec((1, 1, 1), "tanh", "mse", dtype="float64"), 1),  # one parameter in each tensor
        (replace(SMALL, activation="relu", bias=False), 1),
    ],
)
def test_so_it_is_for_every_kind_of_network(workers, spec, batch):
    problem = replace(problem_of(spec, batch), t=3)
    found = gradient(workers, problem, "central-difference", chunk=11)
    assert found.tobytes() == METHODS["central-difference"].gradient(problem).tobytes()


def test_some_parameters_in_any_order_and_the_step_that_is_asked_for(workers):
    problem, where = problem_of(SMALL), np.array([60, 3, 17, 44, 0])
    out = np.full(SMALL.parameters, 7.0)
    options = Options(step=1e-4)
    for _ in fill_distributed(workers, "forward-difference", out, problem, where, options, chunk=2):
        pass
    expected = METHODS["forward-difference"].gradient(problem, where, options)
    assert out[where].tolist() == expected.tolist()
    assert (np.delete(out, where) == 7).all()
    assert list(fill_distributed(workers, "forward-difference", out, problem, where[:0])) == []


def test_it_tells_how_it_stands(workers):
    problem = problem_of(LONG)
    out = np.zeros(LONG.parameters)
    seen = list(race_distributed(workers, problem, out=out))
    assert [seen[0].state, seen[-1].state] == ["starting", "done"]
    assert {one.state for one in seen[1:-1]} <= {"starting", "running"}
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert len({one.done for one in seen}) > 3  # shares of a size that shows progress
    end = seen[-1]
    assert (end.evaluations, end.done) == (end.of, end.parameters) == (25_451, 25_450)
    assert end.rate == pytest.approx(end.evaluations / end.seconds)
    assert end.left == 0
    assert end.backprop > 0
    exact = METHODS["backprop"].gradient(problem)
    assert end.agreement.cosine == pytest.approx(out @ exact / np.linalg.norm(out) / np.linalg.norm(exact))
    off = np.abs(out - exact)
    assert end.agreement.error == off.max()
    assert end.agreement.worst in {name_of(problem, int(at)) for at in np.flatnonzero(off == off.max())}


def test_the_agreement_is_that_of_a_race_in_one_process_to_the_last_bit(workers):
    problem = problem_of(replace(LONG, layers=(784, 4, 10)))
    *_, end = race_distributed(workers, problem, chunk=37)
    with Race(problem) as race:
        race.start()
        alone = until(lambda: (now := race.status()).state == "done" and now)
    assert end.agreement == alone.agreement


def test_a_planted_error_is_named(workers):
    problem = problem_of(SMALL)
    exact = METHODS["backprop"].gradient(problem)
    exact[17] += 0.5
    *_, end = race_distributed(workers, problem, "complex-step", exact=exact, chunk=9)
    assert end.agreement.worst == name_of(problem, 17) == "b1[3]"
    assert end.agreement.error == pytest.approx(0.5)


def test_what_is_no_number_is_said_to_be_none(workers):
    problem = problem_of(SMALL)
    problem.parameters[30] = np.nan
    *_, end = race_distributed(workers, problem, chunk=20)
    assert end.state == "done"
    assert np.isnan(end.agreement.cosine)
    assert np.isnan(end.agreement.error)


def test_called_off_the_next_gradient_is_found(workers):
    statuses = race_distributed(workers, problem_of(LONG), chunk=100)
    some = next(one for one in statuses if one.done)
    statuses.close()
    assert some.done < LONG.parameters
    problem = problem_of(SMALL)
    assert (
        gradient(workers, problem, DISTRIBUTED_METHODS[0]).tobytes()
        == METHODS[DISTRIBUTED_METHODS[0]].gradient(problem).tobytes()
    )


def test_it_refuses_what_cannot_be_cut_and_takes_the_rest_upon_itself(workers):
    problem = problem_of(SMALL)
    with pytest.raises(UserError, match="evaluates many parameters at once"):
        race_distributed(workers, problem, "batched-difference")
    with pytest.raises(ValueError, match="the step must be positive"):
        race_distributed(workers, problem, step=-1.0)
    with pytest.raises(IndexError):
        fill_distributed(workers, DISTRIBUTED_METHODS[0], np.zeros(9), problem, np.array([SMALL.parameters]))
    out = np.zeros(SMALL.parameters)
    assert list(fill_distributed(workers, "backprop", out, problem)) == [1]
    assert out.tolist() == METHODS["backprop"].gradient(problem).tolist()


def test_a_problem_that_cannot_be_computed_is_a_line(workers):
    problem = replace(problem_of(SMALL), x=np.zeros((1, 9)))  # not what the network reads
    with pytest.raises(UserError) as told:
        list(fill_distributed(workers, DISTRIBUTED_METHODS[0], np.zeros(SMALL.parameters), problem))
    assert told.value.field == "workers"
    assert told.value.message.startswith("ValueError: x has shape (1, 9)")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_killed_or_stopped_is_replaced_and_named(how):
    problem, notes = problem_of(LONG), []
    out = np.zeros(LONG.parameters)
    with local_workers(2) as workers:
        workers.note = notes.append
        victim = next(iter(workers.threads))
        for made in fill_distributed(workers, "forward-difference", out, problem, chunk=200):
            if made > 2000 and how is not None:
                os.kill(pid := int(victim.split()[1]), how)
                how = None
        assert out.tobytes() == METHODS["forward-difference"].gradient(problem).tobytes()
        assert victim in notes[0]  # a busy machine may keep others waiting, too
        assert notes[0].endswith(" over")
        assert len(workers.threads.keys() - {victim}) >= 2
    assert gone(pid)


# --- workers that are imitated ----------------------------------------------------------------------------


class Imitation:
    """Workers of other machines that compute here, in no time, and misbehave as ``tricks`` say; after each look at
    them, a tenth of a second has passed. One of this machine, ``here``, comes on request."""

    field, wanted = "scheduler", 0

    def __init__(self, **tricks):
        self.tricks, self.threads = tricks, dict.fromkeys(tricks, 1)
        self.now, self.asked, self.notes, self.ended = 0.0, deque(), [], 0
        self.note = lambda line: self.notes.append((round(self.now, 1), line))
        self.local = lambda worker: worker == "here"
        self.warm_up = lambda worker: 0.0

    def begin(self, task):
        self.task = replace(task, number=7)
        return self.task

    def ask(self, worker, share):
        self.asked.append((worker, share))

    def end(self):
        self.ended += 1

    def reinforce(self):
        before, self.threads["here"] = "here" in self.threads, 1
        return not before

    def answers(self):
        self.now += 0.1
        found = []
        most = 1 if "slow" in self.tricks.values() else len(self.asked)
        for worker, share in [self.asked.popleft() for _ in range(min(most, len(self.asked)))]:
            values, seconds = computed(self.task, share)
            trick = self.tricks.get(worker, "honest")
            if trick == "gone":
                self.threads.pop(worker, None)
            elif trick == "fails":
                found.append(Failure(worker, share, "failed: MemoryError"))
            elif trick == "nan":
                found.append(Answer(worker, share, values * np.nan, seconds))
            elif trick != "silent":
                found.append(Answer(worker, share, values, seconds))
        return found


@pytest.mark.parametrize(
    ("tricks", "line"),
    [
        ({"a": "silent", "b": "honest"}, "no answer from a for 2 s; other workers take over"),
        ({"a": "silent", "b": "silent"}, "no answer from a, b for 2 s; this machine takes over"),
        ({"a": "gone", "b": "honest"}, "lost a; other workers take over"),
        ({"a": "gone"}, "lost a; this machine takes over"),
        ({"a": "fails", "b": "honest"}, "a failed: MemoryError; other workers take over"),
        ({"a": "fails"}, "a failed: MemoryError; this machine takes over"),
        ({"a": "nan"}, "a sent numbers that are not finite; other workers take over"),
    ],
)
def test_what_happens_to_workers_is_said_within_3_seconds_and_the_gradient_is_found(
    monkeypatch, tricks, line
):
    workers, problem = Imitation(**tricks), problem_of(SMALL, 4)
    monkeypatch.setattr(distributed, "monotonic", lambda: workers.now)
    found = gradient(workers, problem, "central-difference", chunk=9)
    assert found.tobytes() == METHODS["central-difference"].gradient(problem).tobytes()
    ((when, said),) = workers.notes
    assert said == line
    assert when < 3
    assert workers.ended == 1


def test_a_pause_of_ours_makes_no_worker_late(monkeypatch):
    workers, problem = Imitation(a="slow"), problem_of(SMALL, 4)
    monkeypatch.setattr(distributed, "monotonic", lambda: workers.now)
    out = np.zeros(SMALL.parameters)
    for _ in fill_distributed(workers, "forward-difference", out, problem, chunk=9):
        workers.now += 1000
    assert workers.notes == []
    assert out.tobytes() == METHODS["forward-difference"].gradient(problem).tobytes()


def test_while_nobody_asks_on_nothing_is_asked_for():
    workers, problem = Imitation(a="honest"), problem_of(SMALL)
    out = np.zeros(SMALL.parameters)
    places = np.arange(SMALL.parameters)
    found = filled_chunks(workers, DISTRIBUTED_METHODS[0], out, problem, places, chunk=5)
    next(part for part in found if len(part))
    assert len(workers.asked) == 0
    assert np.count_nonzero(out) <= 10
    found.close()
    assert workers.ended == 1


def test_where_nobody_is_left_and_nothing_can_be_started_it_fails():
    workers = Imitation(a="fails")
    workers.reinforce = lambda: False
    *_, end = race_distributed(workers, problem_of(SMALL))
    assert (end.state, end.why) == ("failed", "no workers are left")
    assert workers.ended == 1
