"""Hessians and Jacobians against references that use other columns of the table of primitives."""

from __future__ import annotations

import random
from contextlib import contextmanager

import numpy as np
import pytest

from tests.calculus import problem as dense_problem
from tests.calculus import run
from tests.engine.frontends.expressions import Drawn, problem
from tests.engine.frontends.test_expression_random import absolute_terms
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec, VectorExpression
from tui_backprop.engine.gradients.branches import Branches
from tui_backprop.engine.gradients.hessian import MOST_PARAMETERS, HessianProduct, hessian
from tui_backprop.engine.gradients.jacobian import jacobian
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.primitives import ACTIVATIONS, ELEMENTWISE
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.render.draw.context import LINEAR, UTF8
from tui_backprop.report.second_order import hessian_text, jacobian_text
from tui_backprop.support.errors import InputError

TOLERANCE, STEP = 1e-10, 1e-100
EXPRESSIONS = 60
SPEC = ExpressionSpec("L = (tanh(w*x + b) - y)**2 + 0.1*w**2", "x:=0.5, y:=1, w=-0.3, b=0.1")


@np.errstate(all="ignore")
def forward_over_forward(given):
    """The complex step of the JVP along each parameter: no rule of the backward pass is used."""
    program = given.program(dtype="complex128")
    branches, at, columns = Branches(given), program.parameters.copy(), []
    direction = np.zeros_like(at)
    tangents = ForwardMode(program, program.graph.views(direction))
    for j in range(len(at)):
        program.parameters[...] = at
        program.parameters[j] += 1j * STEP
        branches.forward(program)
        column = []
        for i in range(len(at)):
            direction[i] = 1
            column.append(float(tangents.push().imag) / STEP)
            direction[i] = 0
        columns.append(column)
    return np.array(columns).T


def off_by(given, found):
    """The largest error, in units of the largest sum of absolute terms, or the largest second derivative."""
    wanted, program = forward_over_forward(given), given.program()
    program.forward()
    program.backward()
    terms = max(absolute_terms(program).max(initial=0), np.abs(wanted).max(initial=0), 1e-300)
    return float(np.abs(found - wanted).max() / terms)


def drawn():
    """Random expressions with second derivatives that are finite."""
    for seed in range(EXPRESSIONS):
        made = Drawn(random.Random(seed))
        try:
            given = problem(ExpressionSpec(made.text, made.let))
        except InputError:  # without a parameter
            continue
        if np.isfinite(forward_over_forward(given)).all():
            yield made.text, given


def test_the_hessians_of_random_expressions_are_those_of_forward_over_forward():
    seen = 0
    for text, given in drawn():
        found = hessian(given)
        assert off_by(given, found.matrix) < TOLERANCE, text
        assert found.asymmetry <= TOLERANCE * max(1, np.abs(found.matrix).max()), text
        assert found.kind == "exact"
        seen += 1
    assert seen > 0.5 * EXPRESSIONS


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(
    ("widths", "loss", "more"),
    [
        ((3, 3, 3, 2), "mse", {"residual": True}),
        ((2, 4, 3), "cross-entropy", {"layer_norm": True, "l2": 0.3}),
        ((2, 3, 3, 1), "binary-cross-entropy", {"dropout": 0.3}),
    ],
)
def test_so_are_those_of_dense_networks(widths, loss, more, name):
    given = dense_problem(NetworkSpec(widths, name, loss, dtype="float64", seed=2, **more), 3)
    found, program = hessian(given), given.program()
    assert off_by(given, found.matrix) < TOLERANCE
    program.forward()
    np.testing.assert_allclose(found.gradient, program.backward(), rtol=1e-12, atol=1e-14)


def test_a_product_is_the_matrix_times_the_vector():
    given = problem(SPEC)
    found, product, v = hessian(given), HessianProduct(given), np.array([-1.0, 2.0])
    np.testing.assert_allclose(product(v), found.matrix @ v, rtol=1e-12)
    with pytest.raises(ValueError, match="shape"):
        product(v[:-1])


def test_by_hand():
    found = hessian(problem(ExpressionSpec("x**2 * sin(y) + x", "x=3, y=0.5")))
    s, c = np.sin(0.5), np.cos(0.5)
    np.testing.assert_allclose(found.matrix, [[2 * s, 6 * c], [6 * c, -9 * s]], rtol=1e-14)
    np.testing.assert_allclose(found.gradient, [6 * s + 1, 9 * c], rtol=1e-14)
    assert (found.names, found.passes) == (("x", "y"), 3)


@pytest.mark.parametrize("text", ["relu(x) * v", "abs(x) * v", "x * relu(x) * v"])
def test_at_a_kink_the_second_derivatives_are_those_of_the_conventions(text):
    assert not hessian(problem(ExpressionSpec(text, "x=0, v=2"))).matrix.any()


def test_what_is_refused():
    with pytest.raises(InputError, match="at most 50"):
        hessian(problem(ExpressionSpec("sum(w**2)", f"w={[1] * (MOST_PARAMETERS + 1)}")))
    with pytest.raises(InputError, match="one number"):
        hessian(problem(VectorExpression("w**2", "w=[1, 2]")))
    with pytest.raises(InputError, match="a loss is one number"):
        ExpressionSpec("w**2", "w=[1, 2]")
    with pytest.raises(InputError, match="at most 10,000"):
        jacobian(problem(VectorExpression("2 * w", f"w={[1] * 101}")))


@pytest.mark.parametrize("text", ["x**1.5 + x*y", "x**1.9 + y*x", "sqrt(x) * x + y", "log(x) + y"])
def test_a_second_derivative_that_is_not_finite_is_called_so_and_the_others_stay(text):
    found = hessian(problem(ExpressionSpec(text, "x=0, y=1")))
    assert found.kind == "not finite"
    assert not np.isfinite(found.matrix[0, 0])
    assert np.isnan(found.eigenvalues).all()
    if "**" in text:
        assert found.matrix[1, 0] == found.matrix[0, 1] == ("x*y" in text or "y*x" in text)
    assert "NaN or infinite" in hessian_text(found, UTF8)


# --- Jacobians ----------------------------------------------------------------------------------------------

VECTORS = {
    "wide": ("u = M @ w; tanh(u) * w[0]", "M=[[1,2,3],[4,5,6]], w=[0.1,-0.2,0.3]"),
    "tall": ("concatenate(sin(a * t), exp(a * t) * b)", "t:=[0.1,0.2,0.3,0.4], a=0.5, b=-2"),
    "passed on": ("u = w + v; u - 0", "w=[1,2], v=[3,4]"),
    "a number": ("sum(w * w)", "w=[1,2]"),
    "moved": ("transpose(w)", "w=[[1,2,3],[4,5,6]]"),
    "matrix": ("A @ B", "A=[[1,2],[3,4]], B=[[0.5,1],[2,-1]]"),
    "detached": ("detach(w) * v", "w=[1,2], v=3"),
}


@np.errstate(all="ignore")
def complex_step(given):
    program = given.program(dtype="complex128")
    at, columns = program.parameters.copy(), []
    for i in range(len(at)):
        program.parameters[...] = at
        program.parameters[i] += 1j * STEP
        columns.append(program.forward().imag.reshape(-1) / STEP)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", VECTORS)
def test_a_jacobian_is_the_same_by_rows_by_columns_and_by_complex_step(name):
    given = problem(VectorExpression(*VECTORS[name]))
    found, wanted = jacobian(given), complex_step(given)
    np.testing.assert_allclose(found.matrix, wanted, rtol=TOLERANCE, atol=TOLERANCE)
    assert found.finite
    assert found.difference < TOLERANCE
    assert wanted.shape == (found.rows.passes, found.columns.passes) == (len(found.outputs), len(found.names))


def test_rows_are_cheaper_for_few_values_and_columns_for_few_parameters():
    wide, tall = (jacobian(problem(VectorExpression(*VECTORS[name]))) for name in ("wide", "tall"))
    assert (wide.cheaper.kind, tall.cheaper.kind) == ("VJP", "JVP")
    assert "of that by rows" in jacobian_text(wide, UTF8)
    assert "of that by columns" in jacobian_text(tall, UTF8)


# --- planted errors -----------------------------------------------------------------------------------------


@contextmanager
def planted(row, column, rule):
    """Give a primitive a wrong rule."""
    right = getattr(row, column)
    object.__setattr__(row, column, (rule, *right[1:]))
    try:
        yield
    finally:
        object.__setattr__(row, column, right)


def test_a_wrong_rule_in_either_direction_is_caught():
    tanh = FUNCTIONS["tanh"]
    right, forward = tanh.vjps[0], tanh.jvps[0]

    def wrong(to, g, y, cache, x):
        right(to, g, y, cache, x)
        to *= 1 + 1e-6 * x

    given, vector = problem(SPEC), problem(VectorExpression(*VECTORS["wide"]))
    with planted(tanh, "vjps", wrong):
        assert off_by(given, hessian(given).matrix) > 100 * TOLERANCE
        assert jacobian(vector).difference > 100 * TOLERANCE
    with planted(tanh, "jvps", lambda to, g, *rest: forward(to, 1.000001 * g, *rest)):
        assert jacobian(vector).difference > 100 * TOLERANCE
    assert off_by(given, hessian(given).matrix) < TOLERANCE


def test_a_slope_that_does_not_follow_its_input_is_caught_though_the_gradient_is_right():
    tanh, spec = ELEMENTWISE["tanh"], NetworkSpec((2, 3, 2), "tanh", "mse", dtype="float64")
    right, given = tanh.vjps[0], dense_problem(spec, 3)

    def frozen(to, g, y, cache, x):
        right(to, g, y.real.astype(y.dtype), cache, x)

    right_gradient = run(given).gradient
    with planted(tanh, "vjps", frozen):
        found = hessian(given)
        np.testing.assert_allclose(found.gradient, right_gradient, rtol=1e-12)
        assert off_by(given, found.matrix) > 100 * TOLERANCE


# --- reports ------------------------------------------------------------------------------------------------


def test_the_reports_name_method_accuracy_and_cost():
    text = hessian_text(hessian(problem(ExpressionSpec("x**2 - y**2", "x=1, y=2"))), UTF8)
    assert "JVP of the VJP (forward over reverse)" in text
    assert "exact to round-off" in text
    assert "upward in 1 of 2 independent directions and downward in 1" in text
    spoken = hessian_text(hessian(problem(SPEC)), LINEAR)
    assert any(line.startswith("w, b: ") for line in spoken.splitlines())
    jacobi = jacobian_text(jacobian(problem(VectorExpression(*VECTORS["wide"]))), UTF8)
    assert "2 VJPs" in jacobi
    assert "9 JVPs" in jacobi
    assert max(map(len, jacobi.splitlines())) <= 100
