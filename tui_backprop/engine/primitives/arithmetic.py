"""Operations on two numbers, entry by entry, with broadcasting: + − · / ^, maximum and minimum.

Each is a row of a table with its two derivatives; primitives are made from a row and from which of the inputs are
repeated. Where both numbers are equal, each has half of the derivative of a maximum or minimum, as in PyTorch. A
power of 0 has the derivative 0 by its exponent if that is not negative, and by its base if the exponent is 0.

The rules of this module make arrays of their own: expressions are small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tui_backprop.engine.arrays.types import Array, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.broadcasting import broadcast, lifted, sum_to

Slope = Callable[[Array, Array, Array], Any]  # (y, a, b): the derivative of y by an input


@dataclass(frozen=True, eq=False, repr=False)
class Arithmetic:
    """y = f(a, b): ``forward(y, a, b)`` and the derivative by each input, with their formulas and those in PyTorch.

    ``sign`` joins the two in a receipt. ``side(a, b)`` tells the pieces apart that a kink divides."""

    forward: Callable[[Array, Array, Array], object]
    slopes: tuple[Slope, Slope]
    formula: str
    slope_formulas: tuple[str, str]  # what the cotangent {g} is multiplied by, with its sign
    torch: str
    torch_slopes: tuple[str, str]
    sign: str = ""
    flops: int = 1
    slope_flops: tuple[int, int] = (1, 1)
    side: Callable[[Array, Array], Array] | None = None


def _power(y: Array, a: Array, b: Array) -> None:
    """a^b. Of complex numbers, the real parts decide where there is none: for a base below 0, the exponent has to be
    a whole number."""
    if y.dtype.kind != "c":
        np.power(a, b, out=y)
        return
    below, whole = a.real < 0, (b.real == np.floor(b.real)) & (b.imag == 0)
    np.power(np.where(below, -a, a), b, out=y)
    np.negative(y, out=y, where=below & (np.mod(b.real, 2) == 1))
    np.copyto(y, np.nan, where=below & ~whole)


def _power_by_base(y: Array, a: Array, b: Array) -> Array:
    return np.where(b == 0, 0, b * np.power(a, np.where(b == 0, 1, b - 1))).astype(y.dtype)


def _power_by_exponent(y: Array, a: Array, b: Array) -> Array:
    zero = (a == 0) & (b >= 0)
    return np.where(zero, 0, y * np.log(np.where(zero, 1, a))).astype(y.dtype)


def _first_wins(sign: int) -> Slope:
    """Return the share of the first input in a maximum (sign 1) or minimum (−1): 1, 0 or ½."""
    return lambda y, a, b: (np.sign(sign * (a.real - b.real)) + 1) / 2


def _second_wins(sign: int) -> Slope:
    return lambda y, a, b: (np.sign(sign * (b.real - a.real)) + 1) / 2


def _extreme(sign: int) -> Callable[[Array, Array, Array], None]:
    """Return the forward rule of a maximum (sign 1) or minimum (−1)."""
    first, second = _first_wins(sign), _second_wins(sign)

    def forward(y: Array, a: Array, b: Array) -> None:
        if y.dtype.kind == "c":  # the mean of equal ones: the derivative is that of neither
            np.add(a * first(y, a, b), b * second(y, a, b), out=y)
        elif sign > 0:
            np.maximum(a, b, out=y)
        else:
            np.minimum(a, b, out=y)

    return forward


def _extreme_row(word: str, sign: int, than: str) -> Arithmetic:
    return Arithmetic(
        _extreme(sign),
        (_first_wins(sign), _second_wins(sign)),
        f"{word}( {{0}} , {{1}} )",
        (f"{{g}} · [ {{0}} {than} {{1}} ]", f"{{g}} · [ {{1}} {than} {{0}} ]"),
        f"torch.{word}imum({{0}}, {{1}})",
        tuple(
            f"{{g}} * ((({{{i}}} {than} {{{j}}}) * 1. + ({{{i}}} == {{{j}}}) / 2))"
            for i, j in ((0, 1), (1, 0))
        ),  # type: ignore[arg-type]
        side=lambda a, b: np.sign(a.real - b.real),
    )


ARITHMETIC: dict[str, Arithmetic] = {
    "add": Arithmetic(
        lambda y, a, b: np.add(a, b, out=y),
        (lambda y, a, b: 1, lambda y, a, b: 1),
        "{0} + {1}",
        ("{g}", "{g}"),
        "{0} + {1}",
        ("{g}", "{g}"),
        sign="+",
        slope_flops=(0, 0),
    ),
    "subtract": Arithmetic(
        lambda y, a, b: np.subtract(a, b, out=y),
        (lambda y, a, b: 1, lambda y, a, b: -1),
        "{0} − {1}",
        ("{g}", "− {g}"),
        "{0} - {1}",
        ("{g}", "-{g}"),
        sign="-",
        slope_flops=(0, 1),
    ),
    "multiply": Arithmetic(
        lambda y, a, b: np.multiply(a, b, out=y),
        (lambda y, a, b: b, lambda y, a, b: a),
        "{0} · {1}",
        ("{g} · {1}", "{g} · {0}"),
        "{0} * {1}",
        ("{g} * {1}", "{g} * {0}"),
        sign="*",
    ),
    "divide": Arithmetic(
        lambda y, a, b: np.divide(a, b, out=y),
        (lambda y, a, b: 1 / b, lambda y, a, b: -y / b),
        "{0} / {1}",
        ("{g} / {1}", "− {g} · {y} / {1}"),
        "{0} / {1}",
        ("{g} / {1}", "-{g} * {y} / {1}"),
        sign="/",
        slope_flops=(1, 3),
    ),
    "power": Arithmetic(
        _power,
        (_power_by_base, _power_by_exponent),
        "{0} ^ {1}",
        ("{g} · {1} · {0} ^ ( {1} − 1 )", "{g} · {y} · ln {0}"),
        "{0} ** {1}",
        ("{g} * {1} * {0} ** ({1} - 1)", "{g} * {y} * torch.log({0})"),
        slope_flops=(4, 3),
    ),
    "maximum": _extreme_row("max", 1, ">"),
    "minimum": _extreme_row("min", -1, "<"),
}


@lru_cache(maxsize=256)
def arithmetic(name: str, repeated: tuple[bool, bool] = (False, False)) -> Primitive:
    """Make the primitive of a row of the table, of inputs of which some are ``repeated`` by broadcasting."""
    row = ARITHMETIC[name]

    def forward(y: Array, _: Cache, a: Array, b: Array) -> None:
        row.forward(y, a, b)

    def vjp(i: int) -> Callable[..., None]:
        def rule(x_bar: Array, g: Array, y: Array, _: Cache, a: Array, b: Array) -> None:
            sum_to(x_bar, g * row.slopes[i](y, a, b))

        return rule

    def jvp(i: int) -> Callable[..., None]:
        def rule(y_dot: Array, x_dot: Array, y: Array, _: Cache, a: Array, b: Array) -> None:
            y_dot[...] = lifted(x_dot, (a, b)[i], y.ndim) * row.slopes[i](y, a, b)

        return rule

    formulas, lines = [], []
    for over, formula, line, x in zip(repeated, row.slope_formulas, row.torch_slopes, "01", strict=True):
        formulas.append(f"Σ( {formula} )" if over else formula)
        lines.append(f"({line}).sum_to_size({{{x}}}.shape)" if over else line)
    return Primitive(
        name=name,
        kind="arithmetic",
        forward=forward,
        vjps=(vjp(0), vjp(1)),
        jvps=(jvp(0), jvp(1)),
        formula=row.formula,
        vjp_formulas=tuple(formulas),
        flops=lambda a, b: row.flops * size(broadcast(a, b)),
        vjp_flops=tuple(_count(flops, i) for i, flops in enumerate(row.slope_flops)),
        torch=row.torch,
        torch_vjps=tuple(lines),
        shape=broadcast,
        sign=row.sign,
        convention="of two equal values, a maximum or minimum has half a derivative by each, as in PyTorch"
        if row.side
        else "",
        side=row.side,
    )


def _count(flops: int, i: int) -> Callable[..., int]:
    """Count the operations of a VJP, and the additions where its terms are summed."""

    def count(*shapes: tuple[int, ...]) -> int:
        made = size(broadcast(*shapes))
        return flops * made + max(made - size(shapes[i]), 0)

    return count
