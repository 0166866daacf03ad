"""Linear operations that place entries: any selection and repetition of them, writing some over others, running
sums, broadcasting.

``places`` are positions in the flattened input, −1 for an entry that is none of it."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.broadcasting import lifted, sum_to

NOWHERE = -1
LISTED = 64  # places, at most, that a line of PyTorch lists


def _flat(x: Array, rank: int) -> Array:
    """Return an array with its last ``rank`` axes as one."""
    return x.reshape(*x.shape[: x.ndim - rank], size(x.shape[x.ndim - rank :]))


def placed(name: str, places: Array, formula: str, torch: str = "", fill: float = 0.0) -> Primitive:
    """Make the operation y.flat[k] = x.flat[places.flat[k]], or ``fill`` where that is NOWHERE; ``places`` has the
    shape of y."""
    nowhere = places == NOWHERE
    anywhere = bool(nowhere.any())
    at = np.where(nowhere, 0, places).reshape(-1) if anywhere else places.reshape(-1)

    def taken(to: Array, x: Array, rank: int, filled: float) -> None:
        found = np.take(_flat(x, rank), at, axis=-1).reshape(to.shape)
        to[...] = np.where(nowhere, filled, found) if anywhere else found

    def back(x_bar: Array, g: Array, _y: Array, _: Cache, x: Array) -> None:
        x_bar.fill(0)
        terms = np.where(nowhere, 0, g) if anywhere else g
        np.add.at(x_bar.reshape(-1), at, terms.reshape(-1))

    return Primitive(
        name=name,
        kind="layout",
        forward=lambda y, _, x: taken(y, x, x.ndim, fill),
        vjps=(back,),
        jvps=(lambda y_dot, x_dot, y, _, x: taken(y_dot, x_dot, x.ndim, 0),),
        formula=formula,
        vjp_formulas=("{g} back in place",),
        flops=lambda x: 0,
        vjp_flops=(lambda x: 0,),
        torch=torch,
        torch_vjps=(f"torch.func.vjp(lambda x: {torch.replace('{0}', 'x')}, {{0}})[1]({{g}})[0]",)
        if torch
        else (),
        shape=lambda x: places.shape,
    )


def overwritten(x_places: Array, v_places: Array) -> Primitive:
    """Make the operation that is x with the entries at ``x_places`` replaced by those of v at ``v_places``, both
    positions in flattened arrays."""

    def forward(y: Array, _: Cache, x: Array, v: Array) -> None:
        np.copyto(y, x)
        y.reshape(-1)[x_places] = v.reshape(-1)[v_places]

    def back_x(x_bar: Array, g: Array, *_: object) -> None:
        np.copyto(x_bar, g)
        x_bar.reshape(-1)[x_places] = 0

    def back_v(v_bar: Array, g: Array, *_: object) -> None:
        v_bar.fill(0)
        v_bar.reshape(-1)[v_places] = g.reshape(-1)[x_places]

    def on_x(y_dot: Array, x_dot: Array, y: Array, *_: object) -> None:
        np.copyto(y_dot, x_dot)
        _flat(y_dot, y.ndim)[..., x_places] = 0

    def on_v(y_dot: Array, v_dot: Array, y: Array, _: Cache, x: Array, v: Array) -> None:
        y_dot.fill(0)
        _flat(y_dot, y.ndim)[..., x_places] = _flat(v_dot, v.ndim)[..., v_places]

    at, taken = f"torch.tensor({x_places.tolist()})", f"torch.tensor({v_places.tolist()})"
    listed = x_places.size <= LISTED
    return Primitive(
        name="overwrite",
        kind="layout",
        forward=forward,
        vjps=(back_x, back_v),
        jvps=(on_x, on_v),
        formula="{0} , in part {1}",
        vjp_formulas=("{g} elsewhere", "{g} in part"),
        flops=lambda x, v: 0,
        vjp_flops=(lambda x, v: 0, lambda x, v: 0),
        torch=f"{{0}}.flatten().index_put(({at},), {{1}}.flatten()[{taken}]).view_as({{0}})"
        if listed
        else "",
        torch_vjps=(
            f"{{g}}.flatten().index_fill(0, {at}, 0).view_as({{0}})",
            f"torch.zeros_like({{1}}.flatten()).index_put(({taken},), {{g}}.flatten()[{at}]).view_as({{1}})",
        )
        if listed
        else (),
        shape=lambda x, v: x,
    )


def expand(shape: Shape) -> Primitive:
    """Make the broadcast to a shape; its VJP sums over the entries that repeat one."""

    def forward(y: Array, _: Cache, x: Array) -> None:
        np.copyto(y, x)

    def back(x_bar: Array, g: Array, *_: object) -> None:
        sum_to(x_bar, g)

    def jvp(y_dot: Array, x_dot: Array, y: Array, _: Cache, x: Array) -> None:
        np.copyto(y_dot, lifted(x_dot, x, y.ndim))

    return Primitive(
        name="expand",
        kind="layout",
        forward=forward,
        vjps=(back,),
        jvps=(jvp,),
        formula=f"expand( {{0}} , {shape} )",
        vjp_formulas=("Σ( {g} )",),
        flops=lambda x: 0,
        vjp_flops=(lambda x: size(shape) - size(x),),
        torch=f"{{0}}.expand({shape})",
        torch_vjps=("{g}.sum_to_size({0}.shape)",),
        shape=lambda x: shape,
    )


def running_sum(axis: int) -> Primitive:
    """Make the running sum along an axis, counted from −1."""

    def sums(to: Array, x: Array) -> None:
        np.cumsum(x, axis=axis, out=to)

    def back(x_bar: Array, g: Array, *_: object) -> None:
        x_bar[...] = np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)

    return Primitive(
        name="running sum",
        kind="layout",
        forward=lambda y, _, x: sums(y, x),
        vjps=(back,),
        jvps=(lambda y_dot, x_dot, *_: sums(y_dot, x_dot),),
        formula=f"cumsum( {{0}} , axis {axis} )".replace("-", "−"),
        vjp_formulas=("Σ {g} from here on",),
        flops=lambda x: size(x),
        vjp_flops=(lambda x: size(x),),
        torch=f"{{0}}.cumsum({axis})",
        torch_vjps=(f"{{g}}.flip({axis}).cumsum({axis}).flip({axis})",),
    )


def _where(i: int) -> Callable[..., None]:
    def back(x_bar: Array, g: Array, _y: Array, _: Cache, *x: Array) -> None:
        chosen = x[2].real != 0
        sum_to(x_bar, np.where(chosen if i == 0 else ~chosen, g, 0))

    return back


def _where_jvp(i: int) -> Callable[..., None]:
    def jvp(y_dot: Array, x_dot: Array, y: Array, _: Cache, *x: Array) -> None:
        chosen = x[2].real != 0
        y_dot[...] = np.where(chosen if i == 0 else ~chosen, lifted(x_dot, x[i], y.ndim), 0)

    return jvp


WHERE = Primitive(
    name="where",
    kind="layout",
    forward=lambda y, _, a, b, mask: np.copyto(y, np.where(mask.real != 0, a, b)),
    vjps=(_where(0), _where(1)),
    jvps=(_where_jvp(0), _where_jvp(1)),
    formula="{0} where {2} , else {1}",
    vjp_formulas=("{g} where {2}", "{g} where not {2}"),
    flops=lambda a, b, mask: 0,
    vjp_flops=(lambda a, b, mask: 0, lambda a, b, mask: 0),
    torch="torch.where({2}.bool(), {0}, {1})",
    torch_vjps=("({g} * {2}.bool()).sum_to_size({0}.shape)", "({g} * ~{2}.bool()).sum_to_size({1}.shape)"),
    shape=lambda a, b, mask: np.broadcast_shapes(a, b, mask),
)
