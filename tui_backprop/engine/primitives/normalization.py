"""Layer normalization and dropout: the operations between a layer's pre-activations and its output."""

from __future__ import annotations

from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Primitive

# --- layer normalization (Ba, Kiros and Hinton 2016): y = γ ⊙ v + β, v = (x − mean) / deviation -------------

LAYER_NORM_EPSILON = 1e-5  # added to the variance, PyTorch's default


class NormalizationCache(NamedTuple):
    """The cache of a layer normalization."""

    v: Array  # (n, width)
    deviation: Array  # (n, 1) √(variance + ε) of each sample
    space: Array  # (n, width)
    column: Array  # (n, 1)
    least: Array  # (n, 1)


def _layer_room(dtype: np.dtype[Any], x: Shape, gain: Shape, shift: Shape) -> NormalizationCache:
    column = x[0], 1
    return NormalizationCache(*(np.empty(shape, dtype) for shape in (x, column, x, column, column)))


def _mean(to: Array, x: Array) -> None:
    np.add.reduce(x, axis=1, keepdims=True, out=to)
    np.divide(to, x.shape[1], out=to)


def _layer_norm(y: Array, room: NormalizationCache, x: Array, gain: Array, shift: Array) -> None:
    v, deviation, space, largest, least = room
    np.subtract(x, x[:, :1], out=v)  # so that the mean of equal numbers has no rounding error
    _mean(deviation, v)
    np.subtract(v, deviation, out=v)
    np.abs(v.real, out=space.real)
    np.maximum.reduce(space.real, axis=1, keepdims=True, initial=1, out=largest)
    np.divide(v, largest, out=space)  # squares of numbers up to 1 do not overflow
    np.multiply(space, space, out=space)
    _mean(deviation, space)
    np.divide(LAYER_NORM_EPSILON**0.5, largest, out=least)
    np.multiply(least, least, out=least)
    np.add(deviation, least, out=deviation)
    np.sqrt(deviation, out=deviation)
    np.multiply(deviation, largest, out=deviation)
    np.divide(v, deviation, out=v)
    np.multiply(v, gain, out=y)
    np.add(y, shift, out=y)


def _layer_vjp_x(
    x_bar: Array, g: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    v, deviation, space, mean, _least = room
    np.multiply(g, gain, out=x_bar)
    np.multiply(x_bar, v, out=space)
    _mean(mean, space)
    np.multiply(v, mean, out=space)
    _mean(mean, x_bar)
    np.subtract(x_bar, mean, out=x_bar)
    np.subtract(x_bar, space, out=x_bar)
    np.divide(x_bar, deviation, out=x_bar)


def _layer_vjp_gain(gain_bar: Array, g: Array, _y: Array, room: NormalizationCache, *_: Array) -> None:
    np.multiply(g, room.v, out=room.space)
    np.add.reduce(room.space, axis=0, out=gain_bar)


def _layer_vjp_shift(shift_bar: Array, g: Array, *_: object) -> None:
    np.add.reduce(g, axis=0, out=shift_bar)


def _layer_jvp_x(
    y_dot: Array, x_dot: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    np.subtract(x_dot, x_dot.mean(axis=-1, keepdims=True), out=y_dot)
    np.subtract(y_dot, room.v * (x_dot * room.v).mean(axis=-1, keepdims=True), out=y_dot)
    np.divide(y_dot, room.deviation, out=y_dot)
    np.multiply(y_dot, gain, out=y_dot)


def _layer_jvp_gain(y_dot: Array, gain_dot: Array, _y: Array, room: NormalizationCache, *_: Array) -> None:
    np.multiply(gain_dot[..., None, :], room.v, out=y_dot)


def _layer_jvp_shift(y_dot: Array, shift_dot: Array, *_: object) -> None:
    np.copyto(y_dot, shift_dot[..., None, :])


LAYER_NORM = Primitive(
    name="layer normalization",
    kind="normalization",
    saved="v",
    forward=_layer_norm,
    vjps=(_layer_vjp_x, _layer_vjp_gain, _layer_vjp_shift),
    jvps=(_layer_jvp_x, _layer_jvp_gain, _layer_jvp_shift),
    formula="{1} ⊙ {v} + {2} , {v} = ( {0} − mean {0} ) / deviation {0}",
    vjp_formulas=(
        "( h − mean h − {v} ⊙ mean( h ⊙ {v} ) ) / deviation , h = {g} ⊙ {1}",
        "Σ {g} ⊙ {v}",
        "Σ {g}",
    ),
    flops=lambda x, gain, shift: 9 * size(x),
    vjp_flops=(
        lambda x, gain, shift: 8 * size(x),
        lambda x, gain, shift: 2 * size(x) - size(gain),
        lambda x, gain, shift: size(x) - size(shift),
    ),
    torch="F.layer_norm({0}, {0}.shape[1:], {1}, {2})",
    torch_vjps=("", "({g} * {v}).sum(0)", "{g}.sum(0)"),
    torch_saved="F.layer_norm({0}, {0}.shape[1:])",
    room=_layer_room,
    by_sample=True,
    short="layer norm",
)

# --- dropout (Srivastava et al. 2014): y = a ⊙ m; the mask m is an input, so that a pass can be repeated ----


def draw_mask(mask: Array, rate: float, generator: np.random.Generator) -> None:
    """Fill a mask: 0 with probability ``rate``, else 1 / (1 − rate), which preserves the mean."""
    kept = generator.random(mask.shape, dtype=np.float32) >= rate
    np.multiply(kept, 1 / (1 - rate), out=mask)


def _masked(to: Array, a: Array, mask: Array) -> None:
    np.multiply(a, mask, out=to)


DROPOUT = Primitive(
    name="dropout",
    kind="dropout",
    forward=lambda y, _, a, m: _masked(y, a, m),
    vjps=(lambda a_bar, g, y, _, a, m: _masked(a_bar, g, m),),
    jvps=(lambda y_dot, a_dot, y, _, a, m: _masked(y_dot, a_dot, m),),
    formula="{0} ⊙ {1}",
    vjp_formulas=("{g} ⊙ {1}",),
    flops=lambda a, m: size(a),
    vjp_flops=(lambda a, m: size(a),),
    torch="{0} * {1}",
    by_sample=True,
)
