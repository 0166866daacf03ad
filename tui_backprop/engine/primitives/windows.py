"""Windows that slide over images: where they are, and which entries they hold.

An image has any number of spatial axes, its last ones; a window has a size, a stride and a padding for each."""

from __future__ import annotations

from collections.abc import Iterator

from tui_backprop.engine.arrays.types import Array, Shape, np


def positions(image: Shape, size: Shape, stride: Shape, padding: Shape) -> Shape:
    """Return the number of positions of a window along each spatial axis. Raises ValueError for a window that is
    larger than the padded image, and for images of other rank than the window."""
    if len(image) != len(size):
        raise ValueError(f"images of shape {image} do not fit a window of shape {size}")
    if any(n + 2 * p < k for n, k, p in zip(image, size, padding, strict=True)):
        raise ValueError(f"a window of shape {size} does not fit into images of shape {image}")
    return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(image, size, stride, padding, strict=True))


def offsets(size: Shape) -> Iterator[Shape]:
    """Iterate over the places in a window, row by row."""
    return iter(np.ndindex(*size))


def entries_at(offset: Shape, stride: Shape, count: Shape) -> tuple[slice, ...]:
    """Return the slices of the spatial axes that hold the entry at an offset of each of ``count`` windows."""
    return tuple(slice(at, at + s * (n - 1) + 1, s) for at, s, n in zip(offset, stride, count, strict=True))


def patches(x: Array, size: Shape, stride: Shape, count: Shape) -> Array:
    """Return a view of the entries in all windows: (c, *size, *count, n) of images (c, *image, n)."""
    channel, *spatial, sample = x.strides
    steps = (step * s for step, s in zip(spatial, stride, strict=True))
    shape, strides = (len(x), *size, *count, x.shape[-1]), (channel, *spatial, *steps, sample)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def suffix(stride: Shape, padding: Shape) -> str:
    """Write stride and padding for a formula, where they are not 1 and 0."""
    parts = (("stride", stride, 1), ("padding", padding, 0))
    return "".join(
        f" , {word} {short(value)}" for word, value, plain in parts if any(each != plain for each in value)
    )


def short(sizes: Shape) -> str:
    """Write a size: 2, or 2×3 where it differs between axes."""
    return "×".join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1]))
