"""The product of matrices of any ranks: the last two axes are rows and columns, those before are broadcast; a vector
is a row on the left and a column on the right, as ``numpy.matmul`` has it."""

from __future__ import annotations

from tui_backprop.engine.arrays.types import Array, Shape, np, size
from tui_backprop.engine.primitives.base import Cache, Primitive
from tui_backprop.engine.primitives.broadcasting import broadcast, sum_to


def _matrices(a: Shape, b: Shape) -> tuple[Shape, Shape]:
    """Return the shapes with rows and columns. Raises ValueError for a number, or sizes that do not fit."""
    if not a or not b:
        raise ValueError("a matrix product takes vectors or matrices; multiply numbers with *")
    left, right = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
    if left[-1] != right[-2]:
        raise ValueError(f"shapes {a} and {b} do not fit: {left[-1]} columns times {right[-2]} rows")
    return left, right


def _shape(a: Shape, b: Shape) -> Shape:
    left, right = _matrices(a, b)
    rows, columns = left[-2:-1] if len(a) > 1 else (), right[-1:] if len(b) > 1 else ()
    return (*broadcast(left[:-2], right[:-2]), *rows, *columns)


def _full(left: Shape, right: Shape) -> Shape:
    """Return the shape of the product of matrices."""
    return (*broadcast(left[:-2], right[:-2]), left[-2], right[-1])


def _of(a: Array, b: Array) -> tuple[Array, Array, Shape]:
    left, right = _matrices(a.shape, b.shape)
    return a.reshape(left), b.reshape(right), _full(left, right)


def _rows(x: Array) -> Array:
    """Return an array as a matrix of all its rows."""
    return x.reshape(-1, x.shape[-1])


def _one_matrix(a: Array, b: Array) -> bool:
    """Return True if many matrices are multiplied by one from the right: one product of all their rows."""
    return b.ndim == 2 and a.ndim > 2


def _multiply(to: Array, left: Array, right: Array) -> None:
    """Write a product into ``to``, summed over the axes that ``to`` does not have."""
    if to.shape == _full(left.shape, right.shape):
        np.matmul(left, right, out=to)
    else:
        sum_to(to, left @ right)


def _forward(y: Array, _: Cache, a: Array, b: Array) -> None:
    if _one_matrix(a, b):
        np.dot(_rows(a), b, out=_rows(y))
        return
    left, right, made = _of(a, b)
    np.matmul(left, right, out=y.reshape(made))


def _vjp_a(a_bar: Array, g: Array, _y: Array, _: Cache, a: Array, b: Array) -> None:
    if _one_matrix(a, b):
        np.dot(_rows(g), b.T, out=_rows(a_bar))
        return
    left, right, made = _of(a, b)
    _multiply(a_bar.reshape(left.shape), g.reshape(made), right.swapaxes(-1, -2))


def _vjp_b(b_bar: Array, g: Array, _y: Array, _: Cache, a: Array, b: Array) -> None:
    if _one_matrix(a, b):
        np.dot(_rows(a).T, _rows(g), out=b_bar)
        return
    left, right, made = _of(a, b)
    _multiply(b_bar.reshape(right.shape), left.swapaxes(-1, -2), g.reshape(made))


def _with_rank(tangent: Array, x: Array, matrix: Shape, rank: int) -> Array:
    """Return tangents of x as those of a matrix, with axes for a rank between them and those in front."""
    lead = tangent.shape[: tangent.ndim - x.ndim]
    return tangent.reshape(*lead, *(1,) * (rank - len(matrix)), *matrix)


def _jvp_a(y_dot: Array, a_dot: Array, _y: Array, _: Cache, a: Array, b: Array) -> None:
    left, right, made = _of(a, b)
    y_dot[...] = (_with_rank(a_dot, a, left.shape, len(made)) @ right).reshape(y_dot.shape)


def _jvp_b(y_dot: Array, b_dot: Array, _y: Array, _: Cache, a: Array, b: Array) -> None:
    left, right, made = _of(a, b)
    y_dot[...] = (left @ _with_rank(b_dot, b, right.shape, len(made))).reshape(y_dot.shape)


def _macs(a: Shape, b: Shape) -> int:
    left, right = _matrices(a, b)
    return size(_full(left, right)) * left[-1]


def _flops(a: Shape, b: Shape) -> int:
    return 2 * _macs(a, b)


def _at(index: Shape, shape: Shape) -> Shape:
    """Return the index, in an array that is broadcast, of what stands at an index of the result."""
    return tuple(i if n > 1 else 0 for i, n in zip(index[len(index) - len(shape) :], shape, strict=True))


def _factor(i: int, index: Shape, place: Shape, a: Shape, b: Shape) -> Shape:
    columns = place[-1:] if len(b) > 1 else ()
    rows = place[len(place) - len(columns) - 1 : len(place) - len(columns)] if len(a) > 1 else ()
    batch = place[: len(place) - len(rows) - len(columns)]
    if i == 0:
        other, inner = b, (index[-1], *columns)
    else:
        other, inner = a, (*rows, index[-2] if len(b) > 1 else index[-1])
    return (*_at(batch, other[: len(other) - len(inner)]), *inner)


def _row(
    name: str, formula: str, back: tuple[str, str], torch: str, torch_vjps: tuple[str, str], module: str = ""
) -> Primitive:
    return Primitive(
        name=name,
        kind="product",
        forward=_forward,
        vjps=(_vjp_a, _vjp_b),
        jvps=(_jvp_a, _jvp_b),
        formula=formula,
        vjp_formulas=back,
        flops=_flops,
        vjp_flops=(_flops, _flops),
        torch=torch,
        torch_vjps=torch_vjps,
        torch_module=module,
        shape=_shape,
        macs=_macs,
        factor=_factor,
    )


MATRIX_PRODUCT = _row(
    "matrix product",
    "{0} {1}",
    ("{g} {1}ᵀ", "{0}ᵀ {g}"),
    "{0} @ {1}",
    (
        "torch.func.vjp(lambda a: a @ {1}, {0})[1]({g})[0]",
        "torch.func.vjp(lambda b: {0} @ b, {1})[1]({g})[0]",
    ),
    module="nn.Linear",
)
DOT = _row(
    "dot product",
    "Σ( {0} ⊙ {1} )",
    ("{g} · {1}", "{g} · {0}"),
    "torch.dot({0}, {1})",
    ("{g} * {1}", "{g} * {0}"),
)
