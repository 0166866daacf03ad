"""The work of a pass in closed form, against counts by hand, over all options of a network, and against real
passes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.calculus import products
from tests.cost.networks import SPECS
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.methods import COST_METHODS
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.work_rules import ROW_BYTES
from tui_backprop.cost.model.workload import CALLS_A_PARAMETER, PASS_KINDS, STARTS, STREAMED, work
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.program import Program

# Operations for each entry: of a function, and of its derivative; of a loss. An exponential counts as one.
ACTIVATION = {
    "relu": (1, 1), "leaky-relu": (4, 2), "elu": (4, 2), "gelu": (12, 10), "silu": (6, 4), "softplus": (4, 5),
    "tanh": (1, 2), "sigmoid": (5, 2), "identity": (0, 0),
}  # fmt: skip
LOSS = {"cross-entropy": 5, "binary-cross-entropy": 12, "mse": 3, "half-squares": 3}
OPTIONS = [
    dict(zip(("bias", "layer_norm", "residual", "dropout", "l2", "dtype"), values, strict=True))
    for values in product(
        (True, False), (False, True), (False, True), (0.0, 0.3), (0.0, 0.1), ("float32", "float64")
    )
]
EVERY = [
    NetworkSpec(layers, activation, loss, **options)
    for (layers, activation, loss), options in product(
        [
            ((4, 5, 5, 3), "gelu,relu", "cross-entropy"),
            ((3, 3, 7, 7, 1), "elu,silu,softplus", "mse"),
            ((6, 2), "relu", "half-squares"),
            ((2, 9, 4), "tanh", "binary-cross-entropy"),
        ],
        OPTIONS,
    )
] + [
    NetworkSpec((4, 5, 5, 3), name, loss, layer_norm=True, residual=True)
    for name, loss in product(ACTIVATION, LOSS)
]


def parameters_by_hand(spec):
    """Count weights and biases of each layer, and gains and shifts of each hidden one."""
    widths = spec.layers[1:]
    weights = sum(i * o for i, o in zip(spec.layers, widths, strict=False))
    return weights + spec.bias * sum(widths) + 2 * spec.layer_norm * sum(widths[:-1])


def hidden_by_hand(spec, k):
    """Count operations of hidden layer k = 1, 2, ... after its pre-activation, forward: (in all, after a
    normalization)."""
    width, residual = spec.layers[k], spec.residual and spec.layers[k - 1] == spec.layers[k]
    each = ACTIVATION[spec.activations[k - 1]][0] + bool(spec.dropout) + residual
    return width * (9 * spec.layer_norm + each), width * each


def forward_by_hand(spec, first=1):
    """Count operations of a forward pass from layer ``first`` on, with loss and penalties."""
    total = LOSS[spec.loss] * spec.layers[-1]
    for k in range(1, spec.depth + 1):
        i, o = spec.layers[k - 1], spec.layers[k]
        total += (2 * i * o + 2) * bool(spec.l2)
        if k >= first:
            total += 2 * i * o + spec.bias * o
            total += hidden_by_hand(spec, k)[0] if k < spec.depth else 0
    return total


def backward_by_hand(spec):
    """Count operations of a backward pass."""
    total = 2 * spec.layers[-1]
    for k in range(1, spec.depth + 1):
        i, o = spec.layers[k - 1], spec.layers[k]
        total += 2 * i * o * (1 + (k > 1)) + (2 * i * o + 1) * bool(spec.l2)
        if k < spec.depth:
            each = ACTIVATION[spec.activations[k - 1]][1] + 1 + bool(spec.dropout) + 9 * spec.layer_norm
            added = spec.residual and i == o and k > 1  # the gradient of what came in has two terms
            total += o * (each + added)
    return total


def values_by_hand(spec):
    """Count the numbers of the values of a forward pass, where a bias is added in place."""
    total = 1 + bool(spec.l2) * spec.depth
    for k in range(1, spec.depth + 1):
        residual = spec.residual and spec.layers[k - 1] == spec.layers[k]
        hidden = 1 + spec.layer_norm + bool(spec.dropout) + residual
        total += spec.layers[k] * (1 + (k < spec.depth) * hidden)
    return total


def batched_by_hand(spec):
    """Count operations of passes of what comes after the parameters of a tensor, up to 256 of them at once, and of
    two passes of the whole network; for one of the parameters or the unperturbed network."""
    p = parameters_by_hand(spec)
    once = min(p, 256)
    total = (1 + once) * forward_by_hand(spec)
    for k in range(1, spec.depth + 1):
        i, o = spec.layers[k - 1], spec.layers[k]
        later = forward_by_hand(spec, k + 1)
        whole, after_norm = hidden_by_hand(spec, k) if k < spec.depth else (0, 0)
        total += once * (math.ceil(i * o / once) + spec.bias * math.ceil(o / once)) * (whole + later)
        total += 2 * once * math.ceil(o / once) * spec.layer_norm * (k < spec.depth) * (after_norm + later)
    return total / (p + 1)


@pytest.mark.parametrize("layers", [(4, 5, 5, 3), (3, 3, 7, 7, 1), (6, 2), (2, 9, 4)], ids=str)
def test_operations_and_bytes_are_those_of_a_count_by_hand_with_every_option(layers):
    for spec in (spec for spec in EVERY if spec.layers == layers):
        shape, p, size = shape_of(spec), parameters_by_hand(spec), {"float32": 4, "float64": 8}[spec.dtype]
        weights, penalized = spec.weights, bool(spec.l2) * spec.weights
        gains = spec.layer_norm * sum(spec.layers[1:-1])
        assert shape.parameters == p == spec.parameters == len(Program(spec, 1).parameters), spec
        kinds = ("forward", "backprop", "complex", "jvp", "batched")
        forward, backprop, complex_, jvp, batched = (work(kind, shape) for kind in kinds)
        assert forward.flops == forward_by_hand(spec), spec
        assert backprop.flops == forward_by_hand(spec) + backward_by_hand(spec), spec
        assert complex_.flops == 4 * forward.flops
        assert batched.flops == pytest.approx(batched_by_hand(spec)), spec
        assert forward.read == complex_.read / 2 == size * (p + penalized)
        first = spec.layers[0] * spec.layers[1]
        summed = penalized  # the term of the penalty is read, the sum is written
        assert backprop.read == forward.read + size * (weights - first + gains + penalized + summed)
        assert (forward.written, backprop.written) == (0, size * (p + penalized + summed))
        assert (forward.tiled, backprop.tiled, jvp.multiplied) == (0, 0, 0)
        assert jvp.read == size * (p + weights - first + gains + 2 * penalized)
        once, held = min(p, 256) * values_by_hand(spec), p + values_by_hand(spec)
        touched = [forward.touched, backprop.touched, complex_.touched, jvp.touched, batched.touched]
        assert touched == [size * n for n in (held, 2 * held, 2 * held, 2 * held - first, once)]
        assert batched.multiplied == pytest.approx(size * (batched.flops - batched.elementwise))
        assert forward.flops - forward.elementwise == 2 * weights + bool(spec.l2) * (
            2 * weights + 2 * spec.depth
        )


def test_values_that_pass_through_a_small_network_are_counted_by_hand():
    shape = shape_of(NetworkSpec((2, 3, 1), loss="mse"))
    first, second = (2 + 3) + (3 + 3) + (3 + 3), (3 + 1) + (1 + 1) + (1 + 1 + 1)  # read and written
    forward = work("forward", shape).values
    assert forward == 4 * (first + second)
    assert work("complex", shape).values == 2 * forward
    assert 2 * forward < work("backprop", shape).values < 4 * forward
    assert forward < work("jvp", shape).values < 2 * forward


def test_rows_of_matrices_are_counted_and_the_shortest_as_if_they_were_longer():
    spec = NetworkSpec((1000, 200, 300, 2), "identity", bias=False)  # rows of 800, 1200 and 8 bytes
    short = 300 * 2 * 4 / ROW_BYTES
    forward, backprop, jvp = (work(kind, shape_of(spec)) for kind in ("forward", "backprop", "jvp"))
    assert (forward.rows_read, forward.rows_written) == (1000 + 200 + short, 0)
    assert backprop.rows_read == forward.rows_read + 200 + short
    assert backprop.rows_written == forward.rows_read
    assert jvp.rows_read == forward.rows_read + 200 + short


def test_gradients_of_the_largest_networks_stay_in_a_tile():
    below, from_there = (work("backprop", shape_of(NetworkSpec()).at(n * STREAMED)) for n in (0.999, 1.001))
    assert from_there.tiled == pytest.approx(below.written, rel=0.01)
    assert from_there.touched == pytest.approx(below.touched / 2, rel=0.01)
    assert (below.tiled, from_there.written) == (0, 0)
    assert (from_there.rows_written, from_there.rows_read) == (0, pytest.approx(below.rows_read, rel=0.01))


@pytest.mark.parametrize("layers", [(4, 5, 5, 3), (3, 3, 7, 7, 1), (6, 2), (2, 9, 4)], ids=str)
def test_calls_are_those_of_the_program_with_every_option(layers):
    for spec in (spec for spec in EVERY if spec.layers == layers):
        program, shape = Program(spec, 1), shape_of(spec)
        forward = len(program._forward)
        assert work("forward", shape).calls == forward
        per_parameter = CALLS_A_PARAMETER + STARTS["naive"] * forward / spec.parameters
        assert work("naive", shape).calls == pytest.approx(forward + per_parameter)
        half = CALLS_A_PARAMETER + STARTS["central"] * forward / spec.parameters / 2
        assert work("central", shape).calls == pytest.approx(forward + half)
        assert work("complex", shape).calls == pytest.approx(
            forward + CALLS_A_PARAMETER + STARTS["complex"] * forward / spec.parameters
        )
        assert work("backprop", shape).calls == len(program._forward) + len(
            program.backward_calls(spec.graph.backward_visits)
        )
        tangents = ForwardMode(program, spec.graph.views(np.zeros(spec.parameters, spec.dtype)))
        pushed = len(tangents._calls)
        per_parameter = CALLS_A_PARAMETER + STARTS["jvp"] * pushed / spec.parameters
        assert work("jvp", shape).calls == pytest.approx(pushed + per_parameter)


def test_a_normalized_network_has_its_gains_and_shifts_in_the_passes_of_every_method():
    shape, p = shape_of(SPECS[-1]), 2 * 128 + 128 + 2 * 128 + 128 + 1
    assert p == 769
    passes = {name: method.passes(shape.parameters) for name, method in COST_METHODS.items()}
    assert passes == {
        "naive": 770, "central": 1538, "complex": 769, "forward-mode": 769, "batched": 770, "spsa": 2, "backprop": 1,
    }  # fmt: skip
    forward = 2 * 2 * 128 + 128 + 9 * 128 + 128 + 2 * 128 + 1 + 12
    assert CostModel().operations("naive", shape) == 770 * forward
    plain = shape_of(replace(SPECS[-1], layer_norm=False))
    assert CostModel().operations("naive", plain) == 514 * (forward - 9 * 128)


def test_a_scaled_shape_has_the_work_of_the_network_with_these_sizes():
    """Also where a residual connection goes around hidden layers alone."""
    spec = NetworkSpec((7, 16, 16, 3), "gelu", layer_norm=True, residual=True, dropout=0.1, l2=0.1)
    wider = replace(spec, layers=(7, 40, 40, 3))
    scaled = shape_of(spec).at(wider.parameters)
    for kind in PASS_KINDS:
        assert work(kind, scaled).flops == pytest.approx(work(kind, shape_of(wider)).flops, rel=1e-9)


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        work("guess", shape_of(NetworkSpec()))


# --- against what the methods really run --------------------------------------------------------------------


SMALL = [
    NetworkSpec((7, 5, 6, 3), "tanh", bias=False, dtype="float64"),
    NetworkSpec((2, 9, 4), "tanh", bias=False, dtype="float64"),
    NetworkSpec((6, 4), bias=False, dtype="float64"),
]
BASES = {"forward-mode": 1, "batched-difference": 2}  # passes made once, for all parameters


@pytest.mark.parametrize("spec", SMALL, ids=str)
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize(
    "method", ["forward-mode", "batched-difference", "central-difference", "complex-step"]
)
def test_a_method_runs_as_many_products_for_a_parameter_as_its_pass_has(
    monkeypatch, spec, layer_norm, method
):
    spec = replace(spec, layer_norm=layer_norm)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, spec.layers[0])), rng.normal(size=spec.parameters)
    macs = products(monkeypatch)
    METHODS[method].gradient(Problem(spec, x, np.array([1]), w), None, Options(at_once=1))
    really = sum(macs) - BASES.get(method, 0) * spec.weights
    each = [i * o for i, o in zip(spec.layers, spec.layers[1:], strict=False)]
    after = [
        (n + 2 * layer_norm * width) * sum(each[k:])
        for k, (n, width) in enumerate(zip(each, [*spec.layers[1:-1], 0], strict=True), 1)
    ]
    expected = {
        "forward-mode": spec.parameters * (2 * spec.weights - each[0]),
        "batched-difference": sum(after),
        "central-difference": spec.parameters * 2 * spec.weights,
        "complex-step": spec.parameters * spec.weights,
    }
    assert really == expected[method]
