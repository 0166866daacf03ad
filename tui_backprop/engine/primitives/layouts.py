"""Operations that move entries and compute nothing: reshape, transpose, slice, concatenate, stack, gather.

Each is linear, so its JVP is its forward rule. Axes are counted from the last one, −1, so that tangents may have
further axes in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive

Index = int | tuple[int | None, int | None, int | None]  # a place on an axis, or a slice of it
BATCH = -1  # the first size where the batch is not known yet; it stays where it is


def _layout(
    name: str,
    move: Callable[[Array, Shape], Array],
    back: Callable[[Array, Array], None],
    shape: Callable[..., Shape],
    formula: str,
    torch: str,
    torch_vjp: str,
) -> Primitive:
    """Make the primitive of one input: ``move`` returns the entries of y from those of x, the shape of y being given;
    ``back(x_bar, g)`` is its VJP."""

    def forward(y: Array, _: Cache, x: Array) -> None:
        y[...] = move(x, y.shape)

    def jvp(y_dot: Array, x_dot: Array, _y: Array, _: Cache, x: Array) -> None:
        y_dot[...] = move(x_dot, y_dot.shape)

    return Primitive(
        name=name,
        kind="layout",
        forward=forward,
        vjps=(lambda x_bar, g, *_: back(x_bar, g),),
        jvps=(jvp,),
        formula=formula,
        vjp_formulas=("{g} back in place",),
        flops=lambda x: 0,
        vjp_flops=(lambda x: 0,),
        torch=torch,
        torch_vjps=(torch_vjp,),
        shape=shape,
    )


@lru_cache(maxsize=256)
def reshape(shape: Shape) -> Primitive:
    """Make the reshape to a shape, whose first size may be BATCH."""

    def made(x: Shape) -> Shape:
        if shape[:1] == (BATCH,) and x[:1] != (BATCH,):
            return (size(x) // size(shape[1:]), *shape[1:])
        return shape

    def back(x_bar: Array, g: Array) -> None:
        x_bar[...] = g.reshape(x_bar.shape)

    text = f"reshape( {{0}} , {shape} )"
    return _layout(
        "reshape", _reshaped, back, made, text, f"{{0}}.reshape({shape})", "{g}.reshape({0}.shape)"
    )


def _reshaped(x: Array, shape: Shape) -> Array:
    return x.reshape(shape)


@lru_cache(maxsize=256)
def transpose(axes: tuple[int, ...]) -> Primitive:
    """Make the transposition to an order of all axes, given from −len(axes) to −1."""
    rank = len(axes)
    swap = axes == (-1, -2)
    inverse = tuple(axes.index(axis) - rank for axis in range(-rank, 0))

    def move(x: Array, _: Shape) -> Array:
        return x.transpose(*range(x.ndim - rank), *axes)

    def back(x_bar: Array, g: Array) -> None:
        x_bar[...] = g.transpose(inverse)

    order = tuple(axis + rank for axis in axes)
    formula = "{0}ᵀ" if swap else f"transpose( {{0}} , {order} )"
    line = f"{{0}}.permute({order})"
    return _layout(
        "transpose", move, back, lambda x: tuple(x[axis] for axis in axes), formula, line,
        f"{{g}}.permute({tuple(axis + rank for axis in inverse)})",
    )  # fmt: skip


@lru_cache(maxsize=256)
def slicing(key: tuple[Index, ...]) -> Primitive:
    """Make the slice x[key] of an array with as many axes as ``key`` has parts."""
    parts = tuple(each if isinstance(each, int) else slice(*each) for each in key)

    def move(x: Array, _: Shape) -> Array:
        found: Array = x[(..., *parts)]
        return found

    def back(x_bar: Array, g: Array) -> None:
        x_bar.fill(0)
        x_bar[parts] = g

    def made(x: Shape) -> Shape:
        kept = zip(x, parts, strict=True)
        return tuple(n if n == BATCH else len(range(n)[part]) for n, part in kept if isinstance(part, slice))

    text = f"[{', '.join(map(_written, parts))}]"
    line = f"torch.func.vjp(lambda x: x{text}, {{0}})[1]({{g}})[0]"
    return _layout("slice", move, back, made, f"{{0}}{text}", f"{{0}}{text}", line)


def _written(part: int | slice[Any, Any, Any]) -> str:
    """Write a part of a key as Python does."""
    if isinstance(part, int):
        return str(part)
    ends = f"{'' if part.start is None else part.start}:{'' if part.stop is None else part.stop}"
    return ends if part.step is None else f"{ends}:{part.step}"


@lru_cache(maxsize=16)
def split_heads(heads: int) -> Primitive:
    """Make the operation that divides the last axis among heads: (..., T, C) to (..., heads, T, C / heads)."""

    def move(x: Array, _: Shape) -> Array:
        return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).swapaxes(-2, -3)

    def back(x_bar: Array, g: Array) -> None:
        x_bar[...] = g.swapaxes(-2, -3).reshape(x_bar.shape)

    def made(x: Shape) -> Shape:
        if len(x) < 2 or x[-1] % heads:
            raise ValueError(f"an axis of {x[-1]} does not divide among {heads} heads")
        return (*x[:-2], heads, x[-2], x[-1] // heads)

    return _layout(
        "split heads", move, back, made, f"split( {{0}} , {heads} heads )",
        f"{{0}}.unflatten(-1, ({heads}, -1)).transpose(-2, -3)", "{g}.transpose(-2, -3).flatten(-2)",
    )  # fmt: skip


def _merged(x: Array, shape: Shape) -> Array:
    return x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


def _split_back(x_bar: Array, g: Array) -> None:
    heads, _, width = x_bar.shape[-3:]
    x_bar[...] = g.reshape(*g.shape[:-1], heads, width).swapaxes(-2, -3)


MERGE_HEADS = _layout(
    "merge heads",
    _merged,
    _split_back,
    lambda x: (*x[:-3], x[-2], x[-3] * x[-1]),
    "merge( {0} )",
    "{0}.transpose(-2, -3).flatten(-2)",
    "{g}.unflatten(-1, ({0}.shape[-3], -1)).transpose(-2, -3)",
)


@lru_cache(maxsize=256)
def gather(places: tuple[int, ...], axis: int) -> Primitive:
    """Make the operation that takes the entries at ``places`` along an axis, counted from −1; one may occur several
    times."""

    def move(x: Array, _: Shape) -> Array:
        return np.asarray(np.take(x, places, axis=axis))

    def back(x_bar: Array, g: Array) -> None:
        x_bar.fill(0)
        np.add.at(np.moveaxis(x_bar, axis, 0), list(places), np.moveaxis(g, axis, 0))

    def made(x: Shape) -> Shape:
        at = axis + len(x)
        return (*x[:at], len(places), *x[at + 1 :])

    listed = f"{list(places)}"
    indices = f"torch.tensor({listed})"
    return _layout(
        "gather", move, back, made, f"gather( {{0}} , {listed} )", f"{{0}}.index_select({axis}, {indices})",
        f"torch.zeros_like({{0}}).index_add({axis}, {indices}, {{g}})",
    )  # fmt: skip


def _joining(
    name: str,
    forward: Callable[..., None],
    part: Callable[[int, tuple[Shape, ...]], tuple[Any, ...]],
    shape: Callable[..., Shape],
    torch: str,
    axis: int,
    torch_vjps: Sequence[str],
) -> Primitive:
    """Make the primitive of several inputs: ``part(i, shapes)`` are the places of input i in y, the shapes of all
    inputs being given; ``torch`` joins them along an axis."""

    def vjp(i: int) -> Callable[..., None]:
        def rule(x_bar: Array, g: Array, _y: Array, _: Cache, *x: Array) -> None:
            x_bar[...] = g[part(i, tuple(a.shape for a in x))]

        return rule

    def jvp(i: int) -> Callable[..., None]:
        def rule(y_dot: Array, x_dot: Array, _y: Array, _: Cache, *x: Array) -> None:
            y_dot[...] = 0
            y_dot[part(i, tuple(a.shape for a in x))] = x_dot

        return rule

    count = len(torch_vjps)
    inputs = [f"{{{i}}}" for i in range(count)]
    return Primitive(
        name=name,
        kind="layout",
        forward=forward,
        vjps=tuple(map(vjp, range(count))),
        jvps=tuple(map(jvp, range(count))),
        formula=f"{name}( {' , '.join(inputs)} )",
        vjp_formulas=("{g} in part",) * count,
        flops=lambda *x: 0,
        vjp_flops=(lambda *x: 0,) * count,
        torch=f"{torch}(({', '.join(inputs)},), {axis})",
        torch_vjps=tuple(torch_vjps),
        shape=shape,
    )


@lru_cache(maxsize=256)
def concatenate(axis: int, count: int) -> Primitive:
    """Make the concatenation of ``count`` arrays along an axis, counted from −1."""

    def forward(y: Array, _: Cache, *x: Array) -> None:
        np.concatenate(x, axis=axis, out=y)

    def part(i: int, shapes: tuple[Shape, ...]) -> tuple[Any, ...]:
        start = sum(shape[axis] for shape in shapes[:i])
        return (..., slice(start, start + shapes[i][axis]), *(slice(None),) * (-1 - axis))

    def made(*x: Shape) -> Shape:
        at = axis + len(x[0])
        if at < 0 or any((*a[:at], *a[at + 1 :]) != (*x[0][:at], *x[0][at + 1 :]) for a in x):
            raise ValueError(
                f"shapes {' and '.join(map(str, x))} do not fit together along axis {max(at, 0)}"
            )
        return (*x[0][:at], sum(a[at] for a in x), *x[0][at + 1 :])

    before = [" + ".join(f"{{{k}}}.shape[{axis}]" for k in range(i)) or "0" for i in range(count)]
    taken = [f"{{g}}.narrow({axis}, {start}, {{{i}}}.shape[{axis}])" for i, start in enumerate(before)]
    return _joining("concatenate", forward, part, made, "torch.cat", axis, taken)


@lru_cache(maxsize=64)
def stack(count: int) -> Primitive:
    """Make the operation that puts ``count`` vectors of each sample below each other: (n, C) to (n, count, C)."""

    def forward(y: Array, _: Cache, *x: Array) -> None:
        np.stack(x, axis=-2, out=y)

    def part(i: int, _: tuple[Shape, ...]) -> tuple[Any, ...]:
        return (..., i, slice(None))

    def made(*x: Shape) -> Shape:
        if len(set(x)) > 1:
            raise ValueError(f"shapes {' and '.join(map(str, x))} cannot be stacked")
        return (*x[0][:-1], count, x[0][-1])

    taken = [f"{{g}}.select(-2, {i})" for i in range(count)]
    return _joining("stack", forward, part, made, "torch.stack", -2, taken)
