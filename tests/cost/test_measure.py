"""Measurements on this machine: of what, and sane; how fast is not a test's business."""

from __future__ import annotations

import math

import pytest

from tui_backprop.cost.measure import LADDER, LEAST, measure, measure_machine, quartiles, timings
from tui_backprop.engine.spec import NetworkSpec


@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec((2, 2, 1), "tanh", "mse"),
        NetworkSpec((784, 10)),
        NetworkSpec((1, 1), loss="half-squares", bias=False),
    ],
    ids=lambda spec: "-".join(map(str, spec.layers)),
)
@pytest.mark.parametrize("batch", [1, 4])
def test_a_measurement_is_positive_and_finite(spec, batch):
    point = measure(spec, 0.0, batch)
    assert point.parameters == spec.parameters
    for value in (point.forward, point.backprop):
        assert value > 0
        assert math.isfinite(value)
    assert point.spread >= 0


def test_a_machine_is_measured_at_the_ladder_and_at_the_network_in_hand():
    spec = NetworkSpec((5, 4, 3))
    machine = measure_machine(spec, 0.0)
    sizes = [point.parameters for point in machine.points]
    assert sizes == sorted([*(NetworkSpec(layers).parameters for layers in LADDER), spec.parameters])
    assert machine.measured(spec.parameters)
    assert machine.forward.seconds(10**9) >= machine.forward.seconds(10**6) > 0


def test_a_network_of_the_ladder_s_size_is_measured_once():
    machine = measure_machine(NetworkSpec(LADDER[0]), 0.0)
    assert len(machine.points) == len(LADDER)


def test_timings_are_at_least_a_few_however_long_a_run_takes():
    runs = []
    assert len(timings(lambda: runs.append(1), budget=0.0)) == LEAST
    assert len(runs) == LEAST + 1  # the first one warms up


def test_quartiles_are_runs():
    assert quartiles([5.0, 1.0, 4.0, 2.0, 3.0]) == (2.0, 3.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)
