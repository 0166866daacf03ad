"""Pooling: each channel of an image, (n, channels, *image), by the largest entry or the mean of windows.

Where several entries of a window are the largest, the first one, row by row, gets the whole derivative, as in
PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.windows import entries_at, offsets, positions, suffix


@dataclass(frozen=True)
class Windows:
    """Windows of a size on each spatial axis, ``stride`` entries apart."""

    size: Shape
    stride: Shape

    def shape(self, x: Shape) -> Shape:
        if len(x) != 2 + len(self.size):
            raise ValueError(f"shape {x} does not fit: a window here takes {2 + len(self.size)} axes")
        return (*x[:2], *positions(x[2:], self.size, self.stride, (0,) * len(self.size)))

    @property
    def overlap(self) -> bool:
        return any(s < k for k, s in zip(self.size, self.stride, strict=True))

    def entries(self, x: Array, count: Shape) -> list[Array]:
        """Return views of the entries at each place of the windows; x may have further axes in front."""
        keys: list[tuple[Any, ...]] = [
            (..., *entries_at(offset, self.stride, count)) for offset in offsets(self.size)
        ]
        return [x[key] for key in keys]


# --- the largest entry ----------------------------------------------------------------------------------------


class Largest(NamedTuple):
    """The cache of max pooling, with a row for each sample."""

    places: Array  # (n, channels · positions): which entries of x are the largest, in a flattened sample
    winners: Array  # (n, channels, *positions): the same as the number of the place in the window
    number: Array  # work space, as winners
    larger: Array  # the same
    entries: Array  # the same: reading the entries of x once, which are apart, is faster than three times


@lru_cache(maxsize=256)
def _places(windows: Windows, x: Shape) -> tuple[Array, Array]:
    """Return where windows of a sample begin (channels · positions,), and what each place in a window adds to that,
    as positions in the flattened sample."""
    at = np.arange(size(x[1:])).reshape(1, *x[1:])
    first, *others = windows.entries(at, windows.shape(x)[2:])
    added = [0, *(int(other.flat[0] - first.flat[0]) for other in others)]
    return first.reshape(-1), np.array(added)


@dataclass(frozen=True)
class MaxPooling:
    """The rules of max pooling."""

    windows: Windows

    def room(self, dtype: np.dtype[Any], x: Shape) -> Largest:
        made = self.windows.shape(x)
        arrays = (np.empty(made, each) for each in (np.int16, np.int16, bool, dtype))
        return Largest(np.empty((x[0], size(made[1:])), np.intp), *arrays)

    def forward(self, y: Array, cache: Largest, x: Array) -> None:
        first, *others = self.windows.entries(x, y.shape[2:])
        np.copyto(y, first)
        cache.winners.fill(0)
        entries = cache.entries
        for number, other in enumerate(others, 1):
            np.copyto(entries, other)
            np.greater(entries.real, y.real, out=cache.larger)
            np.multiply(cache.larger, np.int16(number), out=cache.number)
            np.maximum(cache.winners, cache.number, out=cache.winners)
            if y.dtype.kind == "c":
                np.copyto(y, entries, where=cache.larger)
            else:
                np.maximum(y, entries, out=y)
        begin, added = _places(self.windows, x.shape)
        np.take(added, cache.winners.reshape(cache.places.shape), out=cache.places, mode="clip")
        np.add(cache.places, begin, out=cache.places)

    def vjp(self, x_bar: Array, g: Array, _y: Array, cache: Largest, _: Array) -> None:
        x_bar.fill(0)
        for to, places, cotangents in zip(x_bar, cache.places, g, strict=True):
            if self.windows.overlap:
                np.add.at(to.reshape(-1), places, cotangents.reshape(-1))
            else:
                to.reshape(-1)[places] = cotangents.reshape(-1)

    def jvp(self, y_dot: Array, x_dot: Array, y: Array, cache: Largest, x: Array) -> None:
        made = y_dot.reshape(-1, *cache.places.shape)
        np.copyto(made, np.take_along_axis(x_dot.reshape(-1, len(x), x[0].size), cache.places[None], -1))

    def winners(self, x: Array) -> Array:
        """Return which place of each window is the largest."""
        cache = self.room(x.dtype, x.shape)
        self.forward(np.empty(self.windows.shape(x.shape), x.dtype), cache, x)
        return cache.winners


# --- the mean -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AveragePooling:
    """The rules of average pooling."""

    windows: Windows

    def room(self, dtype: np.dtype[Any], x: Shape) -> Cache:
        return (np.empty(self.windows.shape(x), dtype),)

    def forward(self, y: Array, _: Cache, x: Array) -> None:
        first, *others = self.windows.entries(x, y.shape[y.ndim - len(self.windows.size) :])
        np.copyto(y, first)
        for entries in others:
            np.add(y, entries, out=y)
        np.divide(y, size(self.windows.size), out=y)

    def vjp(self, x_bar: Array, g: Array, _y: Array, cache: Cache, _: Array) -> None:
        (share,) = cache
        np.divide(g, size(self.windows.size), out=share)
        x_bar.fill(0)
        for entries in self.windows.entries(x_bar, g.shape[2:]):
            np.add(entries, share, out=entries)

    def jvp(self, y_dot: Array, x_dot: Array, _y: Array, _: Cache, x: Array) -> None:
        self.forward(y_dot, (), x_dot)


def _pooling(rules: AveragePooling | MaxPooling, torch: str, **own: Any) -> Primitive:
    """Make a pooling from its rules, the name of its function in PyTorch without the number of axes, and all else
    that differs between poolings."""
    windows = rules.windows
    line = f"F.{torch}{len(windows.size)}d({{0}}, {windows.size}, {windows.stride})"
    return Primitive(
        kind="pooling",
        forward=rules.forward,
        vjps=(rules.vjp,),
        jvps=(rules.jvp,),
        torch=line,
        torch_vjps=(_torch_vjp(line.replace("{0}", "x")),),
        shape=windows.shape,
        room=rules.room,
        by_sample=True,
        **own,
    )


@lru_cache(maxsize=256)
def average_pooling(window: Shape, stride: Shape = ()) -> Primitive:
    """Make the mean over windows of a size, ``stride`` apart: by default side by side."""
    windows = Windows(window, stride or window)
    entries = size(window)
    return _pooling(
        AveragePooling(windows),
        torch="avg_pool",
        name="average pooling",
        formula=f"mean( {{0}} , {_written(windows)} )",
        vjp_formulas=(f"Σ {{g}} / {entries}",),
        flops=lambda x: entries * size(windows.shape(x)),
        vjp_flops=(lambda x: (1 + entries) * size(windows.shape(x)),),
        short="avg pool",
    )


@lru_cache(maxsize=256)
def max_pooling(window: Shape, stride: Shape = ()) -> Primitive:
    """Make the largest entry of windows of a size, ``stride`` apart: by default side by side."""
    windows = Windows(window, stride or window)
    rules, entries = MaxPooling(windows), size(window)
    return _pooling(
        rules,
        torch="max_pool",
        name="max pooling",
        formula=f"max( {{0}} , {_written(windows)} )",
        vjp_formulas=("Σ {g} · [ {0} = {y} , the first ]",),
        flops=lambda x: (entries - 1) * size(windows.shape(x)),
        vjp_flops=(lambda x: size(windows.shape(x)),),
        side=rules.winners,
        convention="of equal entries in a window of max pooling, the first gets the whole derivative, as in PyTorch",
        short="max pool",
        pattern=average_pooling(window, stride),
    )


def _written(windows: Windows) -> str:
    """Write size and stride for a formula: 2×2 , stride 1."""
    stride = suffix(windows.stride, (0,)) if windows.stride != windows.size else ""
    return f"{'×'.join(map(str, windows.size))} windows{stride}"


def _torch_vjp(of: str) -> str:
    return f"torch.func.vjp(lambda x: {of}, {{0}})[1]({{g}})[0]"
