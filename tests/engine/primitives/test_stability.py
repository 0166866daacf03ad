"""No rule overflows or divides by zero, whatever finite numbers it gets; and small results keep their digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tui_backprop.engine.primitives import ELEMENTWISE, LAYER_NORM, LOSSES

SIZES = (1e-30, 1.0, 10.0, 30.0, 50.0, 800.0, 1e4, 1e30)
POINTS = (0.0, *SIZES, *(-z for z in SIZES))
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def decay(z):
    return math.exp(-abs(z))


def sigmoid(z):
    return (1.0 if z > 0 else decay(z)) / (1 + decay(z))


def bump(z):
    """σ(z) σ(−z)"""
    return decay(z) / (1 + decay(z)) ** 2


def gelu_v(z):
    return math.sqrt(8 / math.pi) * (z + 0.044715 * z**3)


def gelu_slope(z):
    v_slope = math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return sigmoid(gelu_v(z)) + z * bump(gelu_v(z)) * v_slope


# f and f' in Python's floats
EXACT = {
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "leaky-relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1 if z > 0 else 0.01),
    "elu": (lambda z: z if z > 0 else math.expm1(z), lambda z: math.exp(min(z, 0))),
    "gelu": (lambda z: z * sigmoid(gelu_v(z)), gelu_slope),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) + z * bump(z)),
    "softplus": (lambda z: max(z, 0) + math.log1p(decay(z)), sigmoid),
    "tanh": (math.tanh, lambda z: 4 * bump(2 * z)),
    "sigmoid": (sigmoid, bump),
    "identity": (lambda z: z, lambda z: 1.0),
}


def run(row, *x):
    """The output and each VJP of ones; whatever overflows or is invalid on the way raises."""
    shapes, dtype = [a.shape for a in x], x[0].dtype
    y, cache = np.empty(row.shape(*shapes), dtype), row.room(dtype, *shapes)
    backs = [np.empty_like(a) for a in x[: len(row.vjps)]]
    with np.errstate(all="raise", under="ignore"):
        row.forward(y, cache, *x)
        for vjp, back in zip(row.vjps, backs, strict=True):
            vjp(back, np.ones_like(y), y, cache, *x)
    assert all(np.isfinite(a).all() for a in (y, *backs))
    return y, *backs


@each_dtype
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activations_are_exact_everywhere_to_a_few_round_offs(name, dtype):
    z, (f, slope), eps = np.array([POINTS], dtype), EXACT[name], float(np.finfo(dtype).eps)
    tiny = np.finfo(dtype).tiny  # below it there are fewer digits
    a, back = run(ELEMENTWISE[name], z)
    exact = [f(float(point)) for point in z[0]]
    np.testing.assert_allclose(a[0], np.array(exact), rtol=6 * eps, atol=tiny)
    # Slopes are made from f, as 1 − a² and z (1 − σ), and so are exact beside 1, or beside a z not yet flat.
    exact = [slope(float(point)) for point in z[0]]
    np.testing.assert_allclose(back[0], exact, rtol=8 * eps, atol=20 * eps)


@each_dtype
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("sigmoid", 0, 1), ("tanh", -1, 1), ("elu", -1, 1e4), ("softplus", 0, 1e4), ("silu", 0, 1e4), ("gelu", 0, 1e4)],
)  # fmt: skip
def test_far_from_zero_activations_are_their_limits_to_the_last_bit(name, low, high, dtype):
    for size in (1e4, 1e30):
        a, back = run(ELEMENTWISE[name], np.array([[-size, size]], dtype))
        assert a[0].tolist() == [low, np.asarray(size if high == 1e4 else high, dtype)]
        assert back[0].tolist() == [0, 1 if high == 1e4 else 0]


@pytest.mark.parametrize(
    ("name", "z"), [("sigmoid", -30), ("softplus", -30), ("silu", -30), ("elu", -30), ("gelu", -7), ("elu", -1e-9)]
)  # fmt: skip
def test_small_results_keep_their_relative_precision(name, z):
    """1 / (1 + e^30) is 9.4e-14; taken as 1 − σ(30) it would have three digits."""
    a, back = run(ELEMENTWISE[name], np.array([[float(z)]]))
    f, slope = EXACT[name]
    assert a.item() == pytest.approx(f(float(z)), rel=1e-14, abs=0)
    assert back.item() == pytest.approx(slope(float(z)), rel=1e-13, abs=0)


@each_dtype
@pytest.mark.parametrize("size", SIZES)
def test_cross_entropy_is_exact_for_logits_of_any_size(size, dtype):
    z = np.array([[size, -size, 0], [-size, size, 0]], dtype)
    loss, back = run(LOSSES["cross-entropy"], z, np.array([0, 0]))
    s, eps = float(z[0, 0]), float(np.finfo(dtype).eps)
    total = 1 + math.exp(-s) + math.exp(-2 * s)
    p = [1 / total, math.exp(-2 * s) / total, math.exp(-s) / total]
    # The first sample is right, the second wrong by the gap of its logits.
    assert loss == pytest.approx(math.log(total) + s, rel=8 * eps)
    right = [[p[0] - 1, p[1], p[2]], [p[1] - 1, p[0], p[2]]]
    np.testing.assert_allclose(back, np.array(right) / 2, rtol=8 * eps, atol=eps)


def test_the_cross_entropy_of_equal_logits_is_the_logarithm_of_their_number():
    loss, back = run(LOSSES["cross-entropy"], np.full((2, 10), 3.0), np.array([0, 9]))
    assert float(loss) == pytest.approx(math.log(10), rel=1e-15)
    assert back[0].tolist() == pytest.approx([-0.45, *[0.05] * 9])


@each_dtype
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_is_exact_for_logits_of_any_size(target, dtype):
    t, eps = np.array([[target]], dtype), float(np.finfo(dtype).eps)
    for point in POINTS:
        z = np.array([[point]], dtype)
        loss, back = run(LOSSES["binary-cross-entropy"], z, t)
        value = float(z.item())
        exact = max(value, 0) - value * target + math.log1p(decay(value))
        assert loss == pytest.approx(exact, rel=8 * eps, abs=float(np.finfo(dtype).tiny)), point
        assert back.item() == pytest.approx(sigmoid(value) - target, rel=8 * eps, abs=eps)


@each_dtype
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e4, 1e30])
def test_layer_norm_does_not_care_for_the_size_of_its_rows(size, dtype):
    x = (np.array([[1, -1, 0], [3, 1, -1]]) * size).astype(dtype)
    gain, shift = np.array([2, 3, 4], dtype), np.array([5, 6, 7], dtype)
    y, back, *_ = run(LAYER_NORM, x, gain, shift)
    centered = x.astype(float) - x.astype(float).mean(1, keepdims=True)
    exact = centered / np.sqrt((centered**2).mean(1, keepdims=True) + 1e-5) * gain + shift
    np.testing.assert_allclose(y, exact, rtol=8 * float(np.finfo(dtype).eps))
    assert np.abs(back).max() <= 5 / max(min(size, 1e20), 1e-5**0.5)


@each_dtype
@pytest.mark.parametrize("width", [1, 2, 3, 5, 7, 10, 49, 256])
@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e4, 1e30])
def test_layer_norm_of_equal_numbers_is_the_shift(value, width, dtype):
    x = np.full((2, width), value, dtype)
    gain, shift = np.full(width, 2, dtype), np.arange(width, dtype=dtype)
    y, back, gain_bar, shift_bar = run(LAYER_NORM, x, gain, shift)
    np.testing.assert_allclose(y, [shift, shift], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(back, 0, atol=1e-6 / 1e-5**0.5)
    np.testing.assert_allclose(gain_bar, 0, atol=1e-6)
    assert shift_bar.tolist() == [2] * width
