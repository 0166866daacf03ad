"""Embedding: the rows of a table that token ids ask for.

Ids are whole numbers in an array of the precision of the network. No derivative flows to them: rows are selected,
and there is nothing between two of them."""

from __future__ import annotations

from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive


def _room(dtype: np.dtype[Any], table: Shape, ids: Shape) -> Cache:
    return (np.empty(ids, np.intp),)


def _forward(y: Array, cache: Cache, table: Array, ids: Array) -> None:
    (places,) = cache
    np.copyto(places, np.rint(ids.real), casting="unsafe")
    np.take(table, places, axis=0, out=y, mode="clip")


def _vjp_table(table_bar: Array, g: Array, _y: Array, cache: Cache, *_: Array) -> None:
    table_bar.fill(0)
    np.add.at(table_bar, cache[0], g)


def _jvp_table(y_dot: Array, table_dot: Array, _y: Array, cache: Cache, table: Array, ids: Array) -> None:
    y_dot[...] = np.take(table_dot, cache[0], axis=-2)


EMBEDDING = Primitive(
    name="embedding",
    kind="embedding",
    forward=_forward,
    vjps=(_vjp_table,),
    jvps=(_jvp_table,),
    formula="{0}[ {1} ]",
    vjp_formulas=("Σ {g} by {1}",),
    flops=lambda table, ids: 0,
    vjp_flops=(lambda table, ids: size(ids) * table[-1],),
    torch="F.embedding({1}.round().long(), {0})",
    torch_vjps=("torch.zeros_like({0}).index_add(0, {1}.round().long().flatten(), {g}.flatten(0, -2))",),
    shape=lambda table, ids: (*ids, table[-1]),
    room=_room,
)
