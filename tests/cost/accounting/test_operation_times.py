"""Times of single operations: each rule of a pass, as a pass runs it. The clock of these tests is not a real one."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from tui_backprop.cost.accounting import operation_times
from tui_backprop.cost.accounting.operation_times import LEAST_ROUNDS, MOST_ROUNDS, Timing, time_operations
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training.iteration import TrainingState, Update, feed, run_iteration

EVERYTHING = NetworkSpec(
    (4, 5, 5, 3), "gelu,silu", dtype="float64", layer_norm=True, residual=True, dropout=0.3, l2=0.1
)
NETWORKS = [
    NetworkSpec((3, 2)),
    NetworkSpec((1, 1, 1), "tanh", "mse", bias=False),
    EVERYTHING,
    NetworkSpec((6, *(4,) * 39, 2), "tanh", residual=True),
]
EACH = pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: f"{spec.depth} layers")


def taken_of(spec, batch=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, spec.layers[0])).astype(spec.dtype)
    target = rng.integers(spec.layers[-1], size=batch)
    target = (
        target
        if spec.loss == "cross-entropy"
        else rng.normal(size=(batch, spec.layers[-1])).astype(spec.dtype)
    )
    return run_iteration(spec, Update(x, target, 0.1), TrainingState(0, initial_parameters(spec)))


def clock(monkeypatch, tick):
    """Each look at the clock takes ``tick`` seconds."""
    ticks = count()
    monkeypatch.setattr(operation_times, "perf_counter", lambda: next(ticks) * tick)


@EACH
@pytest.mark.parametrize("batch", [1, 32])
def test_every_rule_of_the_walk_has_a_time_with_its_quartiles(spec, batch):
    found = time_operations(taken_of(spec, batch), 0.01)
    walk = [*spec.graph.forward_visits, *spec.graph.backward_visits]
    assert list(found.rules) == [(visit.op.output, visit.of) for visit in walk]
    for spread in found.rules.values():
        assert 0 <= spread.low <= spread.median <= spread.high < float("inf")


def test_what_is_only_handed_on_takes_no_time_and_everything_else_takes_some(monkeypatch):
    clock(monkeypatch, 1e-6)
    found = time_operations(taken_of(EVERYTHING))
    nothing = {rule for rule, spread in found.rules.items() if spread.median == 0}
    assert nothing == {("z1", 0), ("z2", 0), ("z3", 0), ("a2", 0), ("L1", 0), ("L2", 0), ("L", 0)}


@EACH
def test_what_is_timed_is_the_pass_itself(spec):
    iteration = taken_of(spec)
    program = Program(spec, iteration.batch, iteration.program.parameters)
    feed(program, iteration.tensor("x"), iteration.tensor("t"), iteration.before.t)
    visits = (*spec.graph.forward_visits, *spec.graph.backward_visits)
    calls = [operation_times._calls(program, visit) for visit in visits]
    operation_times._round(calls)
    operation_times._round(calls)  # a round may be repeated
    assert np.array_equal(program.gradient, iteration.program.gradient)
    assert program.values["L"] == iteration.loss
    if spec is EVERYTHING:  # a rule that is left out is missed
        program.gradient.fill(0)
        operation_times._round(calls[:-1])
        assert not np.array_equal(program.gradient, iteration.program.gradient)


@EACH
def test_timing_leaves_the_pass_as_it_was(spec):
    iteration = taken_of(spec)
    before = [array.copy() for array in iteration.program.arrays()]
    time_operations(iteration, 0.001)
    for array, was in zip(iteration.program.arrays(), before, strict=True):
        assert np.array_equal(array, was, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize(("tick", "rounds"), [(1e-12, MOST_ROUNDS), (1e-3, LEAST_ROUNDS), (1.0, 1)])
def test_slow_networks_are_timed_in_fewer_rounds(monkeypatch, tick, rounds):
    clock(monkeypatch, tick)
    assert time_operations(taken_of(NetworkSpec((3, 2))), 0.02).rounds == rounds


def test_the_time_of_all_operations_is_the_sum_of_theirs(monkeypatch):
    clock(monkeypatch, 1e-6)
    found = time_operations(taken_of(NetworkSpec((3, 4, 2), "tanh")))
    assert isinstance(found, Timing)
    outputs = ("u1", "z1", "a1", "u2", "z2", "L")
    assert found.forward() == pytest.approx(sum(map(found.forward, outputs))) == pytest.approx(6e-6)
    # dW of both layers and da; db of both; δ of the hidden layer and of the outputs
    assert found.backward() == pytest.approx(sum(map(found.backward, outputs))) == pytest.approx(7e-6)
    assert found.backward("u2") == pytest.approx(2e-6)


def test_a_pass_of_numbers_that_are_none_is_timed_without_a_warning():
    spec = NetworkSpec((3, 4, 2), "tanh", dtype="float64")
    iteration = run_iteration(
        spec,
        Update(np.full((1, 3), np.nan), np.zeros(1, int), 0.1),
        TrainingState(0, initial_parameters(spec)),
    )
    with np.errstate(all="raise"):
        assert time_operations(iteration, 0.001).forward() > 0
