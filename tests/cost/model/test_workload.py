"""The work of a pass in closed form, against the table of primitives."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tui_backprop.cost.accounting.ledger import ledger
from tui_backprop.cost.model.workload import PARAMETERS_A_PASS, PASS_KINDS, NetworkShape, shape_of, work
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import views
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.spec import NetworkSpec, backprop_ratio
from tui_backprop.engine.primitives import linear

SPECS = [
    NetworkSpec(),
    NetworkSpec((784, 1000, 10)),
    NetworkSpec((64, 128, 128, 128, 128, 10)),
    NetworkSpec((500, 10), dtype="float64"),
    NetworkSpec((300, 200, 100, 10), bias=False),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_operations_are_close_to_those_of_the_program(spec):
    forward, delta, dw = ledger(spec, 1).total.costs
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
    for kind in PASS_KINDS:
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
    assert NetworkShape((3.0, 4.0)).at(1e6).widths[0] > 100  # there is nothing else to widen
    assert shape.at(5.0).widths[-1] < 10


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


# --- against what the methods really run --------------------------------------------------------------------


def counting(monkeypatch):
    """Count multiply-accumulates of matrix products as they run."""
    macs = []

    def dot(a, b, out):
        if a.ndim == b.ndim == 2:  # a bias adds up samples by a product with a vector of ones
            macs.append(a.shape[0] * a.shape[1] * b.shape[1])
        return np.dot(a, b, out=out)

    def matmul(a, b, out):
        macs.append(out.size * a.shape[-1])
        return np.matmul(a, b, out=out)

    monkeypatch.setattr(linear, "np", SimpleNamespace(**{**vars(np), "dot": dot, "matmul": matmul}))
    return macs


SMALL = [
    NetworkSpec((7, 5, 6, 3), "tanh", bias=False, dtype="float64"),
    NetworkSpec((2, 9, 4), "tanh", bias=False, dtype="float64"),
    NetworkSpec((6, 4), bias=False, dtype="float64"),
]
BASES = {"forward-mode": 1, "batched-difference": 2}  # passes made once, for all parameters


@pytest.mark.parametrize("spec", SMALL, ids=str)
@pytest.mark.parametrize(
    ("method", "kind", "each"),
    [
        ("forward-mode", "jvp", 1),
        ("batched-difference", "batched", 1),
        ("central-difference", "forward", 2),
        ("complex-step", "complex", 1 / 4),  # a complex product takes four real ones
    ],
)
def test_a_method_runs_as_many_products_for_a_parameter_as_its_pass_has(
    monkeypatch, spec, method, kind, each
):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, spec.layers[0])), rng.normal(size=spec.parameters)
    macs = counting(monkeypatch)
    METHODS[method].gradient(Problem(spec, x, np.array([1]), w), None, Options(at_once=1))
    really = sum(macs) - BASES.get(method, 0) * spec.weights
    assert really / spec.parameters == pytest.approx(each * work(kind, shape_of(spec)).flops / 2, rel=1e-12)


@pytest.mark.parametrize("spec", SMALL, ids=str)
def test_what_a_method_reads_is_one_number_for_each_product_of_a_vector(spec):
    shape = shape_of(spec)
    for kind in ("forward", "jvp"):
        assert work(kind, shape).read == 8 * work(kind, shape).flops / 2
        assert (work(kind, shape).written, work(kind, shape).touched) == (0, work(kind, shape).read)
    does = work("complex", shape)
    assert (does.read, does.written, does.touched) == (16 * spec.weights, 0, 16 * spec.weights)
    does = work("backprop", shape)
    assert does.touched == 2 * 8 * spec.weights  # weights and their gradients
    does = work("batched", shape)
    assert does.read == pytest.approx(8 * does.flops / 2 / PARAMETERS_A_PASS)
    assert (does.written, does.touched) == (0, 8 * spec.weights)


@pytest.mark.parametrize("layers", [(5, 3), (4, 5, 5, 2), (3,) * 12], ids=str)
def test_calls_are_about_those_of_the_program(layers):
    spec = NetworkSpec(layers, "tanh")
    program = Program(spec, 1)
    assert work("forward", shape_of(spec)).calls == len(program._forward)
    assert work("complex", shape_of(spec)).calls == len(program._forward)
    assert work("backprop", shape_of(spec)).calls == len(program._forward) + len(program._backward) + 1
    tangents = ForwardMode(program, views(np.zeros(spec.parameters, np.float32), spec))
    assert work("jvp", shape_of(spec)).calls == pytest.approx(len(tangents._calls), rel=0.25)
    assert work("batched", shape_of(spec)).calls == len(program._forward) / PARAMETERS_A_PASS


def test_the_lessons_network_is_its_own_shape():
    shape = shape_of(NetworkSpec())
    assert (shape.weights, shape.parameters, shape.depth, shape.itemsize) == (334_336, 335_114, 4, 4)
    assert shape.each == (200_704, 65_536, 65_536, 2_560)
    assert shape_of(NetworkSpec(bias=False)).parameters == 334_336
    assert shape_of(NetworkSpec(dtype="float64")).itemsize == 8


@pytest.mark.parametrize("parameters", [1e5, 3.3e5, 1e9])
def test_hidden_layers_are_scaled_by_one_factor(parameters):
    shape = NetworkShape((784.0, 256.0, 128.0, 64.0, 10.0), 8, bias=False)
    scaled = shape.at(parameters)
    factor = scaled.widths[1] / 256
    assert scaled.widths == pytest.approx((784, 256 * factor, 128 * factor, 64 * factor, 10))
    assert (scaled.itemsize, scaled.bias) == (8, False)
