"""Wrong ideas about the slope of an elementwise function."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array, Primitive, Rule

ELEMENTWISE_KINDS = ("activation", "function")


def _elementwise(site: Site) -> bool:
    return site.row.kind in ELEMENTWISE_KINDS and len(site.row.vjps) == 1


def slope(row: Primitive, at: Array) -> Array:
    """Return f' of an elementwise function at any numbers."""
    y, made, cache = np.empty_like(at), np.empty_like(at), row.room(at.dtype, at.shape)
    row.forward(y, cache, at)
    row.vjps[0](made, np.ones_like(at), y, cache, at)
    return made


def _pass_on(x_bar: Array, g: Array, *_: Array) -> None:
    np.copyto(x_bar, g)


def no_slope(site: Site) -> Op | None:
    return site.replacing({0: _pass_on}) if _elementwise(site) else None


def at_output(site: Site) -> Op | None:
    def rule(x_bar: Array, g: Array, y: Array, *_: Array) -> None:
        np.multiply(g, slope(site.row, y), out=x_bar)

    return site.replacing({0: rule}) if _elementwise(site) else None


def at_error(site: Site) -> Op | None:
    def rule(x_bar: Array, g: Array, *_: Array) -> None:
        np.multiply(g, slope(site.row, g), out=x_bar)

    return site.replacing({0: rule}) if _elementwise(site) else None


def as_matrix_product(site: Site) -> Op | None:
    """Sum g f' over the units, as the product of a row and a column does."""

    def spoil(x_bar: Array, *_: Array) -> None:
        x_bar[...] = x_bar.sum(axis=-1, keepdims=True)

    return site.spoiling(0, spoil=spoil) if _elementwise(site) and site.shape(0) else None


def at_inner_input(site: Site) -> Op | None:
    """Take f' at x instead of at g(x), where both have the same shape."""
    if not _elementwise(site):
        return None
    x = _inner_input(site)
    return site.replacing({0: _slope_at_last(site.row)}, reads=(x,)) if x else None


def _slope_at_last(row: Primitive) -> Rule:
    def rule(x_bar: Array, g: Array, _y: Array, _: object, *x: Array) -> None:
        np.multiply(g, slope(row, x[-1]), out=x_bar)

    return rule


def _inner_input(site: Site) -> str | None:
    """Return the input x of the function g of which f is taken; None if it has another shape."""
    graph, name = site.graph, site.op.inputs[0]
    inner = graph.by_output.get(name)
    while inner and inner.primitive.in_place:  # z = (x W) + b is one function of x
        name = inner.inputs[0]
        inner = graph.by_output.get(name)
    x = graph.by_name[inner.inputs[0]] if inner else None
    fits = x and x.shape == site.shape(0) and x.role != "target"
    return x.name if x and fits and x.name not in graph.overwritten else None
