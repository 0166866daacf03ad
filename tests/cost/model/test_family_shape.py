"""Families: what is counted in the pattern is what the graph of each size has."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.accounting.ledger_findings import findings
from tui_backprop.cost.model.family_shape import FamilyShape
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import FixedShape, shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, passes_in_words, work
from tui_backprop.engine.frontends.conv.spec import ConvSpec
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
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


def test_the_ledger_counts_attention_and_convolution_by_hand():
    """Each product of parameters has a delta and a dW, each product of activations two deltas."""
    t, d, v = 16, 16, 27
    linear, attention = t * d * d, 2 * t * t * d
    rows = {row.kind: tuple(cost.macs for cost in row.costs) for row in ledger(GptSpec(), 1).layers}
    assert rows == {
        "embedding": (0, 0, 0),
        "attention 1": (4 * linear + attention, 4 * linear + 2 * attention, 4 * linear),
        "MLP 1": (8 * linear,) * 3,
        "output": (t * d * v,) * 3,
    }
    assert sum(forward for forward, _, _ in rows.values()) == 64_256

    conv1, conv2 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25
    dense = 400 * 120, 120 * 84, 84 * 10
    book = ledger(ConvSpec(), 1)
    found = [tuple(cost.macs for cost in row.costs) for row in book.layers]
    assert found == [(conv1, 0, conv1), (conv2,) * 3, *((each,) * 3 for each in dense)]
    assert book.total.forward.macs == 416_520
    assert book.ratio == pytest.approx((416_520 * 3 - conv1) / 416_520)
    why = "Not 3x: conv 1 takes 28% of a forward pass, and needs no gradient of its input."
    assert why in [finding.text.written for finding in findings(book)]


def test_each_step_of_a_recurrent_network_multiplies_by_the_same_weights():
    book = ledger(RnnSpec(), 1)
    carried, output = 32 * 32, 16 * 32 * 27
    assert [row.forward.macs for row in book.layers] == [0, *[carried] * 15, output]
    assert book.ratio == 3


def test_where_copies_do_not_stack_the_batched_method_costs_what_the_naive_one_does():
    for spec in PRESETS:
        shape = shape_of(spec)
        assert work("batched", shape) == work("naive", shape)
        assert "do not stack" in passes_in_words(COST_METHODS["batched"], shape)
    assert passes_in_words(COST_METHODS["batched"], shape_of(NetworkSpec())) == COST_METHODS["batched"].about
