"""Saved measurements of families: as they were, beside those of dense networks, and nothing impossible."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.cost.machines import machine, true_seconds
from tui_backprop.cost.measure import cache
from tui_backprop.cost.measure.passes import alike, ladder_of
from tui_backprop.cost.measure.sweep import plan
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec

PRESETS = [GptSpec(), ConvSpec(), RnnSpec()]
GIB = 2**30


def measured(spec, *sizes):
    """Return the passes of a simulated machine."""
    shapes = [shape_of(spec), *(shape_of(shape_of(spec).at(size).whole) for size in sizes)]
    times = [(kind, shape, true_seconds(kind, shape)) for shape in shapes for kind in ("forward", "backprop")]
    return CostModel(tuple(Measured(kind, shape, t, t, t, 9) for kind, shape, t in times), machine().probe)


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.frontend)
def test_measurements_are_found_as_they_were(spec, tmp_path):
    model = measured(spec, 1e3, 1e6, 1e9)
    assert cache.store(model, tmp_path)
    found = cache.load(tmp_path)
    assert found.probe == model.probe
    assert sorted(found.points, key=repr) == sorted(model.points, key=repr)


def test_each_kind_of_network_is_kept_beside_the_others(tmp_path):
    for model in (machine(), measured(GptSpec()), measured(ConvSpec(), 1e5), measured(GptSpec())):
        assert cache.store(model, tmp_path)
    found = cache.load(tmp_path)
    assert {*alike(found, NetworkSpec()).points} == {*machine().points}
    assert {*alike(found, ConvSpec(seed=3)).points} == {*measured(ConvSpec(), 1e5).points}
    assert len(alike(found, GptSpec(width=32)).points) == 2
    assert alike(found, RnnSpec()).points == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"width": -1}, {"width": "16"}, {"width": [16]}, {"width": 10**17}, {"width": 10**30}, {"depth": 10**7},
        {"heads": 3}, {"init": "zzz"}, {"init": 3}, {"tied": 1}, {"more": 1}, {"context": {}}, {"seed": 0.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_network_that_cannot_have_been_measured_makes_the_file_as_good_as_none(damage, tmp_path):
    cache.store(measured(GptSpec()), tmp_path)
    file = tmp_path / cache.NAME
    content = json.loads(file.read_text())
    content["families"][0]["settings"].update(damage)
    file.write_text(json.dumps(content))
    assert cache.load(tmp_path) is None
    content["families"][0]["settings"] = GptSpec().settings
    file.write_text(json.dumps(content))
    assert cache.load(tmp_path) is not None
    content["families"][0]["frontend"] = "expression"
    file.write_text(json.dumps(content))
    assert cache.load(tmp_path) is None


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.frontend)
def test_a_sweep_is_of_the_family_and_its_ladder_is_short(spec):
    specs = plan(spec, GIB)
    assert spec in specs
    sizes = [one.parameters for one in specs]
    assert sizes == sorted(set(sizes))
    assert sizes[0] < 2e3
    assert sizes[-1] > 5e6  # bytes for one network, not for many at once: copies do not stack
    assert {one.frontend for one in (*specs, *ladder_of(spec))} == {spec.frontend}
    assert {one.dtype for one in specs} == {spec.dtype}
    assert [one.parameters < 6e5 for one in ladder_of(spec)] == [True] * 3
    assert replace(spec, seed=5) in plan(replace(spec, seed=5), GIB)
