"""Each row of the table by itself: every test runs over all rows, so a new one needs only inputs here."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import tui_backprop
from tui_backprop.engine import primitives
from tui_backprop.engine.primitives import ELEMENTWISE, LOSSES, PRIMITIVES, fields
from tui_backprop.engine.training.update_rules import UPDATE_RULES

STEP = 1e-30


def normal(*shapes):
    """Inputs of these shapes, where n is the number of samples."""
    return lambda rng, n: tuple(rng.normal(size=[n if d == "n" else d for d in shape]) for shape in shapes)


Z = normal(("n", 4))
INPUTS = {
    "matmul": normal(("n", 3), (3, 4)),
    "bias add": normal(("n", 4), (4,)),
    **dict.fromkeys(ELEMENTWISE, Z),
    "layer normalization": normal(("n", 4), (4,), (4,)),
    "dropout": normal(("n", 4), ("n", 4)),
    "residual add": normal(("n", 4), ("n", 4)),
    "softmax cross-entropy": lambda rng, n: (*Z(rng, n), rng.integers(4, size=n)),
    "binary cross-entropy": lambda rng, n: (*Z(rng, n), rng.random((n, 4))),
    "mean squared error": normal(("n", 4), ("n", 4)),
    "half sum of squares": normal(("n", 4), ("n", 4)),
    "L2 penalty": normal((), (3, 4), ()),
}

each_row = pytest.mark.parametrize("row", PRIMITIVES, ids=lambda row: row.name)
each_derivative = pytest.mark.parametrize(
    ("row", "i"),
    [(row, i) for row in PRIMITIVES for i in range(len(row.vjps))],
    ids=lambda value: value if isinstance(value, int) else value.name,
)
each_size = pytest.mark.parametrize("n", [1, 3])


class Ran:
    """A row whose forward rule has been run, on arrays that no rule can write to."""

    def __init__(self, row, n, dtype="float64", x=None):
        rng = np.random.default_rng(n)
        made = INPUTS[row.name](rng, n) if x is None else x
        self.row, self.x = row, [a if a.dtype.kind == "i" else a.astype(dtype) for a in made]
        self.shapes = [a.shape for a in self.x]
        self.y = np.full(row.shape(*self.shapes), np.nan, dtype)
        self.cache = row.room(np.dtype(dtype), *self.shapes)
        for array in self.x:
            array.setflags(write=False)
        row.forward(self.y, self.cache, *self.x)
        self.y.setflags(write=False)
        self.g = np.asarray(rng.normal(size=self.y.shape)).astype(dtype)
        self.g.setflags(write=False)

    def vjp(self, i, x=None):
        x_bar = np.full(self.shapes[i], np.nan, self.y.dtype)
        self.row.vjps[i](x_bar, self.g, self.y, self.cache, *(x or self.x))
        return x_bar

    def jvp(self, i, x_dot):
        lead = x_dot.shape[: x_dot.ndim - len(self.shapes[i])]
        y_dot = np.full(lead + self.y.shape, np.nan, self.y.dtype)
        x_dot.setflags(write=False)
        self.row.jvps[i](y_dot, x_dot, self.y, self.cache, *self.x)
        return y_dot


def test_no_row_is_without_inputs_here():
    assert [*INPUTS] == [row.name for row in PRIMITIVES]


def compared_by_name(source: str) -> list[int]:
    """Lines on which something is compared with the name of a row, or looked for among some names."""
    names = {*primitives.ACTIVATIONS, *LOSSES, *UPDATE_RULES}
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        for part in node.comparators
        for text in ast.walk(part)
        if isinstance(text, ast.Constant) and text.value in names
    ]


def test_nothing_asks_for_a_row_by_its_name_but_for_its_traits():
    package = Path(tui_backprop.__file__).parent
    found = [
        f"{path}:{line}" for path in package.rglob("*.py") for line in compared_by_name(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted", ['name == "relu"', 'loss in ("mse", "half-squares")', 'spec.name != "sgd"']
)
def test_a_comparison_with_a_name_is_caught(planted):
    assert compared_by_name(planted)


@each_size
@each_derivative
def test_vjp_and_jvp_are_transposes_of_each_other(row, i, n):
    ran = Ran(row, n)
    x_dot = np.asarray(np.random.default_rng(7).normal(size=ran.shapes[i]))
    # <g, J x_dot> = <J^T g, x_dot>
    assert np.sum(ran.g * ran.jvp(i, x_dot)) == pytest.approx(np.sum(ran.vjp(i) * x_dot), rel=1e-13)


@each_size
@each_derivative
def test_the_jvp_is_the_directional_derivative_of_the_forward_rule(row, i, n):
    ran = Ran(row, n)
    x_dot = np.asarray(np.random.default_rng(7).normal(size=ran.shapes[i]))
    nudged = [a if k != i else a + STEP * 1j * x_dot for k, a in enumerate(ran.x)]
    along = Ran(row, n, "complex128", nudged).y
    np.testing.assert_allclose(along.real, ran.y, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(ran.jvp(i, x_dot), along.imag / STEP, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("lead", [(5,), (1,), (2, 3)])
@each_derivative
def test_many_tangents_at_once_are_each_of_them_alone(row, i, lead):
    ran = Ran(row, 3)
    x_dots = np.random.default_rng(7).normal(size=(*lead, *ran.shapes[i]))
    together = ran.jvp(i, x_dots)
    for at in np.ndindex(lead):
        alone = ran.jvp(i, np.array(x_dots[at]))
        np.testing.assert_allclose(together[at], alone, rtol=1e-14, atol=1e-16)


@each_derivative
def test_derivatives_in_single_precision_are_the_double_ones_rounded(row, i):
    single = Ran(row, 3, "float32")
    double = Ran(row, 3, "float64", single.x)
    double.g = single.g.astype(float)
    x_dot = np.asarray(np.random.default_rng(7).normal(size=single.shapes[i]), np.float32)
    for found, right in (
        (single.vjp(i), double.vjp(i)),
        (single.jvp(i, x_dot), double.jvp(i, x_dot.astype(float))),
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6 * np.abs(right).max())


@each_size
@each_row
def test_vjps_can_be_run_in_any_order_and_again(row, n):
    ran = Ran(row, n)
    alone = [Ran(row, n).vjp(i) for i in range(len(row.vjps))]
    for i in (*range(len(alone)), *reversed(range(len(alone)))):
        np.testing.assert_array_equal(ran.vjp(i), alone[i])


@each_row
def test_a_second_forward_pass_through_the_same_cache_is_the_first_one(row):
    ran = Ran(row, 3)
    for i in range(len(row.vjps)):
        ran.vjp(i)
    again = np.full_like(ran.y, np.nan)
    row.forward(again, ran.cache, *ran.x)
    np.testing.assert_array_equal(again, ran.y)


@each_derivative
def test_a_rule_reads_no_array_that_its_formula_does_not_name(row, i):
    ran = Ran(row, 3)
    right, named = ran.vjp(i), fields(row.vjp_formulas[i])
    spoiled = [
        x if str(k) in named else np.full_like(x, 99 if x.dtype.kind == "i" else np.nan)
        for k, x in enumerate(ran.x)
    ]
    if "y" not in named:
        ran.y = np.full_like(ran.y, np.nan)
    np.testing.assert_array_equal(ran.vjp(i, spoiled), right)


@each_row
def test_an_output_in_place_of_the_first_input_is_the_same(row):
    ran = Ran(row, 3)
    if row.in_place:
        y = ran.x[0].copy()
        row.forward(y, ran.cache, y, *ran.x[1:])
        np.testing.assert_array_equal(y, ran.y)
    if row.passes_on:
        np.testing.assert_array_equal(ran.vjp(0), ran.g)


@each_row
def test_a_row_has_one_of_everything_for_each_derivative_and_formulas_of_known_fields(row):
    inputs = {str(k) for k in range(len(INPUTS[row.name](np.random.default_rng(0), 2)))}
    assert len(row.vjps) == len(row.jvps) == len(row.vjp_formulas) == len(row.vjp_flops) >= 1
    assert fields(row.formula) <= inputs | {"v"}
    assert fields(row.formula) >= inputs
    for formula in row.vjp_formulas:
        assert fields(formula) <= inputs | {"g", "y", "v"}


A, W, B, T = (2, 3), (3, 4), (4,), (2,)  # two samples, three inputs, four outputs
U = (2, 4)


# Counted by hand: what is read, then what is written.
@pytest.mark.parametrize(
    ("name", "shapes", "forward", "vjps"),
    [
        ("matmul", (A, W), 6 + 12 + 8, (8 + 12 + 6, 8 + 6 + 12)),
        ("bias add", (U, B), 8 + 4 + 8, (0, 8 + 4)),
        ("relu", (U,), 8 + 8, (8 + 8 + 8,)),
        ("tanh", (U,), 8 + 8, (8 + 8 + 8,)),
        ("silu", (U,), 8 + 8, (8 + 8 + 8 + 8,)),
        ("identity", (U,), 8 + 8, (8 + 8,)),
        ("layer normalization", (U, B, B), 8 + 4 + 4 + 8 + 8, (8 + 8 + 4 + 8, 8 + 8 + 4, 8 + 4)),
        ("dropout", (U, U), 8 + 8 + 8, (8 + 8 + 8,)),
        ("residual add", (U, U), 8 + 8 + 8, (0, 8 + 8)),
        ("softmax cross-entropy", (U, T), 8 + 2 + 8 + 1, (8 + 2 + 8,)),
        ("mean squared error", (U, U), 8 + 8 + 1, (8 + 8 + 8,)),
        ("L2 penalty", ((), W, ()), 1 + 12 + 1 + 1, (0, 12 + 1 + 12)),
    ],
)
def test_the_numbers_moved_are_those_counted_by_hand(name, shapes, forward, vjps):
    row = next(row for row in PRIMITIVES if row.name == name)
    assert row.moved(*shapes) == forward
    assert tuple(row.vjp_moved(i, *shapes) for i in range(len(row.vjps))) == vjps


@pytest.mark.parametrize(
    ("name", "shapes", "macs", "forward", "vjps"),
    [
        ("matmul", (A, W), 2 * 3 * 4, 2 * 2 * 3 * 4, (48, 48)),
        ("bias add", (U, B), 0, 8, (0, 4)),  # the sum of two rows of four
        ("relu", (U,), 0, 8, (8 + 8,)),  # a comparison and a product
        ("tanh", (U,), 0, 8, (3 * 8,)),  # g (1 - y y)
        ("identity", (U,), 0, 0, (8,)),
        ("dropout", (U, U), 0, 8, (8,)),
        ("residual add", (U, U), 0, 8, (0, 0)),
        ("mean squared error", (U, U), 0, 3 * 8, (2 * 8,)),  # subtract, square, sum; subtract, scale
        ("L2 penalty", ((), W, ()), 0, 2 * 12 + 2, (0, 12 + 1)),  # square, sum, scale, add; product
    ],
)
def test_the_flops_are_those_counted_by_hand(name, shapes, macs, forward, vjps):
    row = next(row for row in PRIMITIVES if row.name == name)
    assert row.macs(*shapes) == macs
    assert row.flops(*shapes) == forward
    assert tuple(count(*shapes) for count in row.vjp_flops) == vjps


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky-relu", 0.01), ("elu", 1.0)])
def test_the_slope_at_the_kink_is_pytorch_s(name, slope):
    ran = Ran(ELEMENTWISE[name], 1, x=[np.zeros((1, 1))])
    assert ran.vjp(0) == slope * ran.g


def test_rows_with_a_kink_are_those_whose_slope_jumps():
    for name, row in ELEMENTWISE.items():
        left, right = (Ran(row, 1, x=[np.full((1, 1), z)]) for z in (-1e-12, 1e-12))
        assert row.kink == (abs(left.vjp(0) / left.g - right.vjp(0) / right.g) > 1e-9).item(), name
