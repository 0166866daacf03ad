"""The sweep, with a clock and timings of the test's own; and what it finds, kept between starts."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import tracemalloc
from dataclasses import replace

import pytest

from tests.cost.machines import PROBE, machine, true_seconds
from tui_backprop.cost.measure import cache, passes
from tui_backprop.cost.measure import sweep as sweep_module
from tui_backprop.cost.measure.again import with_points
from tui_backprop.cost.measure.bandwidth import probe
from tui_backprop.cost.measure.passes import (
    LADDER,
    LOOK,
    ROUNDS,
    kinds_of,
    ladder_of,
    measure,
    measure_machine,
    needs,
)
from tui_backprop.cost.measure.sweep import MEMORY_SHARE, Progress, checked, plan, sweep
from tui_backprop.cost.measure.timing import LEAST_RUNS
from tui_backprop.cost.model import cost_model as cost_model_module
from tui_backprop.cost.model.busy_machine import busy_points
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, STREAMED
from tui_backprop.cost.race.subprocess_generator import SubprocessGenerator
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.support.errors import UserError

GIB = 2**30
LESSON = NetworkSpec()


class Clock:
    """Time that passes only when something is measured."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def measure(self, spec, each, kinds):
        """As long as runs of each kind, and making the network, would take."""
        self.now += each * len(kinds) + 1e-8 * spec.parameters
        shape = shape_of(spec)
        return tuple(Measured(kind, shape, *[true_seconds(kind, shape)] * 3, 5) for kind in kinds)


def swept(budget=60.0, free=24 * GIB, spec=LESSON):
    clock = Clock()
    return list(sweep(spec, budget, free, clock, clock.measure, lambda most: PROBE))


def test_it_goes_from_a_thousand_parameters_to_a_billion_small_ones_first():
    found = swept()
    sizes = [step.now for step in found if step.now]
    assert sizes == sorted(sizes)
    assert sizes[0] < 1100
    assert 9e8 < sizes[-1] < 1.1e9
    assert LESSON.parameters in sizes
    unit = 784 + 10 + 2  # parameters that one unit more in each layer brings: sizes come no closer than that
    assert all(b / a < 3.3 or b - 3.3 * a < unit for a, b in itertools.pairwise(sizes))
    assert found[-1].done == found[-1].of == len(sizes)
    assert found[-1].now is None
    assert found[-1].ended == ""


def test_small_networks_are_measured_by_every_kind_of_pass_and_large_ones_forward_and_back():
    points = swept()[-1].cost_model.points
    assert {p.kind for p in points if p.parameters < 1e6} == set(PASS_KINDS)
    assert {p.kind for p in points if p.parameters > 1e8} == {"forward", "backprop"}


def test_a_budget_is_kept_and_what_was_found_until_then_stays():
    whole = swept()[-1]
    found = swept(budget=2.0)
    assert found[-1].ended == "time"
    assert found[-1].seconds <= 2.0 + 0.5
    assert 0 < len(found[-1].cost_model.points) < len(whole.cost_model.points)
    assert whole.seconds > 10


@pytest.mark.parametrize("free", [2**20, 100 * 2**20, GIB, 24 * GIB])
def test_no_network_takes_more_than_its_share_of_the_memory(free):
    specs = plan(LESSON, free)
    assert all(needs(spec, kinds_of(spec)) <= MEMORY_SHARE * free for spec in specs)
    assert max((spec.parameters for spec in specs), default=0) <= free / 8
    if free == 24 * GIB:
        assert specs[-1].parameters > STREAMED


@pytest.mark.parametrize("layers", [(2, 4, 1), (784, 40, 10), (784, 256, 256, 256, 10)])
def test_measuring_takes_no_more_memory_than_it_is_said_to_need(layers):
    spec = replace(LESSON, layers=layers)
    measure(spec, 0.0, kinds_of(spec))
    tracemalloc.start()
    try:
        measure(spec, 0.0, kinds_of(spec))
        assert tracemalloc.get_traced_memory()[1] <= needs(spec, kinds_of(spec)) + 6 * 2**20
    finally:
        tracemalloc.stop()


def test_networks_of_the_ladder_that_need_more_memory_than_there_may_be_are_not_measured(monkeypatch):
    measured = []
    monkeypatch.setattr(passes, "measure", lambda spec, budget, kinds: measured.append(spec) or ())
    measure_machine(LESSON, LOOK, most=20 * 2**20)
    assert [spec.layers for spec in measured] == list(LADDER[:3]) * ROUNDS


def test_a_sweep_is_of_networks_with_all_options_and_parameters_of_the_current_one():
    spec = replace(LESSON, dropout=0.5, l2=0.1, layer_norm=True, residual=True, activation="relu,gelu,tanh")
    specs = plan(spec, GIB)
    assert spec in specs
    assert all(replace(one, layers=spec.layers) == spec for one in specs)
    gains = {one.parameters - replace(one, layer_norm=False).parameters for one in specs}
    assert gains == {2 * sum(one.layers[1:-1]) for one in specs}


@pytest.mark.parametrize("budget", [0, -1, "nan", "soon", "inf"])
def test_a_budget_that_is_none_is_refused_in_a_line(budget):
    with pytest.raises(UserError) as refused:
        checked(budget)
    assert refused.value.field == "budget"


def test_it_stops_when_nobody_asks_any_more():
    clock = Clock()
    steps = sweep(LESSON, 60.0, GIB, clock, clock.measure, lambda most: PROBE)
    next(steps)
    next(steps)
    steps.close()
    assert clock.now < 2


def test_what_was_disturbed_in_the_middle_of_a_sweep_is_measured_again_at_its_end_within_the_budget():
    clock, measured_so_far, pauses = Clock(), [], []

    def measured(spec, each, kinds):
        busy = len(measured_so_far) in (3, 4, 5)
        measured_so_far.append(spec)
        points = clock.measure(spec, each, kinds)
        return (
            tuple(replace(p, middle=2 * p.middle, high=3 * p.high, share=0.4) for p in points)
            if busy
            else points
        )

    states = list(sweep(LESSON, 60.0, 24 * GIB, clock, measured, lambda most: PROBE, pauses.append))
    assert any(busy_points(state.cost_model.points) for state in states)
    assert not busy_points(states[-1].cost_model.points)
    assert len(pauses) == 1
    assert [state.now for state in states[:-1]][-1] < states[-1].cost_model.largest
    assert states[-1].cost_model.points == swept()[-1].cost_model.points


def test_a_machine_that_stays_busy_ends_a_sweep_in_its_budget_with_all_points_marked():
    clock = Clock()

    def measured(spec, each, kinds):
        return tuple(replace(p, share=0.3) for p in clock.measure(spec, each, kinds))

    *_, last = sweep(LESSON, 20.0, 24 * GIB, clock, measured, lambda most: PROBE, lambda seconds: None)
    assert len(busy_points(last.cost_model.points)) == len(last.cost_model.points)
    assert clock.now <= 20.0 + 2


def test_busy_points_and_points_taken_over():
    old, new = machine((1e3, 1e4)), machine((1e4, 1e5), noise=lambda i: 2.0)
    both = with_points(old, new.points)
    assert len(both.points) == 6
    shape = shape_of(LESSON).at(1e4)
    assert both.point("forward", shape).middle == new.point("forward", shape).middle
    wide = replace(new.points[0], high=9.0)
    assert busy_points(CostModel((wide, *new.points[1:]), PROBE).points) == (wide,)


# --- real measurements: of what, and sane; how fast is not a test's business --------------------------------


@pytest.mark.parametrize("layers", [(2, 2, 1), (784, 10), (5, 4, 3, 2)])
def test_every_kind_of_pass_is_measured(layers):
    spec = NetworkSpec(layers, "tanh", "mse")
    points = measure(spec, 0.0, tuple(PASS_KINDS))
    assert [p.kind for p in points] == list(PASS_KINDS)
    for point in points:
        assert point.parameters == spec.parameters
        assert 0 < point.low <= point.middle <= point.high < 10
        assert 0 <= point.share <= 1
        assert point.runs >= LEAST_RUNS


def test_a_streamed_network_is_measured_without_its_gradient(monkeypatch):
    monkeypatch.setattr("tui_backprop.cost.measure.runs.STREAMED", 1000)
    points = measure(NetworkSpec((784, 64, 10)), 0.0)
    assert [p.kind for p in points] == ["forward", "backprop"]


def test_a_machine_is_measured_at_the_ladder_and_at_the_network_in_hand():
    spec = NetworkSpec((5, 4, 3))
    cost_model = measure_machine(spec, 0.0)
    sizes = {p.parameters for p in cost_model.points}
    assert sizes == {*(NetworkSpec(layers).parameters for layers in LADDER), spec.parameters}
    again = measure_machine(NetworkSpec((6, 4, 3)), 0.0, cost_model)  # what was kept is not measured again
    assert len(again.points) == len(cost_model.points) + len(PASS_KINDS)
    assert set(cost_model.points) <= set(again.points)


def test_a_normalized_network_is_measured_beside_normalized_ones_and_not_with_the_points_of_others():
    spec = NetworkSpec((5, 4, 3), "tanh", layer_norm=True)
    cost_model = measure_machine(spec, 0.0, measure_machine(NetworkSpec((6, 4, 3)), 0.0))
    sizes = {p.parameters for p in cost_model.points}
    ladder = [
        i * o + o + 2 * o * (k < len(n) - 1)
        for n in LADDER
        for k, (i, o) in enumerate(itertools.pairwise(n), 1)
    ]
    assert sum(sizes) == sum(ladder) + spec.parameters
    assert {p.shape.pattern.layer_norm for p in cost_model.points} == {True}
    assert spec.parameters == 5 * 4 + 4 + 2 * 4 + 4 * 3 + 3 == 47
    assert cost_model.seconds("forward", shape_of(spec)).measured


def test_the_probe_finds_speeds_that_a_machine_can_have():
    found = probe(18)
    for speeds in (found.reading.bytes, found.writing.bytes, found.complex.bytes):
        assert len(speeds.sizes) == len(speeds.rates)
        assert list(speeds.sizes) == sorted(speeds.sizes)
        assert all(1e6 < rate < 1e14 for rate in speeds.rates)
        assert speeds.at(1) == pytest.approx(speeds.rates[0])
        assert speeds.at(1e15) == pytest.approx(speeds.rates[-1])


# --- kept between starts ------------------------------------------------------------------------------------


def test_what_was_found_comes_back(tmp_path):
    cost_model = machine()
    assert cache.load(tmp_path) is None
    assert cache.store(cost_model, tmp_path / "new" / "folder")
    assert cache.load(tmp_path / "new" / "folder") == cost_model
    assert os.listdir(tmp_path / "new" / "folder") == [cache.NAME]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "\x00\xff not json",
        lambda text: "[1, 2]",
        lambda text: text.replace('"format":5', '"format":99'),
        lambda text: text.replace('"format":5', '"format":"two"'),
        lambda text: text.replace('"numpy":"', '"numpy":"0.'),
        lambda text: text.replace('"middle":', '"middle":-'),
        lambda text: text.replace('"widths":[', '"widths":[1,'),
        lambda text: text.replace('"activation":"relu', '"activation":"rely'),
        lambda text: json.dumps({**json.loads(text), "points": []}),
        lambda text: re.sub(r'"widths":\[[^]]*', '"widths":[', text),
        lambda text: re.sub(r'"widths":\[[^]]*', '"widths":[1e308,1e308', text),
        lambda text: re.sub(r'"layers":\[[^]]*', '"layers":[7,9', text),
        lambda text: re.sub(r'"rates":\[[^]]*', lambda found: re.sub(r"[\d.]+", "1e-300", found[0]), text),
        lambda text: re.sub(r'"sizes":\[', '"sizes":[1e12,', text).replace('"rates":[', '"rates":[1e9,'),
        lambda text: re.sub(r'"(low|middle|high)":[^,}]*', r'"\1":1e300', text),
        lambda text: re.sub(r'"(low|middle|high)":[^,}]*', r'"\1":0.1', text, count=1),
        lambda text: re.sub(r'"runs":\d+', '"runs":0', text),
        lambda text: text.replace('"kind":"forward"', '"kind":"sideways"'),
        lambda text: json.dumps({**json.loads(text), "points": 99 * json.loads(text)["points"]}),
        lambda text: text[:-1] + ',"more":' + "[" * 100_000,
        lambda text: text + " " * 1_000_000,
        lambda text: json.dumps({**json.loads(text), "probe": {"reading": {"sizes": [], "rates": []}}}),
    ],
)
def test_a_file_that_is_not_to_be_trusted_is_as_good_as_none(tmp_path, damage):
    cache.store(machine(), tmp_path)
    file = tmp_path / cache.NAME
    file.write_text(damage(file.read_text()), encoding="latin-1")
    assert cache.load(tmp_path) is None
    assert cache.store(machine(), tmp_path)
    assert cache.load(tmp_path) == machine()


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_nobody_else_may_read_it(tmp_path, mask):
    folder = tmp_path / "new"
    before = os.umask(mask)
    try:
        assert cache.store(machine(), folder)
        folder.chmod(0o777)
        assert cache.store(machine(), folder)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / cache.NAME).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    assert not cache.store(machine(), tmp_path / "file")
    assert cache.load(tmp_path / "file") is None


# --- in a process of its own --------------------------------------------------------------------------------


def counted(many):
    yield from range(many)


def broken():
    yield 1
    raise ValueError("no more")


def everything(apart):
    found = []
    while not apart.over:
        found += apart.received(5.0)
    return found


def test_what_a_generator_yields_comes_from_another_process():
    with SubprocessGenerator(counted, 5) as apart:
        assert everything(apart) == [0, 1, 2, 3, 4]
        assert apart.why == ""


def test_an_error_there_is_reported_in_one_line():
    with SubprocessGenerator(broken) as apart:
        assert everything(apart) == [1]
        assert apart.why == "ValueError: no more"


def test_one_that_is_closed_or_killed_is_over():
    apart = SubprocessGenerator(counted, 10**9)
    apart.received(5.0)
    apart.close()
    apart.close()
    assert apart.over
    with SubprocessGenerator(counted, 10**9) as killed:
        killed.received(5.0)
        killed._process.kill()
        everything(killed)
        assert killed.why


def test_a_sweep_for_a_screen_adds_to_what_is_known_and_leaves_nothing_to_compute(monkeypatch):
    """Fitting takes as long as several keys: that belongs to the process of the sweep."""
    small = NetworkSpec((5, 4, 3))
    known = machine(sizes=(1e3, 1e4, 1e5, 1e6), kinds=tuple(PASS_KINDS))
    point = replace(known.points[0], shape=shape_of(small))
    progress = [
        Progress(0, 1, 35, CostModel((), PROBE), 0.0),
        Progress(1, 1, None, CostModel((point,), PROBE), 1.0),
    ]
    monkeypatch.setattr(sweep_module, "sweep", lambda spec: iter(progress))
    begun, found = (
        pickle.loads(pickle.dumps(each)).cost_model for each in sweep_module.sweep_onto(small, known)
    )
    alone = list(sweep_module.sweep_onto(small, None))[-1]
    assert alone.cost_model.points == (point,)
    assert begun.points == ()
    assert set(found.points) == {*known.points, point}
    monkeypatch.setattr(cost_model_module, "fit", None)  # what was not fitted yet, fails now
    for name in COST_METHODS:
        assert found.gradient(name, shape_of(small)).middle > 0
        assert found.gradient(name, shape_of(small).at(1e9)).middle > 0
    assert len(found.left_out) == 9


def test_networks_of_the_ladder_have_no_frozen_layers_which_they_may_not_have_at_all():
    found = ladder_of(NetworkSpec((4, 5, 5, 5, 3), frozen=(1, 3)))
    assert [spec.layers for spec in found] == [*LADDER]
    assert not any(spec.frozen for spec in found)
