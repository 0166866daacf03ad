"""Families: what is counted in the pattern is what the graph of each size has."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from tui_backprop.cost.model.family_shape import FamilyShape
from tui_backprop.cost.model.network_shape import FixedShape, shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, work
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.gpt.spec import GptSpec
from tui_backprop.engine.frontends.rnn.spec import RnnSpec

PRESETS = [GptSpec(), ConvSpec(), RnnSpec()]
SPECS = [
    *PRESETS,
    GptSpec(norm="layer", activation="gelu", tied=True, depth=3, heads=2, width=8, vocabulary=5),
    GptSpec(depth=2, heads=1, width=1, context=1),
    ConvSpec((3, 4, 5), kernel=(3,), padding=(1,), pooling="average", batch_norm=True, dense=()),
    ConvSpec((7, 7), dense=(7,), activation="tanh", input_gradient=True, dtype="float64"),
    RnnSpec(hidden=9, context=3),
    RnnSpec(hidden=3, context=2, vocabulary=3),
    RnnSpec(hidden=16, context=7, activation="relu"),
]
GROWN = [spec.family.grown(factor) for spec in PRESETS for factor in (0.4, 2.0, 5.0)]


@pytest.mark.parametrize("spec", [*SPECS, *GROWN], ids=str)
def test_the_pattern_counts_what_the_graph_of_the_network_has(spec):
    shape, graph = shape_of(spec), FixedShape(spec)
    assert isinstance(shape, FamilyShape)
    assert shape.parameters == spec.parameters
    assert shape.counted_ratio == pytest.approx(graph.counted_ratio, rel=1e-12)
    for kind in PASS_KINDS:
        found, true = work(kind, shape), work(kind, graph)
        for field in fields(true):
            assert getattr(found, field.name) == pytest.approx(getattr(true, field.name), rel=1e-9), (
                kind,
                field.name,
            )


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.frontend)
@pytest.mark.parametrize("parameters", [1e3, 4e4, 1e8, 1e12])
def test_there_is_one_of_any_size(spec, parameters):
    shape = shape_of(spec).at(parameters)
    assert shape.parameters == pytest.approx(parameters, rel=1e-9)
    assert all(size > 0 for size in list(shape.sizes.values())[:-1])
    for kind in PASS_KINDS:
        does = work(kind, shape)
        assert min(getattr(does, field.name) for field in fields(does)) >= 0
        assert does.calls > 0


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.frontend)
def test_larger_ones_have_whole_sizes_without_the_bounds_of_what_a_user_writes(spec):
    assert shape_of(spec).whole == spec.changed(init="he")
    for parameters in (1e3, 1e5, 1e9):
        whole = shape_of(spec).at(parameters).whole
        assert 0.4 < shape_of(whole).parameters / parameters < 2.5
        assert shape_of(whole).whole == whole.changed(init="he")
        assert replace(whole, seed=1).frontend == spec.frontend


def test_a_gpt_grows_about_as_gpt_3_did():
    gpt3 = shape_of(GptSpec(width=768, depth=12, heads=12)).at(175e9).whole
    assert (gpt3.depth, gpt3.width, gpt3.heads) == (81, 13450, 50)
    assert gpt3.width % gpt3.heads == 0
    assert (gpt3.context, gpt3.vocabulary) == (16, 27)


def test_forward_and_backward_take_three_times_the_products_of_forward():
    """2x for each product of a parameter or of activations; the first convolution needs no gradient of its images."""
    assert [shape_of(spec).counted_ratio for spec in PRESETS] == pytest.approx([3, 2.717661, 3])
    assert shape_of(ConvSpec()).at(1e12).counted_ratio == pytest.approx(3, rel=1e-4)
    assert shape_of(ConvSpec(input_gradient=True)).counted_ratio == 3


def test_products_of_activations_are_products():
    """QKᵀ and AV read no parameter, and take 2 · T · T · width FLOPs each; values are no part of them."""
    spec = GptSpec()
    does, longer = work("forward", shape_of(spec)), work("forward", shape_of(replace(spec, context=32)))
    assert does.flops - does.elementwise == 2 * 64_256 + 16 * 16  # P is added: a matrix of parameters
    attention = 2 * 2 * 16 * 32**2
    linear = 2 * 32 * (12 * 16**2 + 16 * 27)
    assert longer.multiplied == 8 * (attention + linear - 2 * (12 * 16**2 + 16 * 27))
