"""Functions of one number with settings of their own, entry by entry, as PyTorch has them: made when they are asked
for.

Of complex numbers, the real part decides on which side of a kink they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tui_backprop.engine.arrays.types import Array, np
from tui_backprop.engine.primitives.activations import log1p
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import Activation, elementwise

Function = Callable[..., Array]


@dataclass(frozen=True, eq=False, repr=False)
class Pointwise:
    """A function y = f(x, settings) and its derivative; texts have the settings by name: {slope}."""

    f: Function  # (x, *settings)
    slope: Function  # (x, y, *settings)
    formula: str  # with {0} = x
    slope_formula: str  # with {0} = x and {y}
    torch: str
    settings: tuple[str, ...] = ()
    kink: bool = False
    flops: int = 2


# --- parts ----------------------------------------------------------------------------------------------------


def _above(x: Array) -> Array:
    return np.where(x.real > 0, x, 0)


def _below(x: Array) -> Array:
    return np.where(x.real > 0, 0, x)


def _positive(x: Array) -> Array:
    return np.asarray(x.real > 0)


def _sigmoid(x: Array) -> Array:
    decay = np.exp(np.where(x.real > 0, -x, x))
    return np.asarray(np.where(x.real > 0, 1, decay) / (1 + decay))


def _log1p(x: Array) -> Array:
    made = np.empty_like(x)
    log1p(made, x)
    return made


def _softplus(x: Array) -> Array:
    decay = np.asarray(np.exp(np.where(x.real > 0, -x, x)))
    return np.asarray(_above(x) + _log1p(decay))


def _erf(x: Array) -> Array:
    """The error function of real numbers; of complex ones, x + ih to first order in h."""
    found = np.asarray(np.frompyfunc(math.erf, 1, 1)(np.asarray(x.real, float)), x.real.dtype)
    if x.dtype.kind != "c":
        return np.asarray(found)
    return np.asarray(found + 1j * x.imag * _erf_slope(x.real))


def _erf_slope(x: Array, *_: Any) -> Array:
    return np.asarray(2 / math.pi**0.5 * np.exp(-x * x))


def _gelu_slope(x: Array, y: Array) -> Array:
    return np.asarray((1 + _erf(x / 2**0.5)) / 2 + x * np.exp(-x * x / 2) / (2 * math.pi) ** 0.5)


def _clip(x: Array, low: float, high: float) -> Array:
    return np.where(x.real < low, low, np.where(x.real > high, high, x))


def _mish_slope(x: Array, y: Array) -> Array:
    t = np.tanh(_softplus(x))
    return np.asarray(t + x * _sigmoid(x) * (1 - t * t))


def _elu(x: Array, alpha: float, scale: float, rate: float) -> Array:
    return np.asarray(scale * (_above(x) + alpha * np.expm1(rate * _below(x))))


def _elu_slope(x: Array, y: Array, alpha: float, scale: float, rate: float) -> Array:
    return np.where(x.real > 0, scale, scale * alpha * rate * np.exp(rate * _below(x)))


def _soft(x: Array, beta: float, threshold: float) -> Array:
    return np.where(beta * x.real > threshold, x, _softplus(beta * x) / beta)


def _soft_slope(x: Array, y: Array, beta: float, threshold: float) -> Array:
    return np.where(beta * x.real > threshold, 1, _sigmoid(beta * x))


def _huber(x: Array, delta: float) -> Array:
    size = x * np.sign(x.real)
    return np.where(size.real < delta, x * x / 2, delta * (size - delta / 2))


def _smooth(x: Array, beta: float) -> Array:
    size = x * np.sign(x.real)
    return np.where(size.real < beta, x * x / (2 * beta or 1), size - beta / 2)


ROWS: dict[str, Pointwise] = {
    "reciprocal": Pointwise(lambda x: 1 / x, lambda x, y: -y * y, "1 / {0}", "( − {y} ² )", "torch.reciprocal({0})"),
    "rsqrt": Pointwise(
        lambda x: 1 / np.sqrt(x), lambda x, y: -(y**3) / 2, "1 / √( {0} )", "( − {y} ³ / 2 )", "torch.rsqrt({0})"
    ),
    "square": Pointwise(lambda x: x * x, lambda x, y: 2 * x, "{0} ²", "2 {0}", "{0} ** 2"),
    "log1p": Pointwise(
        _log1p, lambda x, y: 1 / (1 + x), "ln( 1 + {0} )", "1 / ( 1 + {0} )", "torch.log1p({0})"
    ),
    "expm1": Pointwise(lambda x: np.expm1(x), lambda x, y: y + 1, "e^( {0} ) − 1", "( {y} + 1 )", "torch.expm1({0})"),
    "tan": Pointwise(lambda x: np.tan(x), lambda x, y: 1 + y * y, "tan( {0} )", "( 1 + {y} ² )", "torch.tan({0})"),
    "atan": Pointwise(
        lambda x: np.arctan(x), lambda x, y: 1 / (1 + x * x), "atan( {0} )", "1 / ( 1 + {0} ² )", "torch.atan({0})"
    ),
    "sinh": Pointwise(lambda x: np.sinh(x), lambda x, y: np.cosh(x), "sinh( {0} )", "cosh( {0} )", "torch.sinh({0})"),
    "cosh": Pointwise(lambda x: np.cosh(x), lambda x, y: np.sinh(x), "cosh( {0} )", "sinh( {0} )", "torch.cosh({0})"),
    "erf": Pointwise(_erf, _erf_slope, "erf( {0} )", "2/√π e^( − {0} ² )", "torch.erf({0})", flops=8),
    "exact gelu": Pointwise(
        lambda x: x * (1 + _erf(x / 2**0.5)) / 2, _gelu_slope, "½ {0} ( 1 + erf( {0} /√2))", "gelu'( {0} )",
        "F.gelu({0})", flops=12,
    ),
    "mish": Pointwise(
        lambda x: x * np.tanh(_softplus(x)), _mish_slope, "{0} tanh( softplus( {0} ) )", "mish'( {0} )",
        "F.mish({0})", flops=12,
    ),
    "log sigmoid": Pointwise(
        lambda x: -_softplus(-x), lambda x, y: _sigmoid(-x), "ln σ( {0} )", "σ( − {0} )", "F.logsigmoid({0})", flops=6
    ),
    "leaky relu": Pointwise(
        lambda x, slope: np.where(x.real > 0, x, slope * x), lambda x, y, slope: np.where(x.real > 0, 1, slope),
        "max( {0} , {slope} {0} )", "[ 1 if {0} > 0 else {slope} ]", "F.leaky_relu({0}, {slope})", ("slope",), True,
    ),
    "elu": Pointwise(
        _elu, _elu_slope, "{scale} ( max(0, {0} ) + {alpha} ( e^min(0, {rate} {0} ) − 1 ) )",
        "elu'( {0} )", "torch.ops.aten.elu({0}, {alpha}, {scale}, {rate})", ("alpha", "scale", "rate"), flops=4,
    ),
    "softplus": Pointwise(
        _soft, _soft_slope, "ln( 1 + e^( {beta} {0} ) ) / {beta}", "σ( {beta} {0} )",
        "F.softplus({0}, {beta}, {threshold})", ("beta", "threshold"), flops=5,
    ),
    "clamp": Pointwise(
        _clip, lambda x, y, low, high: (x.real >= low) & (x.real <= high), "min( max( {0} , {low} ) , {high} )",
        "[ {low} ≤ {0} ≤ {high} ]", "torch.clamp({0}, {low}, {high})", ("low", "high"), True,
    ),
    "hard tanh": Pointwise(
        _clip, lambda x, y, low, high: (x.real > low) & (x.real < high), "min( max( {0} , {low} ) , {high} )",
        "[ {low} < {0} < {high} ]", "F.hardtanh({0}, {low}, {high})", ("low", "high"), True,
    ),
    "hard sigmoid": Pointwise(
        lambda x: _clip(x + 3, 0, 6) / 6, lambda x, y: (np.abs(x.real) < 3) / 6, "min( max( {0} + 3 , 0 ) , 6 ) / 6",
        "[ −3 < {0} < 3 ] / 6", "F.relu6({0} + 3) / 6", (), True, 4,
    ),
    "hard swish": Pointwise(
        lambda x: x * _clip(x + 3, 0, 6) / 6,
        lambda x, y: np.where(x.real <= -3, 0, np.where(x.real < 3, x / 3 + 0.5, 1)),
        "{0} min( max( {0} + 3 , 0 ) , 6 ) / 6", "hardswish'( {0} )", "F.hardswish({0})", (), True, 5,
    ),
    "huber": Pointwise(
        _huber, lambda x, y, delta: _clip(x, -delta, delta), "huber( {0} , {delta} )",
        "min( max( {0} , −{delta} ) , {delta} )", "F.huber_loss({0}, 0 * {0}, 'none', {delta})", ("delta",), flops=4,
    ),
    "smooth l1": Pointwise(
        _smooth, lambda x, y, beta: np.where(np.abs(x.real) < beta, x / (beta or 1), np.sign(x.real)),
        "smooth( {0} , {beta} )", "min( max( {0} / {beta} , −1 ) , 1 )",
        "F.smooth_l1_loss({0}, torch.zeros_like({0}), reduction='none', beta={beta})", ("beta",), flops=4,
    ),
}  # fmt: skip


def _numbered(text: str, names: tuple[str, ...], settings: tuple[float, ...]) -> str:
    """Write settings into a text, whose other braces stay."""
    for name, value in zip(names, settings, strict=True):
        text = text.replace(f"{{{name}}}", f"{value:g}".replace("inf", "∞"))
    return text


@lru_cache(maxsize=256)
def pointwise(name: str, *settings: float) -> Primitive:
    """Make the primitive of a row of the table with its settings."""
    row = ROWS[name]

    def written(text: str) -> str:
        return _numbered(text, row.settings, settings)

    def forward(y: Array, x: Array, zero: Array) -> None:
        y[...] = row.f(x, *settings)

    def slope(d: Array, x: Array, y: Array, zero: Array) -> None:
        d[...] = row.slope(x, y, *settings)

    torch = written(row.torch)
    activation = Activation(
        forward, slope, written(row.formula), written(row.slope_formula), torch,
        flops=row.flops, slope_flops=row.flops, kink=row.kink,
    )  # fmt: skip
    back = f"torch.func.vjp(lambda x: {torch.replace('{0}', 'x')}, {{0}})[1]({{g}})[0]"
    return replace(elementwise(name, activation, "function"), torch_vjps=(back,))
