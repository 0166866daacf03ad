"""The rows for any shapes: their rules against the complex step, each other and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.engine.primitives import fields
from tui_backprop.engine.primitives.arithmetic import ARITHMETIC, arithmetic
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.general import GENERAL, PLACES, PLACES_LINE, POINTWISE
from tui_backprop.engine.primitives.general_convolution import (
    Sliding,
    general_convolution,
    transposed_convolution,
)
from tui_backprop.engine.primitives.layouts import (
    MERGE_HEADS,
    concatenate,
    gather,
    reshape,
    slicing,
    split_heads,
    stack,
    transpose,
)
from tui_backprop.engine.primitives.normalization import RMS_NORM
from tui_backprop.engine.primitives.placing import WHERE, expand, overwritten, placed, running_sum
from tui_backprop.engine.primitives.pointwise import pointwise
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.products import DOT, MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import REDUCTIONS, reduction
from tui_backprop.engine.primitives.row_functions import ROWS as ROW_FUNCTIONS
from tui_backprop.engine.primitives.row_functions import row_function
from tui_backprop.engine.primitives.softmax import softmax

STEP = 1e-30
BINARY = [((2, 3), (2, 3)), ((), (2, 3)), ((2, 3), ()), ((3,), (2, 1)), ((4, 1, 3), (2, 1)), ((), ())]
OF_ONE_AXIS = "product", "log-softmax"
AXES = (-1,), (-3, -1), (-3, -2, -1)
ROWS = [
    *((arithmetic(name, (a != b, True)), (a, b)) for name in ARITHMETIC for a, b in BINARY),
    *((row, (shape,)) for row in FUNCTIONS.values() for shape in ((), (3,), (2, 3, 4))),
    *((reduction(name, axes, len(axes) == 3), ((2, 3, 4),)) for name in REDUCTIONS for axes in AXES),
    *((reduction(name, ()), ((),)) for name in REDUCTIONS),
    *((MATRIX_PRODUCT, pair) for pair in (
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)), ((5, 2, 3), (3,)),
    )),
    (DOT, ((3,), (3,))),
    (reshape((4, 6)), ((2, 3, 4),)),
    (reshape((-1, 12)), ((2, 3, 4),)),
    (transpose((-1, -2)), ((2, 3),)),
    (transpose((-1, -3, -2)), ((2, 3, 4),)),
    (slicing((1, (0, None, 2), (None, 2, None))), ((2, 3, 4),)),
    (slicing((-1,)), ((3,),)),
    (concatenate(-2, 3), ((1, 3), (4, 3), (2, 3))),
    (gather((1, 0, 1), -2), ((2, 3),)),
    (EMBEDDING, ((3, 4), (5,))),
    (EMBEDDING, ((3, 4), (2, 5))),
    (RMS_NORM, ((2, 3, 4),)),
    (split_heads(2), ((3, 4),)),
    (split_heads(2), ((5, 3, 4),)),
    (MERGE_HEADS, ((2, 3, 4),)),
    (MERGE_HEADS, ((5, 2, 3, 4),)),
    (stack(3), ((2, 4),) * 3),
    (softmax(), ((2, 3),)),
    (softmax(causal=True), ((3, 3),)),
    (softmax(causal=True), ((2, 3, 3),)),
    (conv2d(), ((2, 3, 5, 4), (4, 3, 3, 2))),
    (conv2d(1, 2), ((2, 1, 4, 4), (3, 1, 5, 5))),
    (conv2d((2, 1), (0, 1)), ((20, 2, 5, 4), (3, 2, 2, 3))),  # more samples than one part has
    (conv2d(3), ((1, 2, 7, 8), (1, 2, 2, 2))),  # steps over entries, and leaves some out at the end
    (conv1d(), ((2, 3, 5), (4, 3, 2))),
    (conv1d(2, 1), ((3, 1, 6), (2, 1, 3))),
    (channel_bias_add(), ((2, 3, 4, 5), (3,))),
    (channel_bias_add(1), ((2, 3, 4), (3,))),
    *((pool(window, stride), (shape,)) for pool in (max_pooling, average_pooling) for window, stride, shape in (
        ((2, 2), (), (2, 3, 4, 6)), ((2, 2), (), (2, 1, 5, 5)), ((3, 2), (2, 1), (2, 2, 7, 4)),
        ((2, 2), (3, 3), (1, 2, 5, 5)), ((2,), (), (2, 3, 6)), ((3,), (1,), (2, 1, 5)),
    )),
    (BATCH_NORM, ((4, 3, 2, 3), (3,), (3,))),
    (BATCH_NORM, ((5, 3), (3,), (3,))),
    *((pointwise(*row), (shape,)) for row in POINTWISE for shape in ((), (3,), (2, 3, 4))),
    *((row_function(name, axes, 1e-5), ((2, 3, 4),)) for name in ROW_FUNCTIONS for axes in ((-1,), (-2,))),
    *((row_function(name, (-3, -1), 0.5), ((2, 3, 4),)) for name in ROW_FUNCTIONS if name not in OF_ONE_AXIS),
    (placed("place", PLACES, "place( {0} )", PLACES_LINE), ((2, 3),)),
    (overwritten(np.array([1, 3]), np.array([0, 2])), ((2, 2), (3,))),
    *((expand((2, 3, 4)), (shape,)) for shape in ((3, 1), (2, 3, 4), (4,), ())),
    *((running_sum(axis), ((2, 3, 4),)) for axis in (-1, -3)),
    (WHERE, ((2, 3), (3,), (2, 3))),
    (general_convolution(Sliding((1, 1), (0, 0), (2, 1), 2)), ((3, 4, 6, 5), (6, 2, 2, 3))),
    (general_convolution(Sliding((2, 3), (1, 2), (1, 2))), ((2, 3, 5, 7), (4, 3, 2, 2))),
    (general_convolution(Sliding((1,), (1,), (1,), 3)), ((2, 3, 5), (3, 1, 3))),
    (transposed_convolution(Sliding((2, 2), (1, 1), (1, 1))), ((2, 3, 4, 3), (3, 2, 4, 4))),
    (transposed_convolution(Sliding((2,), (0,), (2,), 2, (1,))), ((2, 4, 3), (4, 3, 2))),
]  # fmt: skip
each = pytest.mark.parametrize(("row", "shapes"), ROWS, ids=lambda v: getattr(v, "name", str(v)))


def drawn(row, shapes, seed=0, dtype=float):
    """Draw positive inputs, where every function has a value, and run the forward rule."""
    rng = np.random.default_rng(seed)
    x = [np.asarray(rng.uniform(0.2, 2, size=shape), dtype) for shape in shapes]
    return x, *ran(row, x)


def ran(row, x):
    x = list(map(np.asarray, x))
    shapes, dtype = [a.shape for a in x], np.result_type(*x)
    y, cache = np.full(row.shape(*shapes), np.nan, dtype), row.room(dtype, *shapes)
    row.forward(y, cache, *x)
    return y, cache


def pulled(row, i, g, y, cache, x):
    x_bar = np.full(x[i].shape, np.nan, y.dtype)
    row.vjps[i](x_bar, g, y, cache, *x)
    return x_bar


def pushed(row, i, x_dot, y, cache, x):
    lead = x_dot.shape[: x_dot.ndim - x[i].ndim]
    y_dot = np.full((*lead, *y.shape), np.nan, y.dtype)
    row.jvps[i](y_dot, x_dot, y, cache, *x)
    return y_dot


@each
def test_jvp_is_the_complex_step_and_the_vjp_its_transpose(row, shapes):
    x, y, cache = drawn(row, shapes)
    rng = np.random.default_rng(1)
    for i in range(len(row.vjps)):
        g, x_dot = np.asarray(rng.normal(size=y.shape)), np.asarray(rng.normal(size=shapes[i]))
        moved = [a + (STEP * 1j * x_dot if k == i else 0j) for k, a in enumerate(x)]
        along, _ = ran(row, moved)
        np.testing.assert_allclose(along.real, y, rtol=1e-13)
        found = pushed(row, i, x_dot, y, cache, x)
        np.testing.assert_allclose(found, along.imag / STEP, rtol=1e-12, atol=1e-15)
        back = pulled(row, i, g, y, cache, x)
        assert np.sum(back * x_dot) == pytest.approx(np.sum(g * found), rel=1e-12)


@pytest.mark.parametrize("lead", [(5,), (2, 3)])
@each
def test_many_tangents_at_once_are_each_of_them_alone(row, shapes, lead):
    x, y, cache = drawn(row, shapes)
    for i in range(len(row.jvps)):
        x_dots = np.random.default_rng(7).normal(size=(*lead, *shapes[i]))
        together = pushed(row, i, x_dots, y, cache, x)
        for at in np.ndindex(lead):
            alone = pushed(row, i, np.array(x_dots[at]), y, cache, x)
            np.testing.assert_allclose(together[at], alone, rtol=1e-14, atol=1e-15)


@each
def test_single_precision_stays_single_and_rules_read_what_their_formulas_name(row, shapes):
    x, y, cache = drawn(row, shapes, dtype=np.float32)
    assert y.dtype == np.float32
    for i in range(len(row.vjps)):
        g = np.ones(y.shape, np.float32)
        named = fields(row.vjp_formulas[i])
        right = pulled(row, i, g, y, cache, x)
        spoiled = [a if str(k) in named else np.full_like(a, np.nan) for k, a in enumerate(x)]
        y_spoiled = y if "y" in named else np.full_like(y, np.nan)
        np.testing.assert_array_equal(pulled(row, i, g, y_spoiled, cache, spoiled), right)


@each
def test_formulas_counts_and_lines_of_pytorch_are_complete(row, shapes):
    inputs = set(map(str, range(len(shapes))))
    assert fields(row.formula) - {"v"} == fields(row.torch) == inputs
    assert "v" not in fields(row.formula) or row.saved
    assert (
        len(row.vjps) == len(row.jvps) == len(row.vjp_formulas) == len(row.vjp_flops) == len(row.torch_vjps)
    )
    for formula in (*row.vjp_formulas, *row.torch_vjps):
        assert "g" in fields(formula) <= inputs | {"g", "y", *row.saved}
    counted = (row.flops, row.macs, row.moved, *row.vjp_flops)
    assert all(count(*shapes) >= 0 for count in counted)


def test_the_table_names_every_row_once():
    assert len({row.name for row in GENERAL}) == len(GENERAL)
    of_one_axis = {"general conv1d", "transposed conv1d"}
    assert {row.name for row, _ in ROWS} | {"copy", "detach"} == {row.name for row in GENERAL} | of_one_axis


@pytest.mark.parametrize(
    ("row", "x", "slopes"),
    [
        (FUNCTIONS["relu"], [0.0], [0.0]),
        (FUNCTIONS["abs"], [0.0], [0.0]),
        (arithmetic("maximum"), [2.0, 2.0], [0.5, 0.5]),
        (arithmetic("minimum"), [2.0, 2.0], [0.5, 0.5]),
        (reduction("max", (-1,)), [[3.0, 1.0, 3.0]], [[0.5, 0, 0.5]]),
        (reduction("min", (-1,)), [[3.0, 1.0, 1.0]], [[0, 0.5, 0.5]]),
        (arithmetic("power"), [0.0, 2.0], [0.0, 0.0]),
        (arithmetic("power"), [0.0, 0.0], [0.0, 0.0]),
        (arithmetic("power"), [-2.0, 3.0], [12.0, np.nan]),
    ],
)  # fmt: skip
def test_at_kinks_and_ties_the_derivative_is_pytorch_s(row, x, slopes):
    x = [np.asarray(each) for each in x]
    y, cache = ran(row, x)
    with np.errstate(all="ignore"):
        found = [pulled(row, i, np.ones(y.shape), y, cache, x) for i in range(len(x))]
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_array_equal(a, b)
    moved, _ = ran(row, [x[0] + 1j * STEP, *(a.astype(complex) for a in x[1:])])
    np.testing.assert_allclose(moved.imag / STEP, np.sum(slopes[0] if row.name not in ("max", "min") else 1))


@pytest.mark.parametrize("name", ["log", "sqrt"])
def test_a_function_of_a_negative_number_is_nan_in_every_precision(name):
    with np.errstate(all="ignore"):
        for x in (np.array(-2.0), np.array(-2.0 + 0j)):
            assert np.isnan(ran(FUNCTIONS[name], [x])[0].real)


@each
def test_values_and_vjps_are_pytorch_s(row, shapes):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    x, y, cache = drawn(row, shapes)
    leaves = {f"x{i}": torch.tensor(a, requires_grad=True) for i, a in enumerate(x)}
    made = eval(row.torch.format(*leaves), {"torch": torch, "F": torch.nn.functional}, leaves)
    near_zero = 1e-14 if row.saved else 0  # where gain times standardized value and shift cancel
    np.testing.assert_allclose(made.detach().numpy(), y, rtol=1e-14, atol=near_zero)
    g = np.random.default_rng(3).normal(size=y.shape)
    made.backward(torch.tensor(g))
    names = leaves | {"y": made, "g": torch.tensor(g), "torch": torch, "F": torch.nn.functional}
    if row.saved:
        names["v"] = eval(row.torch_saved.format(*leaves), names)
    for i, leaf in enumerate([*leaves.values()][: len(row.vjps)]):
        back = pulled(row, i, np.asarray(g), y, cache, x)
        np.testing.assert_allclose(leaf.grad.numpy(), back, rtol=1e-12, atol=1e-14)
        line = row.torch_vjps[i].format(*leaves, g="g", y="y", v="v")
        np.testing.assert_allclose(eval(line, names).detach().numpy(), back, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "shapes"),
    [
        (arithmetic("add"), ((2,), (3,))),
        (MATRIX_PRODUCT, ((2, 3), (2, 3))),
        (MATRIX_PRODUCT, ((), (3,))),
        (concatenate(-1, 2), ((2, 3), (3, 3))),
        (conv2d(), ((2, 3, 5, 5), (4, 1, 3, 3))),  # other channels
        (conv2d(), ((2, 3, 5, 5), (4, 3, 6, 3))),  # a kernel larger than the image
        (conv2d(), ((2, 5, 5), (4, 5, 3))),
        (channel_bias_add(), ((2, 3, 4, 4), (4,))),
        (max_pooling((2, 2)), ((2, 3, 1, 4),)),
        (average_pooling((2, 2)), ((2, 3, 4),)),
        (BATCH_NORM, ((2, 3, 4, 4), (4,), (4,))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(row, shapes):
    with pytest.raises(ValueError, match=r"fit|numbers"):
        row.shape(*shapes)
