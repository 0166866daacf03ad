"""Convolution, pooling and batch normalization against loops over single numbers, and their counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.primitives.test_general import pulled, ran
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling

STEP = 1e-30


def convolved(x, w, stride, padding):
    """The definition, number by number."""
    inside = (slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, x.shape[2:], strict=True)))
    wide = np.zeros((*x.shape[:2], *(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))), x.dtype)
    wide[inside] = x
    last = zip(wide.shape[2:], w.shape[2:], stride, strict=True)
    y = np.zeros((len(x), len(w), *((n - k) // s + 1 for n, k, s in last)), x.dtype)
    for at in np.ndindex(y.shape):
        for channel, *place in np.ndindex(w.shape[1:]):
            read = (at[0], channel, *(s * p + k for s, p, k in zip(stride, at[2:], place, strict=True)))
            y[at] += w[(at[1], channel, *place)] * wide[read]
    return y


def pooled(x, window, stride, of):
    last = zip(x.shape[2:], window, stride, strict=True)
    y = np.zeros((*x.shape[:2], *((n - k) // s + 1 for n, k, s in last)), x.dtype)
    for at in np.ndindex(y.shape):
        slices = zip(at[2:], window, stride, strict=True)
        y[at] = of(x[(*at[:2], *(slice(s * p, s * p + k) for p, k, s in slices))])
    return y


def by_complex_step(forward, x, i, g):
    """Gradient of the sum of g times the output by each entry of input ``i``."""
    found = np.empty(x[i].shape)
    for at in np.ndindex(x[i].shape):
        moved = [a.astype(complex) for a in x]
        moved[i][at] += STEP * 1j
        found[at] = (g * forward(*moved)).sum().imag / STEP
    return found


@st.composite
def images(draw, kernel=st.integers(1, 4)):
    """Shapes of images and of a window that fits them, with its stride and padding, on one or two axes."""
    rank = draw(st.integers(1, 2))
    window, stride, padding = (
        tuple(draw(each) for _ in range(rank)) for each in (kernel, st.integers(1, 3), st.integers(0, 2))
    )
    sizes = tuple(max(1, k - 2 * p) + draw(st.integers(0, 3)) for k, p in zip(window, padding, strict=True))
    return (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *sizes), window, stride, padding


@settings(derandomize=True, deadline=None, max_examples=60)
@given(case=images(), out=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_a_convolution_is_the_sum_over_patches(case, out, seed):
    shape, kernel, stride, padding = case
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=shape), rng.normal(size=(out, shape[1], *kernel))]
    row = conv2d(stride, padding) if len(kernel) == 2 else conv1d(*stride, *padding)
    y, cache = ran(row, x)

    def naive(x, w):
        return convolved(x, w, stride, padding)

    np.testing.assert_allclose(y, naive(*x), rtol=1e-12, atol=1e-13)
    g = rng.normal(size=y.shape)
    for i in (0, 1):
        exact = by_complex_step(naive, x, i, g)
        np.testing.assert_allclose(pulled(row, i, g, y, cache, x), exact, rtol=1e-10, atol=1e-12)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(case=images(), seed=st.integers(0, 2**32))
def test_pooling_is_the_largest_entry_or_the_mean_of_each_window(case, seed):
    shape, window, stride, _ = case
    shape = (*shape[:2], *map(max, shape[2:], window))
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=shape)]
    for make, of in ((max_pooling, lambda a: a.flat[a.real.argmax()]), (average_pooling, np.mean)):
        row = make(window, stride)
        y, cache = ran(row, x)

        def naive(x, of=of):
            return pooled(x, window, stride, of)

        np.testing.assert_allclose(y, naive(*x), rtol=1e-13)
        g = rng.normal(size=y.shape)
        exact = by_complex_step(naive, x, 0, g)
        np.testing.assert_allclose(pulled(row, 0, g, y, cache, x), exact, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 2, 2, 3), (2, 3, 4), (4, 3)])
def test_batch_normalization_is_by_mean_and_variance_of_each_channel(shape):
    rng = np.random.default_rng(0)
    x = [rng.normal(2, 3, size=shape), rng.normal(size=shape[1]), rng.normal(size=shape[1])]

    def naive(x, gain, shift):
        y = np.empty_like(x)
        for c in range(shape[1]):
            mean = x[:, c].mean()
            variance = ((x[:, c] - mean) ** 2).mean()
            y[:, c] = gain[c] * (x[:, c] - mean) / np.sqrt(variance + 1e-5) + shift[c]
        return y

    y, cache = ran(BATCH_NORM, x)
    np.testing.assert_allclose(y, naive(*x), rtol=1e-12)
    g = rng.normal(size=shape)
    for i in range(3):
        exact = by_complex_step(naive, x, i, g)
        np.testing.assert_allclose(pulled(BATCH_NORM, i, g, y, cache, x), exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("x", "slopes"),
    [
        ([[0.0, 0.0], [0.0, 0.0]], [[1, 0], [0, 0]]),
        ([[0.0, 2.0], [2.0, 2.0]], [[0, 1], [0, 0]]),
        ([[-1.0, -2.0], [-1.0, -1.0]], [[1, 0], [0, 0]]),
    ],
)
def test_the_first_of_equal_entries_gets_the_derivative_of_max_pooling(x, slopes):
    x = [np.array(x)[None, None]]
    row = max_pooling((2, 2))
    y, cache = ran(row, x)
    assert pulled(row, 0, np.ones(y.shape), y, cache, x)[0, 0].tolist() == slopes
    moved, _ = ran(row, [x[0] + STEP * 1j * np.arange(1, 5).reshape(x[0].shape)])
    assert moved.imag.item() == STEP * (1 + np.argmax(slopes))


def test_max_pooling_passes_nan_on():
    for at in range(4):
        x = np.zeros((1, 1, 2, 2))
        x.flat[at] = np.nan
        assert np.isnan(ran(max_pooling((2, 2)), [x])[0]).all()


def test_the_side_of_max_pooling_is_the_place_of_the_largest_entry():
    row = max_pooling((2, 2))
    x = np.array([[1.0, 3.0, 5.0, 5.0], [2.0, 0.0, 4.0, 6.0]])[None, None]
    assert row.side(x)[0, 0].tolist() == [[1, 3]]


def test_a_batch_normalization_mixes_samples_and_the_others_do_not():
    assert not BATCH_NORM.by_sample
    assert all(row.by_sample for row in (conv2d(), conv1d(), channel_bias_add(), max_pooling((2,))))


def test_what_is_computed_by_sample_can_be_computed_in_parts():
    rng = np.random.default_rng(0)
    for row, inside, others in (
        (conv2d(1, 1), (2, 5, 4), ((3, 2, 3, 3),)),
        (max_pooling((2, 2)), (2, 5, 4), ()),
        (max_pooling((2, 2), (1, 1)), (2, 5, 4), ()),
        (average_pooling((2, 2)), (2, 5, 4), ()),
    ):
        x = [rng.normal(size=(160, *inside)), *(rng.normal(size=each) for each in others)]
        y, cache = ran(row, x)
        g = rng.normal(size=y.shape)
        whole, room = pulled(row, 0, g, y, cache, x), row.room(y.dtype, *(a.shape for a in x))
        made, back = np.empty_like(y), np.empty_like(x[0])
        for part in (slice(128), slice(128, 160)):
            rows = (
                type(room)(*(a[part] for a in room))
                if hasattr(room, "_make")
                else tuple(a[part] for a in room)
            )
            row.forward(made[part], rows, x[0][part], *x[1:])
            row.vjps[0](back[part], g[part], made[part], rows, x[0][part], *x[1:])
        np.testing.assert_array_equal(made, y)
        np.testing.assert_array_equal(back, whole)
        if len(x) > 1:
            np.testing.assert_array_equal(
                pulled(row, 1, g, made, room, x), pulled(row, 1, g, y, cache, x)
            )  # the columns of all parts are there


# LeNet-5's layers, one sample, by hand: 6 kernels of 1·5·5 at 28·28 positions, 16 of 6·5·5 at 10·10.
@pytest.mark.parametrize(
    ("row", "shapes", "macs", "flops", "vjps"),
    [
        (conv2d(1, 2), ((1, 1, 28, 28), (6, 1, 5, 5)), 117_600, 235_200, (235_200, 235_200)),
        (conv2d(), ((1, 6, 14, 14), (16, 6, 5, 5)), 240_000, 480_000, (480_000, 480_000)),
        (channel_bias_add(), ((1, 6, 28, 28), (6,)), 0, 4_704, (0, 4_704 - 6)),
        (max_pooling((2, 2)), ((1, 6, 28, 28),), 0, 3 * 1_176, (1_176,)),
        (average_pooling((2, 2)), ((1, 6, 28, 28),), 0, 4 * 1_176, (5 * 1_176,)),
        (BATCH_NORM, ((1, 6, 28, 28), (6,), (6,)), 0, 9 * 4_704, (8 * 4_704, 2 * 4_704 - 6, 4_704 - 6)),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_the_counts_of_lenet_s_layers_are_those_by_hand(row, shapes, macs, flops, vjps):
    assert row.macs(*shapes) == macs
    assert row.flops(*shapes) == flops
    assert tuple(count(*shapes) for count in row.vjp_flops) == vjps


@pytest.mark.parametrize(
    ("row", "shapes", "forward", "vjps"),
    [
        (
            conv2d(1, 2),
            ((1, 1, 28, 28), (6, 1, 5, 5)),
            784 + 150 + 4_704,
            (4_704 + 150 + 784, 4_704 + 784 + 150),
        ),
        (channel_bias_add(), ((1, 6, 28, 28), (6,)), 4_704 + 6 + 4_704, (0, 4_704 + 6)),
        (average_pooling((2, 2)), ((1, 6, 28, 28),), 4_704 + 1_176, (1_176 + 4_704,)),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_the_numbers_moved_are_those_by_hand(row, shapes, forward, vjps):
    assert row.moved(*shapes) == forward
    assert tuple(row.vjp_moved(i, *shapes) for i in range(len(vjps))) == vjps


@pytest.mark.parametrize("factor", [0, 1])
def test_the_factor_of_a_product_is_its_derivative(factor):
    rng = np.random.default_rng(0)
    for row, shapes in (
        (conv2d((2, 1), (1, 0)), ((2, 2, 5, 4), (3, 2, 3, 2))),
        (conv1d(), ((2, 1, 4), (2, 1, 2))),
    ):
        x = [rng.normal(size=shape) for shape in shapes]
        y, cache = ran(row, x)
        for place in np.ndindex(y.shape):
            g = np.zeros(y.shape)
            g[place] = 1
            back = pulled(row, factor, g, y, cache, x)
            for index in map(tuple, np.argwhere(back)):
                assert back[index] == x[1 - factor][row.factor(factor, index, place, *shapes)]
