"""The closed form of how much work a pass is, against the table of primitives."""

from __future__ import annotations

import pytest

from tui_backprop.cost.work import KINDS, Shape, shape_of, work
from tui_backprop.engine.ledger import ledger
from tui_backprop.engine.spec import NetworkSpec, backprop_ratio

SPECS = [
    NetworkSpec(),
    NetworkSpec((784, 1000, 10)),
    NetworkSpec((64, 128, 128, 128, 128, 10)),
    NetworkSpec((500, 10), dtype="float64"),
    NetworkSpec((300, 200, 100, 10), bias=False),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_operations_are_those_of_the_program_but_for_small_change(spec):
    forward, delta, dw = ledger(spec, 1).total.shares
    shape = shape_of(spec)
    assert work("forward", shape).flops == pytest.approx(forward.flops, rel=0.05)
    assert work("backprop", shape).flops == pytest.approx(forward.flops + delta.flops + dw.flops, rel=0.05)
    ratio = work("backprop", shape).flops / work("forward", shape).flops
    assert ratio == pytest.approx(backprop_ratio(spec), rel=1e-12)
    assert round(shape.parameters) == spec.parameters


def test_a_pass_reads_every_weight_once_and_backprop_writes_a_gradient_for_each():
    for spec in SPECS:
        shape, size = shape_of(spec), {"float32": 4, "float64": 8}[spec.dtype]
        assert work("forward", shape).read == size * spec.weights
        assert work("backprop", shape).written == size * spec.weights
        first = spec.layers[0] * spec.layers[1]
        assert work("backprop", shape).read == size * (2 * spec.weights - first)
        assert work("complex", shape).read == 2 * size * spec.weights


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("parameters", [1.0, 17.0, 1e3, 335_114.0, 1e6, 1e12])
def test_a_shape_is_scaled_to_any_size(spec, parameters):
    shape = shape_of(spec).at(parameters)
    assert shape.parameters == pytest.approx(parameters, rel=1e-9)
    assert shape.depth == spec.depth
    for kind in KINDS:
        does = work(kind, shape)
        assert does.flops >= 0
        assert does.calls > 0
        assert does.touched > 0


def test_input_and_output_stay_as_long_as_that_is_possible():
    shape = shape_of(NetworkSpec())
    assert shape.at(1e9).widths[0] == 784
    assert shape.at(1e9).widths[-1] == 10
    assert shape.at(335_114.0).widths == pytest.approx(shape.widths)
    assert shape.at(5.0).widths[0] < 784
    assert Shape((3.0, 4.0)).at(1e6).widths[0] > 100  # there is nothing else to widen


def test_many_parameters_at_once_share_what_they_read():
    shape = shape_of(NetworkSpec((784, 256, 256, 10)))
    does = work("batched", shape)
    assert does.flops < work("forward", shape).flops
    after = {1: 256 * 256 + 2560, 2: 2560, 3: 0}
    weights = {1: 784 * 256, 2: 256 * 256, 3: 2560}
    assert does.flops == pytest.approx(2 * sum(weights[k] * after[k] for k in after) / sum(weights.values()))


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        work("guess", shape_of(NetworkSpec()))
