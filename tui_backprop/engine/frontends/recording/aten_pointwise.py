"""PyTorch's functions and arithmetic, entry by entry."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.functions import COPY, FUNCTIONS
from tui_backprop.engine.primitives.layouts import Index, slicing
from tui_backprop.engine.primitives.pointwise import pointwise

Translate = Callable[[Translation], None]


def _row(row: Primitive) -> Translate:
    return lambda t: t.make(row, t.value(0))


def _with_settings(name: str, *settings: tuple[int, float]) -> Translate:
    """A row with settings, each by the place of its argument and its usual value."""

    def translate(t: Translation) -> None:
        given = (t.argument(i) for i, _ in settings)
        numbers = [
            usual if each is None else float(each) for each, (_, usual) in zip(given, settings, strict=True)
        ]
        t.make(pointwise(name, *numbers), t.value(0))

    return translate


def _clamp(low: int | None, high: int | None) -> Translate:
    """Bounds, by the places of their arguments: numbers, or one of them a value."""

    def translate(t: Translation) -> None:
        for row, at, other in (("maximum", low, high), ("minimum", high, low)):
            if at is not None and t.present(at):
                if other is not None and t.argument(other) is not None:
                    raise NoRow
                t.make(*t.arithmetic(row, t.value(0), t.value(at)))
                return
        ends = (
            (None if at is None else t.argument(at), usual) for at, usual in ((low, -np.inf), (high, np.inf))
        )
        t.make(pointwise("clamp", *(usual if end is None else float(end) for end, usual in ends)), t.value(0))

    return translate


GELU = elementwise("gelu", ACTIVATIONS["gelu"], "function")  # by a hyperbolic tangent


def _gelu(t: Translation) -> None:
    approximate = t.argument(1, "none", "approximate") != "none"
    t.make(GELU if approximate else pointwise("exact gelu"), t.value(0))


def _added(name: str, swap: bool = False) -> Translate:
    """The sum or the difference of two values, the second of which is multiplied by a number."""

    def translate(t: Translation) -> None:
        a, b, factor = t.value(0), t.value(1), t.argument(2, 1, "alpha")
        pair = (b, t.scaled(a, factor)) if swap else (a, t.scaled(b, factor))
        t.make(*t.arithmetic(name, *pair))

    return translate


def _binary(name: str) -> Translate:
    return lambda t: t.make(*t.arithmetic(name, t.value(0), t.value(1)))


def _divide(t: Translation) -> None:
    if t.argument(2, None, "rounding_mode"):
        raise NoRow
    t.make(*t.arithmetic("divide", t.value(0), t.value(1)))


POWERS = {
    2: pointwise("square"),
    1: COPY,
    -1: pointwise("reciprocal"),
    0.5: FUNCTIONS["sqrt"],
    -0.5: pointwise("rsqrt"),
}


def _power(t: Translation) -> None:
    if not t.present(1) and t.argument(1) in POWERS:
        t.make(POWERS[t.argument(1)], t.value(0))
    else:
        t.make(*t.arithmetic("power", t.value(0), t.value(1)))


def _lerp(t: Translation) -> None:
    """a + weight · (b − a)"""
    a, b = t.value(0), t.value(1)
    apart = t.apply(*t.arithmetic("subtract", b, a))
    t.make(*t.arithmetic("add", a, t.apply(*t.arithmetic("multiply", t.value(2), apart))))


def _fused(name: str) -> Translate:
    """x + number · (a · b), or a / b."""

    def translate(t: Translation) -> None:
        term = t.apply(*t.arithmetic(name, t.value(1), t.value(2)))
        t.make(*t.arithmetic("add", t.value(0), t.scaled(term, t.argument(3, 1, "value"))))

    return translate


def _glu(t: Translation) -> None:
    """a · σ(b) for the halves of x."""
    x = t.value(0)
    (axis,) = t.axes(t.argument(1, -1), t.rank(x))
    half = t.shape(x)[axis] // 2
    key: list[Index] = [(None, None, None)] * t.rank(x)
    parts = []
    for ends in ((None, half, None), (half, None, None)):
        key[axis] = ends
        parts.append(t.apply(slicing(tuple(key)), x))
    a, b = parts
    t.make(*t.arithmetic("multiply", a, t.apply(FUNCTIONS["sigmoid"], b)))


def _x_log_y(t: Translation) -> None:
    """x ln y; PyTorch has 0 where x is."""
    t.make(*t.arithmetic("multiply", t.value(0), t.apply(FUNCTIONS["log"], t.value(1))))


SAME = ("exp", "log", "sin", "cos", "sqrt", "abs", "tanh", "sigmoid", "relu")
SAME_POINTWISE = (
    "reciprocal", "rsqrt", "log1p", "expm1", "tan", "atan", "sinh", "cosh", "erf", "mish", "square",
)  # fmt: skip
POINTWISE: dict[str, Translate] = {
    **{name: _row(FUNCTIONS[name]) for name in SAME},
    "neg": _row(FUNCTIONS["negate"]),
    **{name: _row(pointwise(name)) for name in SAME_POINTWISE},
    "log_sigmoid_forward": _row(pointwise("log sigmoid")),
    "hardsigmoid": _row(pointwise("hard sigmoid")),
    "hardswish": _row(pointwise("hard swish")),
    "silu": _row(elementwise("silu", ACTIVATIONS["silu"], "function")),
    "gelu": _gelu,
    "leaky_relu": _with_settings("leaky relu", (1, 0.01)),
    "elu": _with_settings("elu", (1, 1.0), (2, 1.0), (3, 1.0)),
    "softplus": _with_settings("softplus", (1, 1.0), (2, 20.0)),
    "hardtanh": _with_settings("hard tanh", (1, -1.0), (2, 1.0)),
    "clamp": _clamp(1, 2),
    "clamp_min": _clamp(1, None),
    "clamp_max": _clamp(None, 1),
    "glu": _glu,
    "xlogy": _x_log_y,
    "add": _added("add"),
    "sub": _added("subtract"),
    "rsub": _added("subtract", swap=True),
    "mul": _binary("multiply"),
    "maximum": _binary("maximum"),
    "minimum": _binary("minimum"),
    "div": _divide,
    "pow": _power,
    "lerp": _lerp,
    "addcmul": _fused("multiply"),
    "addcdiv": _fused("divide"),
}
