"""Softmax along the last axis, of all entries, or of those up to the diagonal: the attention of position i to the
positions j ≤ i. What is masked has weight 0 and gets no gradient, as if its score were −∞."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Primitive


class SoftmaxCache(NamedTuple):
    """The cache of a softmax of x (..., n)."""

    space: Array  # of the shape of x
    column: Array  # (..., 1)
    later: Array  # the masked entries: bool, (rows, n) or ()


@dataclass(frozen=True, eq=False, repr=False)
class Softmax(Primitive):
    """A softmax, and whether it is ``causal``: of the entries up to the diagonal."""

    causal: bool = False


def _softmax_row(causal: bool) -> Softmax:
    def room(dtype: np.dtype[Any], x: Shape) -> SoftmaxCache:
        later = np.triu(np.ones(x[-2:], bool), 1) if causal else np.zeros((), bool)
        return SoftmaxCache(np.empty(x, dtype), np.empty((*x[:-1], 1), dtype), later)

    def forward(y: Array, cache: SoftmaxCache, x: Array) -> None:
        space, column, later = cache
        np.copyto(space, x)
        if causal:
            np.copyto(space, -np.inf, where=later)
        np.maximum.reduce(space.real, axis=-1, keepdims=True, out=column.real)
        if column.dtype.kind == "c":
            column.imag.fill(0)
        np.subtract(space, column, out=space)
        if causal:
            np.copyto(space, -np.inf, where=later)  # −∞ − ∞ is NaN
        np.exp(space, out=y)
        if causal:
            np.copyto(y, 0, where=later)
        np.add.reduce(y, axis=-1, keepdims=True, out=column)
        np.divide(y, column, out=y)

    def vjp(x_bar: Array, g: Array, y: Array, cache: SoftmaxCache, x: Array) -> None:
        np.multiply(g, y, out=cache.space)
        np.add.reduce(cache.space, axis=-1, keepdims=True, out=cache.column)
        np.subtract(g, cache.column, out=x_bar)
        np.multiply(x_bar, y, out=x_bar)

    def jvp(y_dot: Array, x_dot: Array, y: Array, cache: SoftmaxCache, x: Array) -> None:
        np.multiply(x_dot, y, out=y_dot)
        np.subtract(y_dot, y * np.add.reduce(y_dot, axis=-1, keepdims=True), out=y_dot)

    over = "j ≤ i" if causal else "axis −1"
    mask = "torch.ones_like({0}, dtype=torch.bool).triu(1)"
    torch = f"{{0}}.masked_fill({mask}, -torch.inf).softmax(-1)" if causal else "{0}.softmax(-1)"
    return Softmax(
        name="causal softmax" if causal else "softmax",
        kind="softmax",
        forward=forward,
        vjps=(vjp,),
        jvps=(jvp,),
        formula=f"softmax( {{0}} , {over} )",
        vjp_formulas=("{y} ⊙ ( {g} − Σ {g} ⊙ {y} )",),
        flops=lambda x: 5 * size(x),
        vjp_flops=(lambda x: 4 * size(x),),
        torch=torch,
        torch_vjps=("{y} * ({g} - ({g} * {y}).sum(-1, keepdim=True))",),
        room=room,
        shape=_square if causal else lambda x: x,
        causal=causal,
    )


def _square(x: Shape) -> Shape:
    """Return the shape of y. Raises ValueError unless each position has a score for each position."""
    if len(x) < 2 or x[-1] != x[-2]:
        raise ValueError(f"a causal softmax takes a square of scores, not the shape {x}")
    return x


@lru_cache(maxsize=2)
def softmax(causal: bool = False) -> Softmax:
    """Make the softmax of a row: of all its entries, or with ``causal`` of row i those with j ≤ i."""
    return _softmax_row(causal)
