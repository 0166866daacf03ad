"""Matrix product, bias and residual: the primitives that are linear in each input."""

from __future__ import annotations

from typing import Any

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive, copy

# --- matmul: y = a W --------------------------------------------------------------------------------------
# By np.dot: for one sample (outer products, matrix-vector products) np.matmul takes up to five times as long.
# Large products are computed in parts, which threads can share (see ``network/shared_pass.py``). BLAS may round a
# part differently from the whole, so that the parts are the same however many threads there are.

SAMPLES = 128  # samples in a part, at most
WEIGHT_ROWS = 256  # rows of W in a part, at most

# OpenBLAS rearranges Wᵀ for each product g Wᵀ, which for few samples takes up to twice the time of the product
# itself; W gᵀ, turned afterwards, gives the same bits without that.
FEW_SAMPLES = range(3, 65)
WIDE = 128  # rows and columns of W from which on it pays


def parts(rows: int, most: int) -> list[slice]:
    """Divide rows into parts of ``most`` rows; the last one has what is left."""
    return [slice(start, min(start + most, rows)) for start in range(0, rows, most)]


def _matmul(y: Array, _: Cache, a: Array, w: Array) -> None:
    if len(a) <= SAMPLES:
        np.dot(a, w, out=y)
        return
    for part in parts(len(a), SAMPLES):
        np.dot(a[part], w, out=y[part])


def _room_to_turn(dtype: np.dtype[Any], a: Shape, w: Shape) -> Cache:
    return (np.empty(a, dtype),) if a[0] in FEW_SAMPLES and min(w) >= WIDE else ()


def _matmul_vjp_a(a_bar: Array, g: Array, _y: Array, cache: Cache, a: Array, w: Array) -> None:
    if cache:
        turned = cache[0].reshape(a.shape[::-1])
        np.dot(w, g.T, out=turned)
        np.copyto(a_bar, turned.T)
        return
    if len(g) <= SAMPLES:
        np.dot(g, w.T, out=a_bar)
        return
    for part in parts(len(g), SAMPLES):
        np.dot(g[part], w.T, out=a_bar[part])


def _matmul_vjp_w(w_bar: Array, g: Array, _y: Array, _: Cache, a: Array, w: Array) -> None:
    if len(g) == 1:  # an outer product rounds each entry by itself
        np.dot(a.T, g, out=w_bar)
        return
    for part in parts(len(w), WEIGHT_ROWS):
        np.matmul(a[:, part].T, g, out=w_bar[part])  # np.dot would copy the columns


def _matmul_jvp_a(y_dot: Array, a_dot: Array, _y: Array, _: Cache, a: Array, w: Array) -> None:
    np.dot(
        a_dot.reshape(-1, w.shape[0]), w, out=y_dot.reshape(-1, w.shape[1])
    )  # one product for all tangents


def _matmul_jvp_w(y_dot: Array, w_dot: Array, _y: Array, _: Cache, a: Array, w: Array) -> None:
    np.matmul(a, w_dot, out=y_dot)


def _matmul_macs(a: Shape, w: Shape) -> int:
    return a[0] * w[0] * w[1]


def _matmul_flops(a: Shape, w: Shape) -> int:
    return 2 * _matmul_macs(a, w)


def _matmul_factor(i: int, index: Shape, place: Shape, a: Shape, w: Shape) -> Shape:
    return (place[0], index[0]) if i else (index[1], place[1])


MATMUL = Primitive(
    name="matmul",
    kind="affine",
    forward=_matmul,
    vjps=(_matmul_vjp_a, _matmul_vjp_w),
    jvps=(_matmul_jvp_a, _matmul_jvp_w),
    formula="{0} {1}",
    vjp_formulas=("{g} {1}ᵀ", "{0}ᵀ {g}"),
    flops=_matmul_flops,
    vjp_flops=(_matmul_flops, _matmul_flops),
    torch="{0} @ {1}",
    torch_module="nn.Linear",
    torch_vjps=("{g} @ {1}.T", "{0}.T @ {g}"),
    shape=lambda a, w: (a[0], w[1]),
    room=_room_to_turn,
    macs=_matmul_macs,
    by_sample=True,
    factor=_matmul_factor,
)

# --- bias add: y = u + b ----------------------------------------------------------------------------------


def _add(y: Array, _: Cache, left: Array, right: Array) -> None:
    np.add(left, right, out=y)


def _ones(dtype: np.dtype[Any], u: Shape, b: Shape) -> Cache:
    return (np.ones(u[0], dtype),)


def _sum_of_samples(b_bar: Array, g: Array, _y: Array, cache: Cache, *_: Array) -> None:
    np.dot(cache[0], g, out=b_bar)  # takes half the time of a sum over the first axis


def _same_for_all_samples(y_dot: Array, b_dot: Array, *_: object) -> None:
    np.copyto(y_dot, b_dot[..., None, :])


BIAS_ADD = Primitive(
    name="bias add",
    kind="affine",
    forward=_add,
    vjps=(copy, _sum_of_samples),
    jvps=(copy, _same_for_all_samples),
    formula="{0} + {1}",
    vjp_formulas=("{g}", "Σ {g}"),
    flops=lambda u, b: size(u),
    vjp_flops=(lambda u, b: 0, lambda u, b: size(u) - size(b)),
    torch="{0} + {1}",
    torch_vjps=("{g}", "{g}.sum(0)"),
    room=_ones,
    in_place=True,
    passes_on=True,
    by_sample=True,
)

# --- residual add: y = h + a, a layer's output added to its input -----------------------------------------

RESIDUAL_ADD = Primitive(
    name="residual add",
    kind="residual",
    forward=_add,
    vjps=(copy, copy),
    jvps=(copy, copy),
    formula="{0} + {1}",
    vjp_formulas=("{g}", "{g}"),
    flops=lambda h, a: size(h),
    vjp_flops=(lambda h, a: 0, lambda h, a: 0),
    torch="{0} + {1}",
    passes_on=True,
    by_sample=True,
)
