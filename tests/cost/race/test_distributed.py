"""One numerical gradient over many processes: the same as on one, whatever happens to them."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from tests.cost.race.workers import LONG, SMALL, problem_of
from tests.waits import until
from tui_backprop.cost.race import distributed as spread
from tui_backprop.cost.race.dask_cluster import local
from tui_backprop.cost.race.distributed import (
    DISTRIBUTED_METHODS,
    fill_distributed,
    filled_chunks,
    race_distributed,
)
from tui_backprop.cost.race.race import name_of
from tui_backprop.engine.gradients.methods import METHODS, Options
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.support.errors import UserError

pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture(scope="module")
def cluster():
    with local(2) as made:
        yield made


def gradient(cluster, problem, method, **kind):
    out = np.zeros(problem.spec.parameters)
    made = list(fill_distributed(cluster, method, out, problem, **kind))
    assert made == sorted(made)
    assert made[-1] == METHODS[method].count(problem.spec.parameters, 1)
    return out


@pytest.mark.parametrize("chunk", [5, 64])
@pytest.mark.parametrize("method", DISTRIBUTED_METHODS)
def test_the_gradient_is_that_of_one_process_to_the_last_bit(cluster, method, chunk):
    problem = problem_of(SMALL, 4)
    found = gradient(cluster, problem, method, chunk=chunk)
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
def test_so_it_is_for_every_kind_of_network(cluster, spec, batch):
    problem = replace(problem_of(spec, batch), t=3)
    found = gradient(cluster, problem, "central-difference", chunk=11)
    assert found.tobytes() == METHODS["central-difference"].gradient(problem).tobytes()


def test_some_parameters_in_any_order_and_the_step_that_is_asked_for(cluster):
    problem, where = problem_of(SMALL), np.array([60, 3, 17, 44, 0])
    out = np.full(SMALL.parameters, 7.0)
    options = Options(step=1e-4)
    for _ in fill_distributed(cluster, "forward-difference", out, problem, where, options, chunk=2):
        pass
    expected = METHODS["forward-difference"].gradient(problem, where, options)
    assert out[where].tolist() == expected.tolist()
    assert (np.delete(out, where) == 7).all()
    assert list(fill_distributed(cluster, "forward-difference", out, problem, where[:0])) == []


def test_it_tells_how_it_stands(cluster):
    problem = problem_of(LONG)
    out = np.zeros(LONG.parameters)
    seen = list(race_distributed(cluster, problem, out=out))
    assert [seen[0].state, seen[-1].state] == ["starting", "done"]
    assert {one.state for one in seen[1:-1]} <= {"starting", "running"}
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert len({one.done for one in seen}) > 3  # chunks of a size that shows progress
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


def test_a_planted_error_is_named(cluster):
    problem = problem_of(SMALL)
    exact = METHODS["backprop"].gradient(problem)
    exact[17] += 0.5
    *_, end = race_distributed(cluster, problem, "complex-step", exact=exact, chunk=9)
    assert end.agreement.worst == name_of(problem, 17) == "b1[3]"
    assert end.agreement.error == pytest.approx(0.5)


def test_what_is_no_number_is_said_to_be_none(cluster):
    problem = problem_of(SMALL)
    problem.parameters[30] = np.nan
    *_, end = race_distributed(cluster, problem, chunk=20)
    assert end.state == "done"
    assert np.isnan(end.agreement.cosine)
    assert np.isnan(end.agreement.error)


def test_called_off_no_chunk_is_begun_any_more_and_the_next_gradient_is_found(cluster):
    standings = race_distributed(cluster, problem_of(LONG), chunk=100)
    some = next(one for one in standings if one.done)
    standings.close()
    assert some.done < LONG.parameters
    until(lambda: not any(cluster.client.processing().values()))
    problem = problem_of(SMALL)
    assert (
        gradient(cluster, problem, DISTRIBUTED_METHODS[0]).tobytes()
        == METHODS[DISTRIBUTED_METHODS[0]].gradient(problem).tobytes()
    )


def test_while_nobody_asks_on_it_pauses(cluster):
    problem = problem_of(LONG)
    out = np.zeros(LONG.parameters)
    found = filled_chunks(
        cluster, DISTRIBUTED_METHODS[0], out, problem, np.arange(LONG.parameters), chunk=100
    )
    next(part for part in found if len(part))
    until(lambda: not any(cluster.client.processing().values()))
    assert np.count_nonzero(out) <= 100
    found.close()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_more_than_its_chunks(cluster):
    problem = problem_of(LONG)
    out = np.zeros(LONG.parameters)
    pids = cluster.client.run(os.getpid)
    victim = pids.popitem()[1]
    killed = False
    for made in fill_distributed(cluster, "forward-difference", out, problem, chunk=500):
        if made > 2000 and not killed:
            os.kill(victim, signal.SIGKILL)
            killed = True
    assert killed
    assert out.tobytes() == METHODS["forward-difference"].gradient(problem).tobytes()
    until(lambda: len(cluster.client.nthreads()) == 2)  # another one took its place
    assert victim not in cluster.client.run(os.getpid).values()


def test_it_refuses_what_cannot_be_cut_and_takes_the_rest_upon_itself(cluster):
    problem = problem_of(SMALL)
    with pytest.raises(UserError, match="evaluates many parameters at once"):
        race_distributed(cluster, problem, "batched-difference")
    with pytest.raises(ValueError, match="the step must be positive"):
        race_distributed(cluster, problem, step=-1.0)
    with pytest.raises(IndexError):
        fill_distributed(cluster, DISTRIBUTED_METHODS[0], np.zeros(9), problem, np.array([SMALL.parameters]))
    out = np.zeros(SMALL.parameters)
    assert list(fill_distributed(cluster, "backprop", out, problem)) == [1]
    assert out.tolist() == METHODS["backprop"].gradient(problem).tolist()


def test_an_error_over_there_is_a_line_here(cluster):
    problem = replace(problem_of(SMALL), x=np.zeros((1, 9)))  # not what the network reads
    exact = np.zeros(SMALL.parameters)
    with pytest.raises(UserError) as told:
        list(fill_distributed(cluster, DISTRIBUTED_METHODS[0], exact.copy(), problem))
    assert told.value.field == "workers"
    assert told.value.message.startswith("ValueError: x has shape (1, 9)")


class Deserted:
    """A cluster whose workers went away for good."""

    field = "workers"

    def __init__(self):
        self.canceled = []

    threads = staticmethod(lambda: 0)
    submit = staticmethod(lambda *given: object())
    ready = staticmethod(lambda futures: [])

    def cancel(self, futures):
        self.canceled += futures


def test_where_no_worker_comes_back_it_fails(monkeypatch):
    monkeypatch.setattr(spread, "LONGEST_WITHOUT_WORKERS", 0)
    deserted = Deserted()
    *_, end = race_distributed(deserted, problem_of(SMALL))
    assert (end.state, end.why) == ("failed", "no workers for 0 s")
    assert len(deserted.canceled) == 3  # two chunks and the problem
