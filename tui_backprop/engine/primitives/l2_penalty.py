"""L2 penalty: y = loss + ½ λ Σ W², for one parameter tensor."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import Array, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive, copy


def _penalty(y: Array, _: Cache, loss: Array, w: Array, strength: Array) -> None:
    flat = w.reshape(-1)
    np.multiply(strength, 0.5 * np.dot(flat, flat), out=y)
    np.add(y, loss, out=y)


def _penalty_vjp_w(
    w_bar: Array, g: Array, _y: Array, _: Cache, loss: Array, w: Array, strength: Array
) -> None:
    np.multiply(w, g * strength, out=w_bar)


def _penalty_jvp_w(
    y_dot: Array, w_dot: Array, _y: Array, _: Cache, loss: Array, w: Array, strength: Array
) -> None:
    axes = "ij"[: w.ndim]
    y_dot[...] = strength * np.einsum(f"{axes},...{axes}->...", w, w_dot)


L2_PENALTY = Primitive(
    name="L2 penalty",
    kind="penalty",
    forward=_penalty,
    vjps=(copy, _penalty_vjp_w),
    jvps=(copy, _penalty_jvp_w),
    formula="{0} + ½ {2} Σ {1} ²",
    vjp_formulas=("{g}", "{2} {1}"),
    flops=lambda loss, w, strength: 2 * size(w) + 2,
    vjp_flops=(lambda loss, w, strength: 0, lambda loss, w, strength: size(w) + 1),
    torch="{0} + {2} / 2 * ({1} ** 2).sum()",
    shape=lambda loss, w, strength: (),
    passes_on=True,
)
