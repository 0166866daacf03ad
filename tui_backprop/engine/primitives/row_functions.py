"""Functions of whole rows of an array, over some of its axes: standardization, division by the root mean square,
variance, the Euclidean norm, ln Σ e^x, log-softmax, and the product.

Axes are counted from the last one, −1, so that tangents may have further ones in front. A rule is written with what
NumPy has for complex numbers, too: none takes an absolute value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive

Axes = tuple[int, ...]


def _entries(x: Array, axes: Axes) -> int:
    return size(tuple(x.shape[axis] for axis in axes))


def _mean(x: Array, axes: Axes) -> Array:
    return np.asarray(x.mean(axis=axes, keepdims=True))


def _sum(x: Array, axes: Axes) -> Array:
    return np.asarray(x.sum(axis=axes, keepdims=True))


@dataclass(frozen=True, eq=False, repr=False)
class RowFunction:
    """y = f(x, axes, setting). ``slope(x, y, axes, setting)`` returns what ``vjp`` and ``jvp`` need beside x and y.
    Where the function ``reduces``, y lacks the axes; the rules see it with one entry on each of them."""

    f: Callable[[Array, Axes, float], Array]
    vjp: Callable[[Array, Array, Array, Axes, float], Array]  # (g, x, y, axes, setting)
    jvp: Callable[[Array, Array, Array, Axes, float], Array]  # (x_dot, x, y, axes, setting)
    formula: str
    vjp_formula: str
    torch: str
    reduces: bool = False
    flops: int = 5


def _deviation(x: Array, axes: Axes, epsilon: float) -> Array:
    centered = x - _mean(x, axes)
    return np.sqrt(_mean(centered * centered, axes) + epsilon)


def _standardized(x: Array, axes: Axes, epsilon: float) -> Array:
    centered = x - _mean(x, axes)
    return np.asarray(centered / np.sqrt(_mean(centered * centered, axes) + epsilon))


def _standardized_vjp(g: Array, x: Array, y: Array, axes: Axes, epsilon: float) -> Array:
    return np.asarray((g - _mean(g, axes) - y * _mean(g * y, axes)) / _deviation(x, axes, epsilon))


def _rms(x: Array, axes: Axes, epsilon: float) -> Array:
    return np.sqrt(_mean(x * x, axes) + epsilon)


def _rms_vjp(g: Array, x: Array, y: Array, axes: Axes, epsilon: float) -> Array:
    return np.asarray((g - y * _mean(g * y, axes)) / _rms(x, axes, epsilon))


def _variance(x: Array, axes: Axes, correction: float) -> Array:
    centered = x - _mean(x, axes)
    return np.asarray(_sum(centered * centered, axes) / (_entries(x, axes) - correction))


def _variance_share(x: Array, axes: Axes, correction: float) -> Array:
    return np.asarray(2 * (x - _mean(x, axes)) / (_entries(x, axes) - correction))


def _top(x: Array, axes: Axes) -> Array:
    return np.asarray(x.real.max(axis=axes, keepdims=True))


def _log_sum(x: Array, axes: Axes, _: float = 0) -> Array:
    top = np.where(np.isfinite(found := _top(x, axes)), found, 0)
    return np.asarray(np.log(_sum(np.exp(x - top), axes)) + top)


def _norm_share(x: Array, y: Array) -> Array:
    return np.divide(x, y, out=np.zeros(np.broadcast_shapes(x.shape, y.shape), x.dtype), where=y != 0)


def _others(x: Array, axes: Axes) -> Array:
    """The product of all entries of a row but one, for each."""
    (axis,) = axes
    one = np.ones_like(np.take(x, [0], axis))
    before = np.cumprod(np.concatenate((one, np.delete(x, -1, axis)), axis), axis)
    after = np.flip(np.cumprod(np.concatenate((one, np.flip(np.delete(x, 0, axis), axis)), axis), axis), axis)
    return np.asarray(before * after)


ROWS: dict[str, RowFunction] = {
    "standardize": RowFunction(
        _standardized,
        _standardized_vjp,
        _standardized_vjp,
        "( {0} − mean {0} ) / √( variance {0} + {setting} )",
        "( {g} − mean {g} − {y} ⊙ mean( {g} ⊙ {y} ) ) / deviation {0}",
        "({0} - {0}.mean({axes}, True)) / ({0}.var({axes}, correction=0, keepdim=True) + {setting}).sqrt()",
        flops=8,
    ),
    "divide by RMS": RowFunction(
        lambda x, axes, epsilon: x / _rms(x, axes, epsilon),
        _rms_vjp,
        _rms_vjp,
        "{0} / √( mean {0} ² + {setting} )",
        "( {g} − {y} ⊙ mean( {g} ⊙ {y} ) ) / rms {0}",
        "{0} * ({0}.square().mean({axes}, True) + {setting}).rsqrt()",
    ),
    "variance": RowFunction(
        _variance,
        lambda g, x, y, axes, correction: g * _variance_share(x, axes, correction),
        lambda x_dot, x, y, axes, correction: _sum(x_dot * _variance_share(x, axes, correction), axes),
        "variance( {0} )",
        "{g} · 2 ( {0} − mean {0} ) / entries",
        "{0}.var({axes}, correction={setting})",
        reduces=True,
    ),
    "norm": RowFunction(
        lambda x, axes, _: np.sqrt(_sum(x * x, axes)),
        lambda g, x, y, axes, _: g * _norm_share(x, y),
        lambda x_dot, x, y, axes, _: _sum(x_dot * _norm_share(x, y), axes),
        "‖ {0} ‖",
        "{g} · {0} / {y}",
        "{0}.norm(dim={axes})",
        reduces=True,
        flops=2,
    ),
    "log-sum-exp": RowFunction(
        _log_sum,
        lambda g, x, y, axes, _: g * np.exp(x - y),
        lambda x_dot, x, y, axes, _: _sum(x_dot * np.exp(x - y), axes),
        "ln Σ e^( {0} )",
        "{g} · e^( {0} − {y} )",
        "{0}.logsumexp({axes})",
        reduces=True,
        flops=4,
    ),
    "log-softmax": RowFunction(
        lambda x, axes, _: x - _log_sum(x, axes),
        lambda g, x, y, axes, _: g - np.exp(y) * _sum(g, axes),
        lambda x_dot, x, y, axes, _: x_dot - _sum(x_dot * np.exp(y), axes),
        "{0} − ln Σ e^( {0} )",
        "{g} − e^( {y} ) · Σ {g}",
        "{0}.log_softmax{axes}",
    ),
    "product": RowFunction(
        lambda x, axes, _: x.prod(axis=axes, keepdims=True),
        lambda g, x, y, axes, _: g * _others(x, axes),
        lambda x_dot, x, y, axes, _: _sum(x_dot * _others(x, axes), axes),
        "Π( {0} )",
        "{g} · Π of the other {0}",
        "{0}.prod{axes}",
        reduces=True,
        flops=1,
    ),
}


@dataclass(frozen=True, eq=False, repr=False)
class RowPrimitive(Primitive):
    """A function of rows: over which ``axes``, and its ``setting``."""

    axes: Axes = (-1,)
    setting: float = 0.0


@lru_cache(maxsize=256)
def row_function(name: str, axes: Axes, setting: float = 0.0) -> RowPrimitive:
    """Make the primitive of a row of the table over ``axes``, given from −1, the last, down."""
    row = ROWS[name]

    def kept(array: Array) -> Array:
        return np.asarray(np.expand_dims(array, axes)) if row.reduces else array

    def forward(y: Array, _: Cache, x: Array) -> None:
        with np.errstate(invalid="ignore"):
            kept(y)[...] = row.f(x, axes, setting)

    def vjp(x_bar: Array, g: Array, y: Array, _: Cache, x: Array) -> None:
        x_bar[...] = row.vjp(kept(g), x, kept(y), axes, setting)

    def jvp(y_dot: Array, x_dot: Array, y: Array, _: Cache, x: Array) -> None:
        kept(y_dot)[...] = row.jvp(x_dot, x, kept(y), axes, setting)

    def shape(x: Shape) -> Shape:
        return tuple(n for k, n in enumerate(x) if k - len(x) not in axes) if row.reduces else x

    def written(text: str) -> str:
        dims = f"({axes[0]})" if len(axes) == 1 else f"{axes}"
        return text.replace("{axes}", dims).replace("{setting}", f"{setting:g}")

    return RowPrimitive(
        name=name,
        kind="row function",
        axes=axes,
        setting=setting,
        forward=forward,
        vjps=(vjp,),
        jvps=(jvp,),
        formula=written(row.formula),
        vjp_formulas=(row.vjp_formula,),
        flops=lambda x: row.flops * size(x),
        vjp_flops=(lambda x: row.flops * size(x),),
        torch=written(row.torch),
        torch_vjps=(
            f"torch.func.vjp(lambda x: {written(row.torch).replace('{0}', 'x')}, {{0}})[1]({{g}})[0]",
        ),
        shape=shape,
    )
