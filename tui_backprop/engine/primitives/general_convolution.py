"""Convolutions of any rank with stride, padding, dilation and groups, and their transposes (the adjoint maps).

    y[n, o, p] = Σ W[o, c, k] x[n, c, stride · p + dilation · k − padding]

summed over the channels c of o's group and the places k of the kernel. Each place is one product of matrices; the
rows of ``convolution.py`` are faster, for the case without dilation and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.windows import offsets


def _at(place: Shape) -> Any:
    """Return the key of what a kernel holds at a place."""
    return (..., *place)


@dataclass(frozen=True)
class Sliding:
    """How a kernel slides; ``extra`` rows are added at the end of what a transposed convolution makes."""

    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int = 1
    extra: Shape = ()

    def positions(self, image: Shape, kernel: Shape) -> Shape:
        """Return the number of positions along each spatial axis. Raises ValueError where a kernel does not fit."""
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, kernel, strict=True)]
        room = [n + 2 * p - span for n, p, span in zip(image, self.padding, spans, strict=True)]
        if min(room) < 0:
            raise ValueError(f"a kernel of shape {kernel} does not fit into images of shape {image}")
        return tuple(n // s + 1 for n, s in zip(room, self.stride, strict=True))

    def image(self, positions: Shape, kernel: Shape) -> Shape:
        """Return the image that a transposed convolution makes of so many positions."""
        extra = self.extra or (0,) * len(kernel)
        each = zip(positions, kernel, self.stride, self.padding, self.dilation, extra, strict=True)
        return tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, d, e in each)

    def views(self, padded: Array, kernel: Shape, count: Shape) -> Iterator[tuple[Shape, Array]]:
        """Yield the places of a kernel, and the view of a padded image that each meets."""
        for place in offsets(kernel):
            starts = [k * d for k, d in zip(place, self.dilation, strict=True)]
            parts = zip(starts, count, self.stride, strict=True)
            key: Any = (..., *(slice(at, at + s * (n - 1) + 1, s) for at, n, s in parts))
            yield place, padded[key]

    def grouped(self, x: Array) -> Array:
        """Return images (n, channels, *image) as (n, groups, channels of one, *image)."""
        return x.reshape(len(x), self.groups, -1, *x.shape[2:])

    def padded(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return an empty padded image for images of a grouped shape."""
        return np.zeros(
            (*shape[:3], *(n + 2 * p for n, p in zip(shape[3:], self.padding, strict=True))), dtype
        )

    def inside(self, padded: Array, image: Shape) -> Array:
        """Return the view of a padded image that is the image."""
        key: Any = (..., *(slice(p, p + n) for p, n in zip(self.padding, image, strict=True)))
        return np.asarray(padded[key])

    def down(self, x: Array, w: Array) -> Array:
        """Convolve x (n, channels, *image) with w (out, channels of a group, *kernel)."""
        grouped, kernel = self.grouped(x), w.shape[2:]
        count = self.positions(x.shape[2:], kernel)
        padded = self.padded(grouped.shape, x.dtype)
        self.inside(padded, x.shape[2:])[...] = grouped
        kernels = w.reshape(self.groups, -1, *w.shape[1:])
        made = np.zeros((len(x), self.groups, kernels.shape[1], size(count)), np.result_type(x, w))
        for place, view in self.views(padded, kernel, count):
            made += kernels[_at(place)] @ view.reshape(*view.shape[:3], -1)
        return made.reshape(len(x), len(w), *count)

    def up(self, g: Array, w: Array, image: Shape) -> Array:
        """Return the adjoint of ``down`` by x, applied to g (n, out, *positions)."""
        grouped, kernel = self.grouped(g), w.shape[2:]
        kernels = w.reshape(self.groups, -1, *w.shape[1:])
        shape = (len(g), self.groups, w.shape[1], *image)
        padded = self.padded(shape, np.result_type(g, w))
        flat = grouped.reshape(*grouped.shape[:3], -1)
        for place, view in self.views(padded, kernel, g.shape[2:]):
            view += (kernels[_at(place)].swapaxes(-1, -2) @ flat).reshape(view.shape)
        return np.asarray(self.inside(padded, image).reshape(len(g), -1, *image))

    def kernel(self, x: Array, g: Array, w: Shape) -> Array:
        """Return the adjoint of ``down`` by w, for x and g."""
        grouped = self.grouped(x)
        padded = self.padded(grouped.shape, x.dtype)
        self.inside(padded, x.shape[2:])[...] = grouped
        flat = self.grouped(g)
        flat = flat.reshape(*flat.shape[:3], -1)
        made = np.empty((self.groups, flat.shape[2], *w[1:]), np.result_type(x, g))
        for place, view in self.views(padded, w[2:], g.shape[2:]):
            made[_at(place)] = (flat @ view.reshape(*view.shape[:3], -1).swapaxes(-1, -2)).sum(axis=0)
        return made.reshape(w)

    @property
    def words(self) -> str:
        """The settings that are not the usual ones, for a formula."""
        each = {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": (self.groups,),
        }
        usual = {"padding": 0}
        return "".join(
            f" , {name} {'×'.join(map(str, sorted(set(value)) if len(set(value)) == 1 else value))}"
            for name, value in each.items()
            if any(n != usual.get(name, 1) for n in value)
        )


def _each(rule: Any, tangents: Array, rank: int, made: Array, made_rank: int) -> None:
    """Apply a linear map to each of the tangents, which have further axes in front."""
    flat = tangents.reshape(-1, *tangents.shape[tangents.ndim - rank :])
    to = made.reshape(-1, *made.shape[made.ndim - made_rank :])
    for one, into in zip(flat, to, strict=True):
        into[...] = rule(one)


def general_convolution(sliding: Sliding) -> Primitive:
    """Make the convolution of x (n, channels, *image) with W (out, channels of a group, *kernel)."""

    def macs(x: Shape, w: Shape) -> int:
        return x[0] * w[0] * size(sliding.positions(x[2:], w[2:])) * size(w[1:])

    def vjp_x(x_bar: Array, g: Array, _y: Array, _: Cache, x: Array, w: Array) -> None:
        x_bar[...] = sliding.up(g, w, x.shape[2:])

    def vjp_w(w_bar: Array, g: Array, _y: Array, _: Cache, x: Array, w: Array) -> None:
        w_bar[...] = sliding.kernel(x, g, w.shape)

    return _row(
        f"general conv{len(sliding.stride)}d",
        f"conv{len(sliding.stride)}d( {{0}} , {{1}}{sliding.words} )",
        lambda y, _, x, w: np.copyto(y, sliding.down(x, w)),
        (vjp_x, vjp_w),
        (
            lambda y_dot, x_dot, y, _, x, w: _each(
                lambda t: sliding.down(t, w), x_dot, x.ndim, y_dot, y.ndim
            ),
            lambda y_dot, w_dot, y, _, x, w: _each(
                lambda t: sliding.down(x, t), w_dot, w.ndim, y_dot, y.ndim
            ),
        ),
        lambda x, w: (x[0], w[0], *sliding.positions(x[2:], w[2:])),
        macs,
        f"F.conv{len(sliding.stride)}d({{0}}, {{1}}, None, {sliding.stride}, {sliding.padding}, {sliding.dilation},"
        f" {sliding.groups})",
    )


def transposed_convolution(sliding: Sliding) -> Primitive:
    """Make the adjoint of a convolution: of x (n, channels, *positions) with W (channels, out of a group,
    *kernel)."""

    def shape(x: Shape, w: Shape) -> Shape:
        return (x[0], w[1] * sliding.groups, *sliding.image(x[2:], w[2:]))

    def up(x: Array, w: Array) -> Array:
        return sliding.up(x, w, sliding.image(x.shape[2:], w.shape[2:]))

    def vjp_x(x_bar: Array, g: Array, _y: Array, _: Cache, x: Array, w: Array) -> None:
        key: Any = (..., *(slice(n) for n in x.shape[2:]))
        x_bar[...] = sliding.down(g, w)[key]

    def vjp_w(w_bar: Array, g: Array, _y: Array, _: Cache, x: Array, w: Array) -> None:
        w_bar[...] = sliding.kernel(g, x, w.shape)

    return _row(
        f"transposed conv{len(sliding.stride)}d",
        f"conv{len(sliding.stride)}dᵀ( {{0}} , {{1}}{sliding.words} )",
        lambda y, _, x, w: np.copyto(y, up(x, w)),
        (vjp_x, vjp_w),
        (
            lambda y_dot, x_dot, y, _, x, w: _each(lambda t: up(t, w), x_dot, x.ndim, y_dot, y.ndim),
            lambda y_dot, w_dot, y, _, x, w: _each(lambda t: up(x, t), w_dot, w.ndim, y_dot, y.ndim),
        ),
        shape,
        lambda x, w: size(x) * size(w[1:]),
        f"F.conv_transpose{len(sliding.stride)}d({{0}}, {{1}}, None, {sliding.stride}, {sliding.padding},"
        f" {sliding.extra or 0}, {sliding.groups}, {sliding.dilation})",
    )


def _row(
    name: str, formula: str, forward: Any, vjps: Any, jvps: Any, shape: Any, macs: Any, torch: str
) -> Primitive:
    """Make the primitive; what differs between the two is given."""
    return Primitive(
        name=name,
        kind="product",
        forward=forward,
        vjps=vjps,
        jvps=jvps,
        formula=formula,
        vjp_formulas=("adjoint( {g} , {1} )", "Σ {g} · patches of {0}"),
        flops=lambda x, w: 2 * macs(x, w),
        vjp_flops=(lambda x, w: 2 * macs(x, w), lambda x, w: 2 * macs(x, w)),
        torch=torch,
        torch_vjps=tuple(
            f"torch.func.vjp(lambda u: {torch.replace(f'{{{i}}}', 'u')}, {{{i}}})[1]({{g}})[0]"
            for i in range(2)
        ),
        shape=shape,
        macs=macs,
    )
