"""A NaN or an infinity is traced to the first number that was one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense import graph as network
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.nonfinite import first_nonfinite, nonfinite_forward
from tui_backprop.engine.network.program import Program
from tui_backprop.support.format import format_number

SPEC = NetworkSpec(
    (3, 4, 4, 4, 2), "relu", dtype="float32", layer_norm=True, residual=True, dropout=0.2, l2=0.1
)


def run(spec, change=lambda parameters: None, x=None, batch=2):
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=spec.parameters).astype(spec.dtype)
    change(spec.graph.views(parameters))
    program = Program(spec, batch, parameters)
    x = rng.normal(size=(batch, 3)).astype(spec.dtype) if x is None else x
    program.feed(x, np.array([0, 1]))
    program.draw(np.random.default_rng(1))
    program.forward()
    program.backward()
    return program


def put(name, index, value):
    def change(parameters):
        parameters[name][index] = value

    return change


def test_finite_numbers_are_none_of_its_business():
    assert first_nonfinite(run(SPEC)) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("name", "index"), [("W1", (2, 1)), ("b2", (3,)), ("γ2", (0,)), ("W4", (3, 1))])
def test_a_parameter_that_came_in_bad_is_named_itself(name, index, value):
    bad = first_nonfinite(run(SPEC, put(name, index, value)))
    assert (bad.value, bad.index, bad.op, bad.block) == (name, index, "", 0)
    assert bad.number == pytest.approx(value, nan_ok=True)
    shown = {np.inf: "∞", -np.inf: "−∞"}.get(value, "NaN")
    assert bad.why == f"{name}[{','.join(map(str, index))}] is {shown}: it was so before the forward pass"


def test_so_is_an_input():
    x = np.ones((2, 3), "float32")
    x[1, 2] = np.nan
    bad = first_nonfinite(run(SPEC, x=x))
    assert (bad.value, bad.index) == ("x", (1, 2))


def test_an_overflow_is_traced_to_the_operation_that_made_it_not_to_those_that_passed_it_on():
    spec = NetworkSpec((3, 4, 4, 2), "relu", dtype="float32")
    x = np.ones((2, 3), "float32")

    def change(parameters):
        parameters["W1"][:] = 1
        parameters["W2"][:] = 1
        parameters["W2"][:, 2] = 3e38

    program = run(spec, change, x)
    bad = first_nonfinite(program)
    assert (bad.op, bad.block, bad.value, bad.index) == ("matmul", 2, "u2", (0, 2))
    assert np.isinf(bad.number)
    a1 = np.maximum(x[0].astype(float) @ program.values["W1"] + program.values["b1"], 0)
    wanted = format_number(float(a1 @ program.values["W2"].astype(float)[:, 2]), sign=True)
    assert bad.brief == "u2[0,2] (z2 before its bias) is ∞: matmul in layer 2 overflows float32"
    assert bad.why == f"{bad.brief}; in float64 it is {wanted}, beyond 3.40e+38"


@pytest.mark.parametrize("sign", [1, -1])
def test_what_overflows_in_double_precision_names_its_range(sign):
    spec = NetworkSpec((3, 1, 2), "identity", dtype="float64", bias=False)
    bad = first_nonfinite(run(spec, put("W1", (slice(None), 0), sign * 1e308), np.ones((2, 3))))
    shown = "∞" if sign > 0 else "−∞"
    assert (
        bad.why
        == f"z1[0,0] is {shown}: matmul in layer 1 overflows float64, whose largest number is 1.80e+308"
    )


@pytest.mark.parametrize(("size", "beyond"), [(1.5e19, False), (3e19, True)])
def test_a_mean_within_the_range_whose_sum_is_not_is_told_from_one_beyond_it(size, beyond):
    spec = NetworkSpec((1, 1), "identity", "mse", dtype="float32", bias=False)
    program = Program(spec, 4, np.array([size], "float32"))
    program.feed(np.ones((4, 1), "float32"), np.zeros((4, 1), "float32"))
    assert np.isinf(program.forward())
    bad = nonfinite_forward(program)
    mean = float(np.float32(size)) ** 2
    assert (mean > float(np.finfo("float32").max)) == beyond
    shown = f"in float64 it is {format_number(mean, sign=True)}"
    assert bad.why.endswith(f"{shown}, beyond 3.40e+38" if beyond else shown)
    assert bad.cause.startswith("mean squared error in" if beyond else "a part of mean squared error in")


def test_nan_of_finite_numbers_is_put_down_to_a_part_that_overflows():
    spec = NetworkSpec((3, 2, 2), "identity", dtype="float32", layer_norm=True, bias=False)

    def change(parameters):
        parameters["W1"][:] = [[3e38, -3e38], [0, 0], [0, 0]]
        parameters["γ1"][:], parameters["β1"][:] = [5, 7], [1, 2]

    bad = first_nonfinite(run(spec, change, np.ones((2, 3), "float32")))
    assert bad.op == "layer normalization"
    assert np.isnan(bad.number)
    z = np.array([3e38, -3e38])
    n = (z - z.mean()) / np.sqrt(z.var() + 1e-5) * [5, 7] + [1, 2]
    wanted = format_number(float(n[bad.index[1]]), sign=True)
    assert bad.cause == "a part of layer normalization in layer 1 overflows float32"
    assert bad.details == f"; in float64 it is {wanted}"


def test_a_sum_that_overflows_only_with_the_bias_is_the_bias_add_s():
    spec = NetworkSpec((3, 4, 4, 2), "identity", dtype="float32")
    x = np.array([[1, 0, 0], [1, 0, 0]], "float32")

    def change(parameters):
        for name, array in parameters.items():
            array[...] = 0
            if name in ("W1", "b1"):
                array[..., 1] = 3e38

    bad = first_nonfinite(run(spec, change, x))
    assert (bad.op, bad.block, bad.value, bad.index) == ("bias add", 1, "z1", (0, 1))


def test_a_gradient_that_overflows_after_a_finite_loss_is_found_in_backward_order():
    spec = NetworkSpec((3, 4, 4, 2), "identity", dtype="float32")
    x = np.zeros((2, 3), "float32")

    def change(parameters):
        for name, array in parameters.items():
            array[...] = 1e30 if name in ("W2", "W3") else 0

    program = run(spec, change, x)
    program.values["W2"][:, 1] = -1e30
    program.values["W3"][:, 1] = -1e30
    program.forward()
    program.backward()
    assert np.isfinite(program.values["L"])
    bad = first_nonfinite(program)
    assert (bad.op, bad.block, bad.value) == ("matmul vjp", 2, "da1")


@pytest.mark.parametrize(
    ("primitive", "spec", "op", "layer"),
    [
        ("LAYER_NORM", SPEC, "layer normalization", 1),
        ("DROPOUT", SPEC, "dropout", 1),
        ("RESIDUAL_ADD", SPEC, "residual add", 2),
        ("L2_PENALTY", SPEC, "L2 penalty", 4),
    ],
)
def test_any_operation_that_makes_a_bad_number_is_named(monkeypatch, primitive, spec, op, layer):
    right = getattr(network, primitive)

    def forward(y, *arguments):
        right.forward(y, *arguments)
        y.flat[-1] = np.nan

    network.graph_of.cache_clear()
    monkeypatch.setattr(network, primitive, replace(right, forward=forward))
    bad = first_nonfinite(run(spec))
    monkeypatch.undo()
    network.graph_of.cache_clear()
    assert (bad.op, bad.block) == (op, layer)


def test_asking_changes_nothing():
    program = run(SPEC, put("W1", (2, 1), np.nan))
    before = {name: array.copy() for name, array in program.values.items()}
    for array in program.values.values():
        array.setflags(write=False)
    first_nonfinite(program)
    for name, array in program.values.items():
        np.testing.assert_array_equal(array, before[name])
