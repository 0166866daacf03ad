"""The shape of a network: what changes it, and how it is scaled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cost.networks import SPECS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, work
from tui_backprop.engine.frontends.dense.spec import NetworkSpec, backprop_ratio


@pytest.mark.parametrize("spec", [*SPECS, NetworkSpec((7, 5, 3), input_gradient=True)], ids=str)
def test_the_ratio_of_multiply_accumulates_is_that_of_the_network(spec):
    assert shape_of(spec).counted_ratio == pytest.approx(backprop_ratio(spec), rel=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("parameters", [1.0, 17.0, 1e3, 335_114.0, 1e6, 1e12])
def test_a_shape_is_scaled_to_any_size(spec, parameters):
    shape = shape_of(spec).at(parameters)
    assert shape.parameters == pytest.approx(parameters, rel=1e-9)
    weights = sum(i * o for i, o in zip(shape.widths, shape.widths[1:], strict=False))
    vectors = spec.bias * sum(shape.widths[1:]) + 2 * spec.layer_norm * sum(shape.widths[1:-1])
    assert weights + vectors == pytest.approx(parameters, rel=1e-9)
    assert shape.depth == spec.depth
    for kind in PASS_KINDS:
        does = work(kind, shape)
        assert does.flops >= 0
        assert does.calls > 0
        assert does.touched > 0


def test_options_that_change_the_work_make_another_shape_and_others_do_not():
    spec = NetworkSpec((4, 5, 5, 3))
    same = [{"seed": 3}, {"init": "zeros"}, {"activation": "relu,relu"}]
    assert all(shape_of(replace(spec, **change)) == shape_of(spec) for change in same)
    other = [
        {"bias": False}, {"layer_norm": True}, {"residual": True}, {"dropout": 0.1}, {"l2": 0.1},
        {"dtype": "float64"}, {"activation": "tanh"}, {"activation": "relu,tanh"}, {"loss": "mse"},
    ]  # fmt: skip
    shapes = {shape_of(replace(spec, **change)) for change in ({}, *other)}
    assert len(shapes) == 1 + len(other)
    rates = [replace(spec, dropout=rate, l2=strength) for rate, strength in ((0.1, 1.0), (0.9, 0.01))]
    assert shape_of(rates[0]) == shape_of(rates[1])


def test_input_and_output_stay_as_long_as_that_is_possible():
    shape = shape_of(NetworkSpec())
    assert shape.at(1e9).widths[0] == 784
    assert shape.at(1e9).widths[-1] == 10
    assert shape.at(335_114.0).widths == pytest.approx(shape.widths)
    assert shape.at(5.0).widths[0] < 784
    assert shape_of(NetworkSpec((3, 4))).at(1e6).widths[0] > 100  # there is nothing else to widen
    assert shape.at(5.0).widths[-1] < 10


def test_the_lessons_network_is_its_own_shape():
    shape = shape_of(NetworkSpec())
    assert (shape.weights, shape.parameters, shape.depth, shape.itemsize) == (334_336, 335_114, 4, 4)
    assert shape.each == (200_704, 65_536, 65_536, 2_560)
    assert shape_of(NetworkSpec(bias=False)).parameters == 334_336
    assert shape_of(NetworkSpec(dtype="float64")).itemsize == 8
    assert shape_of(NetworkSpec(layer_norm=True)).parameters == 335_114 + 2 * 3 * 256


@pytest.mark.parametrize("parameters", [1e5, 3.3e5, 1e9])
def test_hidden_layers_are_scaled_by_one_factor(parameters):
    shape = shape_of(NetworkSpec((784, 256, 128, 64, 10), dtype="float64", bias=False))
    scaled = shape.at(parameters)
    factor = scaled.widths[1] / 256
    assert scaled.widths == pytest.approx((784, 256 * factor, 128 * factor, 64 * factor, 10))
    assert (scaled.itemsize, scaled.pattern) == (8, shape.pattern)
