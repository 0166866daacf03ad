"""Sum, mean, largest and smallest entry: over all axes, or over some.

Where several entries are the largest, they share the derivative equally, as in ``torch.amax``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive

Axes = tuple[int, ...]  # counted from the last one, −1, so that further ones may stand in front


@dataclass(frozen=True, eq=False, repr=False)
class Reduction:
    """y from x over some axes: ``share(x, y, axes)`` is the derivative of y by each entry that it is made of."""

    forward: Callable[[Array, Array, Axes], None]  # (y, x, axes)
    share: Callable[[Array, Array, Axes], Array | float]  # with y's axes kept in x's rank
    formula: str  # with {0}, and {over} for the axes
    vjp_formula: str
    torch: str  # with {0} and {dims}
    torch_vjp: str  # with {0}, and {G} and {Y} for the cotangent and y, with the axes kept
    side: Callable[[Array, Axes], Array] | None = None
    averages: bool = False


def _kept(y: Array, axes: Axes) -> Array:
    """Return y with axes of one entry where it was reduced."""
    return np.asarray(np.expand_dims(y, axes))


def _sum(y: Array, x: Array, axes: Axes) -> None:
    np.add.reduce(x, axis=axes, out=y)


def _mean(y: Array, x: Array, axes: Axes) -> None:
    np.add.reduce(x, axis=axes, out=y)
    np.divide(y, _entries(x.shape, axes), out=y)


def _side(of: Callable[[Array, Axes], Array], axes: Axes, x: Array) -> Array:
    return of(x, axes)


def _entries(shape: Shape, axes: Axes) -> int:
    return size(tuple(shape[axis] for axis in axes))


def _hits(x: Array, axes: Axes, sign: int) -> Array:
    """Mark the largest entries (sign 1) or the smallest (−1), as shares that add up to 1."""
    real = sign * x.real
    hits = real == np.maximum.reduce(real, axis=axes, keepdims=True)
    return np.asarray(hits / hits.sum(axis=axes, keepdims=True))


def _extreme(sign: int) -> Callable[[Array, Array, Axes], None]:
    def forward(y: Array, x: Array, axes: Axes) -> None:
        if x.dtype.kind == "c":  # the mean of equal ones: the derivative is that of all
            np.add.reduce(x * _hits(x, axes, sign), axis=axes, out=y)
        else:
            (np.maximum if sign > 0 else np.minimum).reduce(x, axis=axes, out=y)

    return forward


def _extreme_row(word: str, sign: int) -> Reduction:
    return Reduction(
        _extreme(sign),
        lambda x, y, axes: _hits(x, axes, sign).astype(x.dtype),
        f"{word}( {{0}}{{over}} )",
        "{g} · [ {0} = {y} ] / ties",
        f"torch.a{word}({{0}}{{dims}})",
        "{G} * ({0} == {Y}) / ({0} == {Y}).sum({axes}, keepdim=True)",
        side=lambda x, axes: _hits(x, axes, sign) > 0,
    )


REDUCTIONS: dict[str, Reduction] = {
    "sum": Reduction(
        _sum, lambda x, y, axes: 1, "Σ( {0}{over} )", "{g}", "torch.sum({0}{dims})", "{G}.expand({0}.shape)"
    ),
    "mean": Reduction(
        _mean,
        lambda x, y, axes: 1 / _entries(x.shape, axes),
        "mean( {0}{over} )",
        "{g} / entries",
        "torch.mean({0}{dims})",
        "({G} * {y}.numel() / {0}.numel()).expand({0}.shape)",
        averages=True,
    ),
    "max": _extreme_row("max", 1),
    "min": _extreme_row("min", -1),
}


@lru_cache(maxsize=256)
def reduction(name: str, axes: Axes, whole: bool = True) -> Primitive:
    """Make the primitive of a row of the table over ``axes``, given from −1, the last, down; ``whole`` if those are
    all axes of the input."""
    row = REDUCTIONS[name]

    def vjp(x_bar: Array, g: Array, y: Array, _: Cache, x: Array) -> None:
        x_bar[...] = _kept(g, axes) * row.share(x, y, axes)

    def jvp(y_dot: Array, x_dot: Array, y: Array, _: Cache, x: Array) -> None:
        y_dot[...] = (x_dot * row.share(x, y, axes)).sum(axis=axes)

    def shape(x: Shape) -> Shape:
        return tuple(n for axis, n in enumerate(x) if axis - len(x) not in axes)

    over = "" if whole else f" , axis {', '.join(map(str, axes))}".replace("-", "−")
    dims = "" if whole else f", dim={axes}"
    kept = "".join(f".unsqueeze({axis})" for axis in sorted(axes, reverse=True))
    back = (
        row.torch_vjp.replace("{G}", "{g}" + kept).replace("{Y}", "{y}" + kept).replace("{axes}", f"{axes}")
    )
    return Primitive(
        name=name,
        kind="reduction",
        forward=lambda y, _, x: row.forward(y, x, axes),
        vjps=(vjp,),
        jvps=(jvp,),
        formula=row.formula.replace("{over}", over),
        vjp_formulas=(row.vjp_formula,),
        flops=lambda x: size(x),
        vjp_flops=(lambda x: size(x),),
        torch=row.torch.replace("{dims}", dims),
        torch_vjps=(back,),
        shape=shape,
        averages=row.averages,
        convention="equal largest or smallest entries share the derivative equally, as in torch.amax"
        if row.side
        else "",
        side=partial(_side, row.side, axes) if row.side else None,
    )
