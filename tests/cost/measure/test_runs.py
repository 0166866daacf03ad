"""Batches that stand for the whole work of the batched method."""

from __future__ import annotations

import pytest

from tests.cost.networks import SPECS
from tui_backprop.cost.measure.passes import LEAST_SHARE, _measured
from tui_backprop.cost.measure.runs import MOST_BATCHES, _sampled, passes_of, weights_of
from tui_backprop.cost.measure.timing import Timing
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import stacked, stacked_at_once, stacked_cost
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

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
    assert found.count > 1
    assert type(found.count) in (int, float)  # for a file of JSON
    small = passes_of(few := NetworkSpec((5, 4, 3)), weights_of(few), ["batched"])["batched"]
    assert (small.count, small.start) == (few.parameters + 1, None)


def test_a_start_is_no_part_of_the_passes_after_it():
    timing = Timing(1.0, 1.2, 1.5, 9, 1.0)
    found = _measured("batched", shape_of(NetworkSpec()), timing, 0.2, 100)
    assert (found.low, found.middle, found.high) == pytest.approx((0.008, 0.01, 0.013))
    disturbed = _measured("batched", shape_of(NetworkSpec()), timing, 2.0, 100)  # longer than all of it
    assert disturbed.middle == pytest.approx(LEAST_SHARE * 1.2 / 100)
    assert disturbed.low <= disturbed.middle <= disturbed.high
