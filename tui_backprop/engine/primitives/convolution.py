"""Convolution as networks have it, a cross-correlation, and the bias of each channel.

    y[n, o, p] = Σ W[o, c, k] x[n, c, stride · p + k − padding]        summed over channels c and places k

Shapes: ``x`` (n, channels, *image), ``W`` (out channels, channels, *kernel), ``y`` (n, out channels, *positions), as
in PyTorch; entries of x outside of the image are 0.

The patches that a kernel covers are columns of a matrix, so that each rule is one matrix product (Chellapilla, Puri
and Simard 2006). Samples stand last there: what is copied then is long runs of neighbors in memory. Samples are taken
in parts, whose columns stay in the cache of a processor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive, copy
from tui_backprop.engine.primitives.linear import parts
from tui_backprop.engine.primitives.windows import entries_at, offsets, patches, positions, suffix

SAMPLES = 32  # in a part; a divisor of ``linear.SAMPLES``, so that shared passes are divided between parts

COLUMNS = 4096  # in a product: OpenBLAS takes up to five times as long for more, where channels are few


class Patches(NamedTuple):
    """The cache of a convolution. Each has a row for each sample; the rows of a part hold an array whose samples
    stand last."""

    padded: Array  # (channels, *padded image, samples)
    columns: Array  # (channels, *kernel, *positions, samples)
    turned: Array  # (out channels, *positions, samples): y, or its cotangent
    terms: Array  # (channels, *positions, samples): what one place of the kernel adds to the cotangent of x

    def part(self, samples: slice) -> Patches:
        return Patches(*(array[samples] for array in self))


@dataclass(frozen=True)
class Convolution:
    """The rules of a convolution: stride and padding, one of each for each spatial axis."""

    stride: Shape
    padding: Shape

    # --- shapes ---------------------------------------------------------------------------------------------

    def count(self, x: Shape, w: Shape) -> Shape:
        """Return the number of positions along each spatial axis."""
        return positions(x[2:], w[2:], self.stride, self.padding)

    def shape(self, x: Shape, w: Shape) -> Shape:
        rank = 2 + len(self.stride)
        if len(x) != rank or len(w) != rank:
            raise ValueError(f"shapes {x} and {w} do not fit: a convolution here takes {rank} axes of each")
        if x[1] != w[1]:
            raise ValueError(f"shapes {x} and {w} do not fit: {x[1]} channels for kernels of {w[1]}")
        return (x[0], w[0], *self.count(x, w))

    def padded(self, x: Shape) -> Shape:
        return tuple(n + 2 * p for n, p in zip(x[2:], self.padding, strict=True))

    def room(self, dtype: np.dtype[Any], x: Shape, w: Shape) -> Patches:
        count = size(self.count(x, w))
        lengths = x[1] * size(self.padded(x)), size(w[1:]) * count, w[0] * count, w[1] * count
        return Patches(*(np.empty((x[0], length), dtype) for length in lengths))

    def macs(self, x: Shape, w: Shape) -> int:
        return size(self.shape(x, w)) * size(w[1:])

    def flops(self, x: Shape, w: Shape) -> int:
        return 2 * self.macs(x, w)

    def factor(self, i: int, index: Shape, place: Shape, x: Shape, w: Shape) -> Shape:
        """Return the index of the entry of the other input that multiplies one of input ``i`` in y[place]."""
        sample, out, *at = place
        corner = [s * p - pad for s, p, pad in zip(self.stride, at, self.padding, strict=True)]
        if i == 0:
            return (out, index[1], *(k - first for k, first in zip(index[2:], corner, strict=True)))
        return (sample, index[1], *(k + first for k, first in zip(index[2:], corner, strict=True)))

    # --- rules ----------------------------------------------------------------------------------------------

    def _inside(self, x: Shape) -> tuple[slice, ...]:
        """Return the slices of a padded image that hold the image."""
        return tuple(slice(p, p + n) for n, p in zip(x[2:], self.padding, strict=True))

    def _columns(self, cache: Patches, x: Array, w: Shape) -> Array:
        """Fill the columns of a part, (channels · kernel, positions · samples)."""
        padded = cache.padded.reshape(x.shape[1], *self.padded(x.shape), len(x))
        if any(self.padding):
            padded.fill(0)
        padded[:, *self._inside(x.shape)] = np.moveaxis(x, 0, -1)
        count = self.count(x.shape, w)
        columns = cache.columns.reshape(*w[1:], *count, len(x))
        np.copyto(columns, patches(padded, w[2:], self.stride, count))
        return columns.reshape(size(w[1:]), -1)

    def forward(self, y: Array, cache: Patches, x: Array, w: Array) -> None:
        for part in parts(len(x), SAMPLES):
            columns, made = self._columns(cache.part(part), x[part], w.shape), y[part]
            turned = cache.turned[part].reshape(len(w), -1)
            for some in parts(columns.shape[1], COLUMNS):
                np.matmul(w.reshape(len(w), -1), columns[:, some], out=turned[:, some])
            np.copyto(made, np.moveaxis(turned.reshape(*made.shape[1:], len(made)), -1, 0))

    def vjp_x(self, x_bar: Array, g: Array, _y: Array, cache: Patches, x: Array, w: Array) -> None:
        count, channels = g.shape[2:], x.shape[1]
        for part in parts(len(g), SAMPLES):
            room, samples = cache.part(part), len(g[part])
            turned, term = _turned(g[part], room), room.terms.reshape(channels, -1)
            padded = room.padded.reshape(channels, *self.padded(x.shape), samples)
            padded.fill(0)
            for offset in offsets(w.shape[2:]):
                at: tuple[Any, ...] = (..., *offset)
                np.dot(w[at].T, turned, out=term)
                padded[:, *entries_at(offset, self.stride, count)] += term.reshape(-1, *count, samples)
            np.copyto(x_bar[part], np.moveaxis(padded[:, *self._inside(x.shape)], -1, 0))

    def vjp_w(self, w_bar: Array, g: Array, _y: Array, cache: Patches, x: Array, w: Array) -> None:
        total = np.zeros((size(w.shape[1:]), len(w)), w_bar.dtype)
        for part in parts(len(g), SAMPLES):
            room = cache.part(part)
            turned, columns = _turned(g[part], room), room.columns.reshape(len(total), -1)
            for some in parts(columns.shape[1], COLUMNS):
                total += columns[:, some] @ turned[:, some].T
        np.copyto(w_bar.reshape(len(w), -1), total.T)

    def jvp_x(self, y_dot: Array, x_dot: Array, _y: Array, _: Patches, x: Array, w: Array) -> None:
        images, made = x_dot.reshape(-1, *x.shape[1:]), y_dot.reshape(-1, *_y.shape[1:])
        for part in parts(len(images), SAMPLES):
            room = self.room(y_dot.dtype, images[part].shape, w.shape)
            self.forward(made[part], room, images[part], w)

    def jvp_w(self, y_dot: Array, w_dot: Array, y: Array, cache: Patches, x: Array, w: Array) -> None:
        kernels = w_dot.reshape(-1, size(w.shape[1:]))
        made = y_dot.reshape(-1, *y.shape)
        for part in parts(len(x), SAMPLES):
            product = kernels @ cache.columns[part].reshape(kernels.shape[1], -1)
            samples = len(x[part])
            made[:, part] = np.moveaxis(product.reshape(len(made), *y.shape[1:], samples), -1, 1)


def _turned(g: Array, room: Patches) -> Array:
    """Return the cotangents of a part as (out channels, positions · samples)."""
    turned = room.turned.reshape(*g.shape[1:], len(g))
    np.copyto(turned, np.moveaxis(g, 0, -1))
    return turned.reshape(g.shape[1], -1)


def _convolution(name: str, stride: Shape, padding: Shape) -> Primitive:
    """Make the primitive."""
    rules = Convolution(stride, padding)
    given = f"stride={stride}, padding={padding}"
    return Primitive(
        name=name,
        kind="convolution",
        forward=rules.forward,
        vjps=(rules.vjp_x, rules.vjp_w),
        jvps=(rules.jvp_x, rules.jvp_w),
        formula=f"{name}( {{0}} , {{1}}{suffix(stride, padding)} )",
        vjp_formulas=(f"{name}ᵀ( {{g}} , {{1}} )", "Σ {g} · patches of {0}"),
        flops=rules.flops,
        vjp_flops=(rules.flops, rules.flops),
        torch=f"torch.{name}({{0}}, {{1}}, {given})",
        torch_vjps=(
            f"torch.nn.grad.{name}_input({{0}}.shape, {{1}}, {{g}}, {given})",
            f"torch.nn.grad.{name}_weight({{0}}, {{1}}.shape, {{g}}, {given})",
        ),
        shape=rules.shape,
        room=rules.room,
        macs=rules.macs,
        by_sample=True,
        factor=rules.factor,
        terms_and_units=lambda x, w: (size(w[1:]), w[0]),
    )


@lru_cache(maxsize=256)
def conv2d(stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0) -> Primitive:
    """Make the convolution of images (n, channels, height, width) with kernels (out, channels, height, width)."""
    return _convolution("conv2d", _pair(stride), _pair(padding))


@lru_cache(maxsize=256)
def conv1d(stride: int = 1, padding: int = 0) -> Primitive:
    """Make the convolution of sequences (n, channels, length) with kernels (out, channels, length)."""
    return _convolution("conv1d", (stride,), (padding,))


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


# --- channel bias: y = u + b, u (n, channels, *image), b (channels,) ------------------------------------------


def _of_channels(b: Array, u: Array) -> Array:
    """Return a vector of the channels with the axes of images behind it."""
    return b.reshape(*b.shape, *(1,) * (u.ndim - 2))


def _with_channels(u: Shape, b: Shape) -> Shape:
    if len(u) < 2 or b != u[1:2]:
        raise ValueError(f"shapes {u} and {b} do not fit: one number for each channel is expected")
    return u


def _add(y: Array, _: Cache, u: Array, b: Array) -> None:
    np.add(u, _of_channels(b, u), out=y)


def _sum_of_positions(b_bar: Array, g: Array, *_: object) -> None:
    np.add.reduce(g, axis=(0, *range(2, g.ndim)), out=b_bar)


def _same_everywhere(y_dot: Array, b_dot: Array, _y: Array, _: Cache, u: Array, b: Array) -> None:
    np.copyto(y_dot, _of_channels(b_dot, u)[..., None, :, *(slice(None),) * (u.ndim - 2)])


@lru_cache
def channel_bias_add(axes: int = 2) -> Primitive:
    """Make the addition of a number for each channel to images of so many spatial ``axes``."""
    behind, summed = ", None" * axes, (0, *range(2, 2 + axes))
    return Primitive(
        name="channel bias add",
        kind="channel bias",
        forward=_add,
        vjps=(copy, _sum_of_positions),
        jvps=(copy, _same_everywhere),
        formula="{0} + {1}",
        vjp_formulas=("{g}", "Σ {g}"),
        flops=lambda u, b: size(u),
        vjp_flops=(lambda u, b: 0, lambda u, b: size(u) - size(b)),
        torch=f"{{0}} + {{1}}[:{behind}]",
        torch_vjps=("{g}", f"{{g}}.sum({summed})"),
        shape=_with_channels,
        in_place=True,
        passes_on=True,
        by_sample=True,
    )
