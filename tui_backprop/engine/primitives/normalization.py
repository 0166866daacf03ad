"""Layer normalization, RMS normalization and dropout."""

from __future__ import annotations

from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.broadcasting import lifted

# --- layer normalization (Ba, Kiros and Hinton 2016): y = γ ⊙ v + β, v = (x − mean) / deviation -------------

NORMALIZATION_EPSILON = 1e-5  # added to the variance, PyTorch's default


class NormalizationCache(NamedTuple):
    """The cache of a normalization: arrays of the shape of x, and others with one entry on the axes over which mean
    and variance are taken."""

    v: Array  # as x
    deviation: Array  # √(variance + ε)
    space: Array  # as x
    mean: Array
    least: Array


def _layer_room(dtype: np.dtype[Any], x: Shape, gain: Shape, shift: Shape) -> NormalizationCache:
    column = *x[:-1], 1
    return NormalizationCache(*(np.empty(shape, dtype) for shape in (x, column, x, column, column)))


Axes = tuple[int, ...]  # over which mean and variance are taken, counted from the last one, −1


def _mean(to: Array, x: Array, axes: Axes) -> None:
    np.add.reduce(x, axis=axes, keepdims=True, out=to)
    np.divide(to, x.size // to.size, out=to)


def standardize(room: NormalizationCache, x: Array, axes: Axes) -> None:
    """Compute ``v`` and ``deviation``."""
    v, deviation, space, largest, least = room
    first = tuple(slice(1) if axis - x.ndim in axes else slice(None) for axis in range(x.ndim))
    np.subtract(x, x[first], out=v)  # so that the mean of equal numbers has no rounding error
    _mean(deviation, v, axes)
    np.subtract(v, deviation, out=v)
    np.abs(v.real, out=space.real)
    np.maximum.reduce(space.real, axis=axes, keepdims=True, initial=1, out=largest)
    np.divide(v, largest, out=space)  # squares of numbers up to 1 do not overflow
    np.multiply(space, space, out=space)
    _mean(deviation, space, axes)
    np.divide(NORMALIZATION_EPSILON**0.5, largest, out=least)
    np.multiply(least, least, out=least)
    np.add(deviation, least, out=deviation)
    np.sqrt(deviation, out=deviation)
    np.multiply(deviation, largest, out=deviation)
    np.divide(v, deviation, out=v)


def standardized_vjp(x_bar: Array, room: NormalizationCache, axes: Axes) -> None:
    """Turn the cotangent of ``v``, in ``x_bar``, into that of x."""
    v, deviation, space, mean, _least = room
    np.multiply(x_bar, v, out=space)
    _mean(mean, space, axes)
    np.multiply(v, mean, out=space)
    _mean(mean, x_bar, axes)
    np.subtract(x_bar, mean, out=x_bar)
    np.subtract(x_bar, space, out=x_bar)
    np.divide(x_bar, deviation, out=x_bar)


def standardized_jvp(v_dot: Array, x_dot: Array, room: NormalizationCache, axes: Axes) -> None:
    """Compute tangents of ``v`` from those of x."""
    np.subtract(x_dot, x_dot.mean(axis=axes, keepdims=True), out=v_dot)
    np.subtract(v_dot, room.v * (x_dot * room.v).mean(axis=axes, keepdims=True), out=v_dot)
    np.divide(v_dot, room.deviation, out=v_dot)


OVER = (-1,)  # a normalization of rows: of the units of each sample, or of each position


def _layer_norm(y: Array, room: NormalizationCache, x: Array, gain: Array, shift: Array) -> None:
    standardize(room, x, OVER)
    np.multiply(room.v, gain, out=y)
    np.add(y, shift, out=y)


def _layer_vjp_x(
    x_bar: Array, g: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    np.multiply(g, gain, out=x_bar)
    standardized_vjp(x_bar, room, OVER)


def _layer_vjp_gain(gain_bar: Array, g: Array, _y: Array, room: NormalizationCache, *_: Array) -> None:
    np.multiply(g, room.v, out=room.space)
    np.add.reduce(room.space.reshape(-1, g.shape[-1]), axis=0, out=gain_bar)


def _layer_vjp_shift(shift_bar: Array, g: Array, *_: object) -> None:
    np.add.reduce(g.reshape(-1, g.shape[-1]), axis=0, out=shift_bar)


def _layer_jvp_x(
    y_dot: Array, x_dot: Array, _y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    standardized_jvp(y_dot, x_dot, room, OVER)
    np.multiply(y_dot, gain, out=y_dot)


def _layer_jvp_gain(
    y_dot: Array, gain_dot: Array, y: Array, room: NormalizationCache, x: Array, gain: Array, _: Array
) -> None:
    np.multiply(lifted(gain_dot, gain, y.ndim), room.v, out=y_dot)


def _layer_jvp_shift(
    y_dot: Array, shift_dot: Array, y: Array, _: Cache, x: Array, gain: Array, shift: Array
) -> None:
    np.copyto(y_dot, lifted(shift_dot, shift, y.ndim))


def standardization(**own: Any) -> Primitive:
    """Make an operation y = γ ⊙ v + β, in which v is x standardized, from all that differs between them: its rules,
    and how PyTorch writes it."""
    return Primitive(
        saved="v",
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
        **own,
    )


LAYER_NORM = standardization(
    name="layer normalization",
    kind="normalization",
    forward=_layer_norm,
    vjps=(_layer_vjp_x, _layer_vjp_gain, _layer_vjp_shift),
    jvps=(_layer_jvp_x, _layer_jvp_gain, _layer_jvp_shift),
    torch="F.layer_norm({0}, {0}.shape[-1:], {1}, {2})",
    torch_vjps=("", "({g} * {v}).sum_to_size({1}.shape)", "{g}.sum_to_size({2}.shape)"),
    torch_saved="F.layer_norm({0}, {0}.shape[-1:])",
    room=_layer_room,
    by_sample=True,
    short="layer norm",
)

# --- RMS normalization (Zhang and Sennrich 2019), without gain: y = x / √(mean x² + ε) -----------------------

RMS_EPSILON = 1e-5  # added to the mean square


def _rms_room(dtype: np.dtype[Any], x: Shape) -> Cache:
    return np.empty(x, dtype), np.empty((*x[:-1], 1), dtype), np.empty((*x[:-1], 1), dtype)


def _rms_norm(y: Array, room: Cache, x: Array) -> None:
    space, rms, _ = room
    np.multiply(x, x, out=space)
    _mean(rms, space, OVER)
    np.add(rms, RMS_EPSILON, out=rms)
    np.sqrt(rms, out=rms)
    np.divide(x, rms, out=y)


def _rms_vjp(x_bar: Array, g: Array, y: Array, room: Cache, x: Array) -> None:
    space, rms, mean = room
    np.multiply(g, y, out=space)
    _mean(mean, space, OVER)
    np.multiply(y, mean, out=space)
    np.subtract(g, space, out=x_bar)
    np.divide(x_bar, rms, out=x_bar)


def _rms_jvp(y_dot: Array, x_dot: Array, y: Array, room: Cache, x: Array) -> None:
    np.subtract(x_dot, y * (x_dot * y).mean(axis=-1, keepdims=True), out=y_dot)
    np.divide(y_dot, room[1], out=y_dot)


RMS_NORM = Primitive(
    name="RMS normalization",
    kind="rms normalization",
    forward=_rms_norm,
    vjps=(_rms_vjp,),
    jvps=(_rms_jvp,),
    formula="{0} / rms {0}",
    vjp_formulas=("( {g} − {y} ⊙ mean( {g} ⊙ {y} ) ) / rms {0}",),
    flops=lambda x: 4 * size(x),
    vjp_flops=(lambda x: 5 * size(x),),
    torch="F.rms_norm({0}, {0}.shape[-1:], eps=1e-5)",
    torch_vjps=("torch.func.vjp(lambda x: F.rms_norm(x, x.shape[-1:], eps=1e-5), {0})[1]({g})[0]",),
    room=_rms_room,
    by_sample=True,
    short="RMS norm",
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
