"""Wrong ideas about products: of a layer's input and its weights, and of numbers."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import MATMUL, Array, Rule
from tui_backprop.engine.primitives.linear import WEIGHT_ROWS
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT


def _matrices(site: Site) -> bool:
    """Check for a product of two matrices."""
    ranks = [len(site.shape(i)) for i in range(len(site.op.inputs))]
    return site.row in (MATMUL, MATRIX_PRODUCT) and ranks == [2, 2]


def _square(site: Site) -> bool:
    """Check for a square matrix on the right, whose gradient a pass does not divide into parts."""
    rows, columns = site.shape(1) if _matrices(site) else (0, 1)
    return rows == columns <= WEIGHT_ROWS


def through_gradient(site: Site) -> Op | None:
    def rule(a_bar: Array, g: Array, _y: Array, _: object, a: Array, w: Array) -> None:
        a_bar[...] = g @ (a.T @ g).T

    return site.replacing({0: rule}) if _matrices(site) else None


def updated_weights(site: Site) -> Op | None:
    def rule(a_bar: Array, g: Array, _y: Array, _: object, a: Array, w: Array) -> None:
        a_bar[...] = g @ (w - site.lr * (a.T @ g)).T

    return site.replacing({0: rule}) if _matrices(site) and 1 in site.into_parameters else None


def no_transpose(site: Site) -> Op | None:
    def rule(a_bar: Array, g: Array, _y: Array, _: object, a: Array, w: Array) -> None:
        a_bar[...] = g @ w

    return site.replacing({0: rule}) if _square(site) else None


def transposed_gradient(site: Site) -> Op | None:
    def rule(w_bar: Array, g: Array, _y: Array, _: object, a: Array, w: Array) -> None:
        w_bar[...] = g.T @ a

    return site.replacing({1: rule}) if _square(site) else None


def no_input(site: Site) -> Op | None:
    def rule(w_bar: Array, g: Array, *_: Array) -> None:
        w_bar[...] = g.sum(axis=0)

    return site.replacing({1: rule}) if _matrices(site) else None


def means_first(site: Site) -> Op | None:
    """Multiply the mean input by the summed deltas, instead of summing the products of the samples."""

    def rule(w_bar: Array, g: Array, _y: Array, _: object, a: Array, w: Array) -> None:
        w_bar[...] = np.outer(a.mean(axis=0), g.sum(axis=0))

    return site.replacing({1: rule}) if _matrices(site) and 1 in site.into_parameters else None


def own_factor(site: Site) -> Op | None:
    """Multiply by the factor itself instead of by the other one."""

    def rule(i: int) -> Rule:
        def wrong(x_bar: Array, g: Array, _y: Array, _: object, *x: Array) -> None:
            np.multiply(g, x[i], out=x_bar)

        return wrong

    alike = site.row.sign == "*" and site.shape(0) == site.shape(1)
    return site.replacing({0: rule(0), 1: rule(1)}) if alike else None
