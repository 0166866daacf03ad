"""The definition of an elementwise function, and the primitive made from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive


@dataclass(frozen=True, eq=False, repr=False)
class Activation:
    """f and f' of an elementwise function, and its properties.

    Both may use ``rooms`` work arrays of z's shape; f' finds there what f has saved. ``zero`` is an array of zeros:
    comparing with it is faster than comparing with a number."""

    forward: Callable[..., None]  # (a, z, zero, *rooms): a = f(z)
    slope: Callable[..., None]  # (d, z, a, zero, *rooms): d = f'(z)
    formula: str  # of f, with {0} = z
    slope_formula: str  # of f', with {0} = z and {y} = a
    torch: str  # f in PyTorch, with {0} = z
    rooms: int = 0
    flops: int = 1  # of f for each entry; an exponential counts as one
    slope_flops: int = 1
    slope_dtype: type | None = None  # bool where f' is 0 or 1
    torch_slope: str = ""  # f' in PyTorch, with {0} = z and {y} = a
    kink: bool = False  # f' jumps at 0
    saves: bool = False  # f' reads a work array, though its formula computes that from z again
    can_die: bool = False  # f and f' are 0 far enough below zero
    zero_below: bool = False  # f and f' are exactly 0 for every z below zero
    bounds: tuple[float, float] | None = None  # of f, where it has both

    @property
    def saturates(self) -> bool:
        """True if f approaches a bound on either side, where its slope approaches 0."""
        return self.bounds is not None

    def saturated(self, a: Array, share: float) -> Array:
        """Mark the outputs beyond this share of the distance from the middle of the bounds to a bound."""
        low, high = self.bounds or (-math.inf, math.inf)
        beyond: Array = np.abs(2 * a - (low + high)) > share * (high - low)
        return beyond


def elementwise(name: str, row: Activation, kind: str = "activation") -> Primitive:
    """Make the primitive of an activation, or of a function of another ``kind``: its VJP and JVP both multiply by
    f'."""

    def room(dtype: np.dtype[Any], z: Shape) -> Cache:
        slope = np.empty(z, row.slope_dtype or dtype)
        return slope, np.zeros(z, dtype), *(np.empty(z, dtype) for _ in range(row.rooms))

    def forward(a: Array, cache: Cache, z: Array) -> None:
        row.forward(a, z, *cache[1:])

    def times_slope(to: Array, given: Array, a: Array, cache: Cache, z: Array) -> None:
        row.slope(cache[0], z, a, *cache[1:])
        factor = cache[0]
        if row.slope_dtype is bool:  # multiplying by a mask of another type takes longer
            np.copyto(to, factor)
            factor = to
        np.multiply(given, factor, out=to)

    return Primitive(
        name=name,
        kind=kind,
        forward=forward,
        vjps=(times_slope,),
        jvps=(times_slope,),
        formula=row.formula,
        vjp_formulas=(f"{{g}} {'⊙' if kind == 'activation' else '·'} {row.slope_formula}",),
        flops=lambda z: row.flops * size(z),
        vjp_flops=(lambda z: (row.slope_flops + 1) * size(z),),
        torch=row.torch,
        torch_vjps=(f"{{g}} * ({row.torch_slope})",) if row.torch_slope else (),
        room=room,
        by_sample=True,
        kink=row.kink,
        convention=f"the derivative of {name} at 0 is 0, as in PyTorch"
        if row.kink and kind == "function"
        else "",
        side=(lambda z: z.real > 0) if row.kink else None,
        saves=row.saves,
    )
