"""Numerical methods are timed as they run; batches stand for the whole work of the batched method."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cost.networks import SPECS
from tui_backprop.cost.measure.passes import LEAST_SHARE, _measured
from tui_backprop.cost.measure.runs import MANY, MOST_BATCHES, Passes, _sampled, passes_of, weights_of
from tui_backprop.cost.measure.timing import TimedRun, Timing
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import stacked, stacked_at_once, stacked_cost
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.program import Program

LARGE = [
    NetworkSpec(),
    NetworkSpec((20, 990, 990, 1), "tanh", "mse"),  # a fiftieth of the parameters has half of the work
    NetworkSpec((784, *[215] * 20, 10)),
    NetworkSpec((784, 1258, 10), bias=False),
    NetworkSpec((2, 30_000, 1), loss="binary-cross-entropy", layer_norm=True),
]


@pytest.mark.parametrize("spec", LARGE, ids=lambda spec: str(spec.layers[:4]))
def test_batches_stand_for_all_the_work_of_a_network(spec):
    shape = shape_of(spec)
    tensors, once = stacked(shape), stacked_at_once(shape)
    found, count = _sampled(spec, 32)
    slices = list(spec.graph.slices.values())
    of = [next(i for i, each in enumerate(slices) if batch[0] < each.stop) for batch in found]
    sizes = [len(range(spec.parameters)[each]) for each in slices]
    assert all(
        slices[i].start <= batch[0] <= batch[-1] < slices[i].stop for i, batch in zip(of, found, strict=True)
    )
    assert [len(batch) for batch in found] == [min(once, sizes[i]) for i in of]
    costs = [stacked_cost(shape, each) for each in tensors]
    whole = sum(each.passes * cost for each, cost in zip(tensors, costs, strict=True))
    assert sum(costs[i] for i in of) / count == pytest.approx(whole / spec.parameters)
    assert 32 <= len(found) <= MOST_BATCHES
    shares = [each.passes * cost / whole for each, cost in zip(tensors, costs, strict=True)]
    for i, share in enumerate(shares):
        assert share * len(found) - 1.01 < of.count(i) < share * len(found) + 1.01


def test_where_passes_are_short_there_are_as_many_as_take_as_long_as_their_start():
    shallow, deep = (len(_sampled(spec, 8)[0]) for spec in (LARGE[3], LARGE[2]))
    assert 100 < shallow < MOST_BATCHES
    assert deep < 20


@pytest.mark.parametrize("spec", SPECS[:3], ids=lambda spec: str(spec.layers))
def test_the_method_runs_with_the_batches_of_a_large_network_and_all_parameters_of_a_small_one(spec):
    found = passes_of(spec, weights_of(spec), ["batched"])["batched"]
    found.run.run()
    assert found.start is not None
    assert found.of_start == -found.of_run
    assert 0 < found.of_run < 1
    assert type(found.of_run) is float  # for a file of JSON
    small = passes_of(few := NetworkSpec((5, 4, 3)), weights_of(few), ["batched"])["batched"]
    assert (small.of_run, small.start) == (1 / (few.parameters + 1), None)


def test_a_start_is_no_part_of_the_passes_after_it():
    timing = Timing(1.0, 1.2, 1.5, 9, 1.0)
    passes = Passes(TimedRun(lambda: None), 1 / 100, TimedRun(lambda: None), -1 / 100)
    found = _measured("batched", shape_of(NetworkSpec()), timing, passes, 0.2)
    assert (found.low, found.middle, found.high) == pytest.approx((0.008, 0.01, 0.013))
    disturbed = _measured("batched", shape_of(NetworkSpec()), timing, passes, 2.0)  # longer than all of it
    assert disturbed.middle == pytest.approx(LEAST_SHARE * 1.2 / 100)
    assert disturbed.low <= disturbed.middle <= disturbed.high


ONE_BY_ONE = [row for row in COST_METHODS.values() if row.kind in ("naive", "central", "complex", "jvp")]


@pytest.fixture
def evaluations(monkeypatch):
    """Count forward passes and JVPs."""
    seen = []
    for owner, name in ((Program, "forward"), (ForwardMode, "push")):
        whole = getattr(owner, name)
        counted = lambda self, *given, whole=whole, name=name: seen.append(name) or whole(self, *given)  # noqa: E731
        monkeypatch.setattr(owner, name, counted)
    return seen


@pytest.mark.parametrize("row", ONE_BY_ONE, ids=lambda row: row.kind)
def test_runs_and_start_together_make_every_evaluation_of_the_method_itself(row, evaluations):
    """A run is the next parameter, as the method takes it; after the last one it begins anew."""
    spec = NetworkSpec((4, 3, 2), "tanh")
    passes = passes_of(spec, weights_of(spec), [row.kind])[row.kind]
    count = METHODS[row.engine_method].count
    assert passes.start is not None
    passes.start.run()
    assert len(evaluations) >= count(0, 1)
    for _ in range(3):  # times through all parameters: after the last one the method begins anew
        passes.run.run()
        each = set()
        for _ in range(spec.parameters - 1):
            evaluations.clear()
            passes.run.run()
            each.add(len(evaluations))
        assert each == {count(1, 1) - count(0, 1)}
        if count(0, 1):  # the first run was without a parameter
            passes.run.run()
    whole = row.passes(spec.parameters)
    assert whole == count(spec.parameters, 1)
    assert passes.of_run * whole == pytest.approx(spec.parameters)
    assert passes.of_start * whole == pytest.approx(1)


def test_the_whole_of_a_method_takes_its_start_and_a_run_for_each_parameter():
    spec = NetworkSpec((4, 3, 2), "tanh")  # 23 parameters
    timing = Timing(1.0, 1.2, 1.5, 9, 1.0)
    for row in ONE_BY_ONE:
        passes = passes_of(spec, weights_of(spec), [row.kind])[row.kind]
        found = _measured(row.kind, shape_of(spec), timing, passes, 10.0)
        assert row.passes(spec.parameters) * found.middle == pytest.approx(10.0 + 1.2 * spec.parameters)


def test_the_start_of_a_method_is_no_part_of_a_large_network():
    spec = NetworkSpec((200, 200, 2))
    assert spec.parameters > MANY
    assert passes_of(spec, weights_of(spec), ["naive"])["naive"].start is None


def test_spsa_is_timed_with_drawing_its_signs(monkeypatch):
    spec, drawn = NetworkSpec((4, 3, 2)), []
    passes = passes_of(spec, weights_of(spec), ["spsa"])["spsa"]
    generator = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: drawn.append(seed) or generator(seed))
    passes.run.run()
    assert drawn.count(0) == 1
    assert passes.of_run == 1 / 2
