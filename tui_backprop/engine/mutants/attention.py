"""Wrong ideas about the backward pass of attention: its softmax, its mask and its scale."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import np
from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.softmax import Softmax, SoftmaxCache, softmax


def diagonal_softmax(site: Site) -> Op | None:
    """Take y (1 − y) for the derivative of a softmax, as if each weight depended on its own score alone."""

    def rule(x_bar: Array, g: Array, y: Array, *_: object) -> None:
        np.multiply(g, y * (1 - y), out=x_bar)

    return site.replacing({0: rule}) if isinstance(site.row, Softmax) else None


def no_causal_mask(site: Site) -> Op | None:
    """Compute the weights again without the mask, so that gradients reach scores that were masked."""

    def rule(x_bar: Array, g: Array, _y: Array, _: SoftmaxCache, x: Array) -> None:
        every, unmasked = softmax(), np.empty_like(x)
        room = every.room(x.dtype, x.shape)
        every.forward(unmasked, room, x)
        every.vjps[0](x_bar, g, unmasked, room, x)

    return site.replacing({0: rule}) if isinstance(site.row, Softmax) and site.row.causal else None


def no_constant_factor(site: Site) -> Op | None:
    """Leave out a factor that is a constant: attention divides its scores by √(d)."""

    def rule(x_bar: Array, g: Array, *_: object) -> None:
        np.copyto(x_bar, g)

    constants = {value.name for value in site.graph.constants}
    scaled = [i for i, name in enumerate(site.op.inputs) if name not in constants]
    return site.replacing({scaled[0]: rule}) if site.row.sign == "*" and len(scaled) == 1 else None
