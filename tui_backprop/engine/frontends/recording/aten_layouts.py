"""PyTorch's operations that move entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.primitives.functions import COPY, DETACH
from tui_backprop.engine.primitives.layouts import concatenate, reshape, slicing, transpose
from tui_backprop.engine.primitives.placing import NOWHERE, WHERE, expand, overwritten, placed, running_sum

Translate = Callable[[Translation], None]
MOST_PADDED = 10_000  # entries around an array, along all of its axes


def _copy(t: Translation) -> None:
    t.make(COPY, t.value(0))


def _reshape(t: Translation) -> None:
    """A view of another shape, which the recording states."""
    t.make(reshape(t.made_shape(0)), t.value(0))


def _transposed(t: Translation) -> None:
    x = t.value(0)
    order = [*range(t.rank(x))]
    if len(order) > 1:
        i, j = (t.argument(1), t.argument(2)) if len(t.op.arguments) > 1 else (0, 1)
        order[i], order[j] = order[j], order[i]
    _turn(t, x, order)


def _turn(t: Translation, x: str, order: Sequence[int]) -> None:
    rank = len(order)
    t.make(transpose(tuple(axis % rank - rank for axis in order)) if rank else COPY, x)


def _permuted(t: Translation) -> None:
    _turn(t, t.value(0), t.argument(1))


def _expanded(t: Translation) -> None:
    t.make(expand(t.made_shape(0)), t.value(0))


def _key(shape: Shape, axis: int, part: Any) -> tuple[Any, ...]:
    key: list[Any] = [(None, None, None)] * len(shape)
    key[axis] = part
    return tuple(key)


def _selected(t: Translation) -> None:
    x = t.value(0)
    t.make(slicing(_key(t.shape(x), t.argument(1), t.argument(2))), x)


def _sliced(t: Translation) -> None:
    x, axis = t.value(0), t.argument(1, 0)
    start, stop, step = (t.argument(i, usual) for i, usual in ((2, None), (3, None), (4, 1)))
    stop = None if stop is None or stop >= t.shape(x)[axis] else stop
    t.make(slicing(_key(t.shape(x), axis, (start, stop, step))), x)


def _narrowed(t: Translation) -> None:
    x, axis, start, length = t.value(0), t.argument(1), t.argument(2), t.argument(3)
    t.make(slicing(_key(t.shape(x), axis, (start, start + length, None))), x)


def _split(t: Translation) -> None:
    """Parts side by side along an axis, as long as the recording states."""
    x, axis, start = t.value(0), t.argument(2, 0, "dim"), 0
    for k in range(len(t.op.outputs)):
        n = t.made_shape(k)[axis]
        t.make(slicing(_key(t.shape(x), axis, (start, start + n, None))), x, k=k)
        start += n


def _unbound(t: Translation) -> None:
    x, axis = t.value(0), t.argument(1, 0)
    for k in range(len(t.op.outputs)):
        t.make(slicing(_key(t.shape(x), axis, k)), x, k=k)


def _concatenated(t: Translation) -> None:
    each = [name for name in t.values(0) if t.shape(name) != (0,)]
    axis = t.argument(1, 0, "dim")
    rank = t.rank(each[0])
    t.make(concatenate(axis % rank - rank, len(each)), *each)


def _stacked(t: Translation) -> None:
    each = t.values(0)
    rank = t.rank(each[0]) + 1
    axis = t.argument(1, 0, "dim") % rank
    with_axis = [t.reshaped(name, (*t.shape(name)[:axis], 1, *t.shape(name)[axis:])) for name in each]
    t.make(concatenate(axis - rank, len(each)), *with_axis)


def _positions(shape: Shape) -> Array:
    return np.arange(size(shape)).reshape(shape)


def _moved(move: Callable[[Translation, Array], Array], name: str) -> Translate:
    """An operation that does to x what ``move`` does to the positions of its entries."""

    def translate(t: Translation) -> None:
        x = t.value(0)
        t.make(placed(name, move(t, _positions(t.shape(x))), f"{name}( {{0}} )"), x)

    return translate


def _rolled(t: Translation, at: Array) -> Array:
    axes = t.argument(2, [], "dims")
    return np.roll(at, tuple(t.argument(1)), tuple(axes) if axes else None)


def _repeated(t: Translation, at: Array) -> Array:
    times = tuple(t.argument(1))
    if at.size * size(times) != size(t.made_shape(0)):
        raise NoRow
    return np.tile(at, times)


def _indexed(t: Translation, at: Array) -> Array:
    """x[i, :, j]: by arrays of indices, or masks, on some axes."""
    key = [slice(None) if each is None else t.indices(each) for each in t.argument(1)]
    return np.asarray(at[tuple(key)])


def _gathered(t: Translation, at: Array) -> Array:
    places, axis = t.integers(2), t.argument(1)
    key = tuple(slice(n) if k != axis % at.ndim else slice(None) for k, n in enumerate(places.shape))
    return np.take_along_axis(at[key], places, axis)


def _padded(t: Translation) -> None:
    x, ends = t.value(0), t.argument(1)
    at = padded_positions(t.shape(x), ends)
    t.make(placed("pad", at, "pad( {0} )", fill=float(t.argument(2, 0.0) or 0.0)), x)


def padded_positions(shape: Shape, ends: Sequence[int]) -> Array:
    """Return the positions in an array padded by so many entries: before and after, of the last axis first."""
    pairs = [*zip(ends[::2], ends[1::2], strict=True)]
    if min(ends, default=0) < 0 or sum(ends) > MOST_PADDED:
        raise NoRow
    widths = [(0, 0)] * (len(shape) - len(pairs)) + pairs[::-1]
    return np.pad(_positions(shape), widths, constant_values=NOWHERE)


def _upsampled(t: Translation) -> None:
    """Nearest neighbors: each position of the output reads floor(position · size before / after)."""
    x, made = t.value(0), t.made_shape(0)
    at = _positions(t.shape(x))
    for axis in range(2, len(made)):
        n = t.shape(x)[axis]
        at = np.take(at, np.arange(made[axis]) * n // made[axis], axis)
    t.make(placed("upsample", at, "upsample( {0} )"), x)


def _where(t: Translation) -> None:
    t.make(WHERE, t.value(1), t.value(2), t.value(0))


def _filled(t: Translation) -> None:
    """x with a number where the mask is."""
    t.make(WHERE, t.value(2), t.value(0), t.value(1))


def _running_sum(t: Translation) -> None:
    x = t.value(0)
    t.make(running_sum(t.argument(1) % t.rank(x) - t.rank(x)), x)


def _triangle(upper: bool) -> Translate:
    def translate(t: Translation) -> None:
        x = t.value(0)
        at, diagonal = _positions(t.shape(x)), t.argument(1, 0, "diagonal")
        rows, columns = np.ogrid[: at.shape[-2], : at.shape[-1]]
        kept = columns - rows >= diagonal if upper else columns - rows <= diagonal
        name = "triu" if upper else "tril"
        t.make(placed(name, np.where(kept, at, NOWHERE), f"{name}( {{0}} )"), x)

    return translate


def _copied_over(t: Translation) -> None:
    """x.copy_(y): y, broadcast to the shape of x."""
    y = t.value(1)
    t.make(expand(t.made_shape(0)) if t.shape(y) != t.made_shape(0) else COPY, y)


def _overwritten(t: Translation) -> None:
    """A view of which another one of the same memory was written: where their entries are is recorded."""
    x, v = t.value(0), t.value(1)
    here, there = (_memory(*t.argument(i)) for i in (2, 3))
    both, at_x, at_v = np.intersect1d(here, there, return_indices=True)
    if both.size == 0:
        t.make(COPY, x)
    elif both.size == size(t.shape(x)) == size(t.shape(v)) and (here == there).all():
        t.make(reshape(t.shape(x)), v)
    else:
        t.make(overwritten(at_x, at_v), x, v)


def _memory(sizes: Sequence[int], strides: Sequence[int], offset: Sequence[int]) -> Array:
    """Return where the entries of a view are in memory, row by row."""
    at = np.asarray(offset[0])
    for n, step in zip(sizes, strides, strict=True):
        at = at[..., None] + np.arange(n) * step
    return at.reshape(-1)


LAYOUTS: dict[str, Translate] = {
    **dict.fromkeys(("clone", "contiguous", "lift_fresh", "_to_copy", "to", "positive", "alias"), _copy),
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze", "flatten", "unflatten", "_reshape_alias"),
        _reshape,
    ),
    **dict.fromkeys(("t", "transpose", "numpy_T"), _transposed),
    "detach": lambda t: t.make(DETACH, t.value(0)),
    "permute": _permuted,
    **dict.fromkeys(("expand", "broadcast_to", "expand_as"), _expanded),
    "select": _selected,
    "slice": _sliced,
    "narrow": _narrowed,
    **dict.fromkeys(("split", "unsafe_split", "split_with_sizes", "chunk", "unsafe_chunk"), _split),
    "unbind": _unbound,
    "cat": _concatenated,
    "stack": _stacked,
    "flip": _moved(lambda t, at: np.flip(at, tuple(t.argument(1))), "flip"),
    "roll": _moved(_rolled, "roll"),
    "repeat": _moved(_repeated, "repeat"),
    "index": _moved(_indexed, "index"),
    "index_select": _moved(lambda t, at: np.take(at, t.integers(2), t.argument(1)), "index"),
    "gather": _moved(_gathered, "gather"),
    "diagonal": _moved(
        lambda t, at: np.diagonal(at, *(t.argument(i, k) for i, k in ((1, 0), (2, 0), (3, 1)))), "diagonal"
    ),
    "constant_pad_nd": _padded,
    "upsample_nearest1d": _upsampled,
    "upsample_nearest2d": _upsampled,
    "where": _where,
    "masked_fill": _filled,
    "cumsum": _running_sum,
    "tril": _triangle(False),
    "triu": _triangle(True),
    "copy_": _copied_over,
    "overwritten": _overwritten,
}
