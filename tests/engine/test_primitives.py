"""Each row of the table by itself."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tui_backprop.engine import network, primitives, spec
from tui_backprop.engine.primitives import BIAS_ADD, ELEMENTWISE, LOSSES, MATMUL

ROWS = [
    (row, i)
    for row in (MATMUL, BIAS_ADD, *ELEMENTWISE.values(), *LOSSES.values())
    for i in range(len(row.vjps))
]


def inputs_of(row, n):
    rng = np.random.default_rng(n)
    if row is MATMUL:
        return rng.normal(size=(n, 3)), rng.normal(size=(3, 4))
    if row is BIAS_ADD:
        return rng.normal(size=(n, 4)), rng.normal(size=4)
    z = rng.normal(size=(n, 4))
    return (z, np.eye(4)[rng.integers(4, size=n)]) if row in LOSSES.values() else (z,)


def forward(row, x):
    """(y, cache) of a primitive."""
    y, cache = np.empty(row.shape(*(a.shape for a in x))), np.empty(x[0].shape)
    row.forward(y, cache, *x)
    return y, cache


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(("row", "i"), ROWS, ids=[f"{row.name}-{i}" for row, i in ROWS])
def test_vjp_and_jvp_are_transposes_of_each_other(row, i, n):
    x = inputs_of(row, n)
    y, cache = forward(row, x)
    rng = np.random.default_rng(7)
    u, v = rng.normal(size=y.shape), rng.normal(size=x[i].shape)
    x_bar, y_dot = np.empty_like(x[i]), np.empty_like(y)
    row.vjps[i](x_bar, np.asarray(u), y, cache, *x)
    row.jvps[i](y_dot, v, y, cache, *x)
    assert np.sum(u * y_dot) == pytest.approx(np.sum(x_bar * v), rel=1e-12)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(("row", "i"), ROWS, ids=[f"{row.name}-{i}" for row, i in ROWS])
def test_the_jvp_is_the_directional_derivative(row, i, n):
    x = inputs_of(row, n)
    y, cache = forward(row, x)
    v = np.random.default_rng(7).normal(size=x[i].shape)
    y_dot = np.empty_like(y)
    row.jvps[i](y_dot, v, y, cache, *x)
    moved = [a.astype(complex) for a in x]
    moved[i] = moved[i] + 1e-30j * v
    along, room = np.empty(y.shape, complex), np.empty(x[0].shape, complex)
    row.forward(along, room, *moved)
    np.testing.assert_allclose(y_dot, along.imag / 1e-30, rtol=1e-12, atol=1e-15)


def test_the_tables_and_the_specs_know_the_same_names():
    assert tuple(ELEMENTWISE) == tuple(primitives.ACTIVATIONS) == spec.ACTIVATIONS
    assert tuple(LOSSES) == spec.LOSSES
    assert tuple(network.INITS) == spec.INITS


def test_a_weight_gradient_of_one_sample_is_the_same_product_as_of_many():
    a, g = np.random.default_rng(0).normal(size=(1, 5)), np.random.default_rng(1).normal(size=(1, 4))
    outer, w = np.empty((5, 4)), np.empty((5, 4))
    MATMUL.vjps[1](outer, g, g, a, a, w)
    np.testing.assert_array_equal(outer, a.T @ g)
    padded = np.empty((5, 4))  # a second sample of zeros takes the path through matmul
    MATMUL.vjps[1](padded, np.vstack([g, 0 * g]), g, a, np.vstack([a, 0 * a]), w)
    np.testing.assert_array_equal(outer, padded)


@pytest.mark.parametrize("size", [0.0, 1.0, 50.0, 1e4, 1e30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["cross-entropy", "binary-cross-entropy"])
def test_loss_and_delta_of_huge_logits_are_finite_and_raise_no_warning(name, dtype, size):
    z = np.array([[size, -size, 0.0], [-size, size, 0.0]], dtype)
    t = np.array([[1, 0, 0], [1, 0, 0]], dtype)
    loss, p, delta = np.empty((), dtype), np.empty_like(z), np.empty_like(z)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        LOSSES[name].forward(loss, p, z, t)
        LOSSES[name].vjps[0](delta, np.ones((), dtype), loss, p, z, t)
    assert np.isfinite(loss)
    assert np.isfinite(delta).all()
    assert (np.abs(p - 0.5) <= 0.5).all()
    # The first sample is right and costs almost nothing, the second is wrong by the gap of its logits.
    if size == 1e30:
        assert float(loss) == pytest.approx(1e30, rel=1e-6)  # half of 2e30, the mean of the two samples


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@pytest.mark.parametrize("z", [-1e30, -800.0, 800.0, 1e30])
def test_saturated_activations_have_slope_zero_and_raise_no_warning(name, z):
    z = np.array([[z]])
    a, back = np.empty_like(z), np.empty_like(z)
    with np.errstate(all="raise"):
        ELEMENTWISE[name].forward(a, a, z)
        ELEMENTWISE[name].vjps[0](back, np.ones_like(z), a, a, z)
    assert a[0, 0] in (-1.0, 0.0, 1.0)
    assert back[0, 0] == 0


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky-relu", 0.01)])
def test_the_slope_at_the_kink_is_the_one_of_the_negative_side(name, slope):
    z, back = np.zeros((1, 1)), np.empty((1, 1))
    ELEMENTWISE[name].vjps[0](back, np.ones_like(z), z, z, z)
    assert back[0, 0] == slope


def test_the_cross_entropy_of_equal_logits_is_the_logarithm_of_their_number():
    z, t = np.full((2, 10), 3.0), np.eye(10)[:2]
    loss, p = forward(LOSSES["cross-entropy"], (z, t))
    assert float(loss) == pytest.approx(np.log(10), rel=1e-15)
    assert p == pytest.approx(np.full((2, 10), 0.1))
