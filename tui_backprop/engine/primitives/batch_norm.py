"""Batch normalization (Ioffe and Szegedy 2015) with the statistics of the batch, as in training.

    y = γ ⊙ v + β, v = (x − mean) / deviation, deviation = √(variance + ε)

Mean and variance (divided by their number of entries) are those of a channel over all samples and positions of ``x``
(n, channels, *image), or (n, features). What a sample comes to thus depends on all samples of the batch."""

from __future__ import annotations

from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.normalization import (
    NormalizationCache,
    standardization,
    standardize,
    standardized_jvp,
    standardized_vjp,
)

OVER = (-3, -1)  # samples and positions, of (n, channels, positions)


def _channels(array: Array, rank: int) -> Array:
    """Return an array (..., n, channels, *image), with so many axes after the first ones, as (..., n, channels,
    positions)."""
    lead = array.ndim - rank
    return array.reshape(*array.shape[: lead + 2], size(array.shape[lead + 2 :]))


def _shape(x: Shape, gain: Shape, shift: Shape) -> Shape:
    if len(x) < 2 or gain != x[1:2] or shift != x[1:2]:
        raise ValueError(
            f"shapes {x}, {gain} and {shift} do not fit: one gain and one shift for each channel"
        )
    return x


def _room(dtype: np.dtype[Any], x: Shape, gain: Shape, shift: Shape) -> NormalizationCache:
    row = 1, x[1], 1
    return NormalizationCache(*(np.empty(shape, dtype) for shape in (x, row, x, row, row)))


def _flat(room: NormalizationCache, rank: int) -> NormalizationCache:
    return room._replace(v=_channels(room.v, rank), space=_channels(room.space, rank))


def _forward(y: Array, room: NormalizationCache, x: Array, gain: Array, shift: Array) -> None:
    flat, made = _flat(room, x.ndim), _channels(y, x.ndim)
    standardize(flat, _channels(x, x.ndim), OVER)
    np.multiply(flat.v, gain[:, None], out=made)
    np.add(made, shift[:, None], out=made)


def _vjp_x(
    x_bar: Array, g: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    to = _channels(x_bar, x.ndim)
    np.multiply(_channels(g, x.ndim), gain[:, None], out=to)
    standardized_vjp(to, _flat(room, x.ndim), OVER)


def _vjp_gain(gain_bar: Array, g: Array, _y: Array, room: NormalizationCache, x: Array, *_: Array) -> None:
    np.multiply(g, room.v, out=room.space)
    np.add.reduce(_channels(room.space, x.ndim), axis=OVER, out=gain_bar)


def _vjp_shift(shift_bar: Array, g: Array, *_: object) -> None:
    np.add.reduce(_channels(g, g.ndim), axis=OVER, out=shift_bar)


def _jvp_x(
    y_dot: Array, x_dot: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    to = _channels(y_dot, x.ndim)
    standardized_jvp(to, _channels(x_dot, x.ndim), _flat(room, x.ndim), OVER)
    np.multiply(to, gain[:, None], out=to)


def _jvp_gain(
    y_dot: Array, gain_dot: Array, _y: Array, room: NormalizationCache, x: Array, *_: Array
) -> None:
    np.multiply(gain_dot[..., None, :, None], _channels(room.v, x.ndim), out=_channels(y_dot, x.ndim))


def _jvp_shift(
    y_dot: Array, shift_dot: Array, _y: Array, _: NormalizationCache, x: Array, *__: Array
) -> None:
    np.copyto(_channels(y_dot, x.ndim), shift_dot[..., None, :, None])


LINE = "F.batch_norm({0}, None, None, {1}, {2}, training=True)"
BATCH_NORM = standardization(
    name="batch normalization",
    kind="batch normalization",
    mixes_samples=True,
    forward=_forward,
    vjps=(_vjp_x, _vjp_gain, _vjp_shift),
    jvps=(_jvp_x, _jvp_gain, _jvp_shift),
    torch=LINE,
    torch_vjps=(
        f"torch.func.vjp(lambda x: {LINE.replace('{0}', 'x')}, {{0}})[1]({{g}})[0]",
        "({g} * {v}).sum((0, *range(2, {0}.ndim)))",
        "{g}.sum((0, *range(2, {0}.ndim)))",
    ),
    torch_saved="F.batch_norm({0}, None, None, training=True)",
    shape=_shape,
    room=_room,
    short="batch norm",
)
