"""PyTorch's reductions, and its functions of rows."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.engine.arrays.types import np, size
from tui_backprop.engine.frontends.recording.translation import NoRow, Translation
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.layouts import reshape, transpose
from tui_backprop.engine.primitives.placing import placed
from tui_backprop.engine.primitives.reductions import reduction
from tui_backprop.engine.primitives.row_functions import row_function
from tui_backprop.engine.primitives.softmax import softmax

Translate = Callable[[Translation], None]
Axes = tuple[int, ...]


def _reduced(
    t: Translation, row: Primitive, x: str, axes: Axes, keep: bool, then: Primitive | None = None
) -> None:
    """Make output 0 by a reduction, with axes of one entry if they are to be kept, and by a function ``then``."""
    steps = [row]
    if keep:
        steps.append(reshape(tuple(1 if k - t.rank(x) in axes else n for k, n in enumerate(t.shape(x)))))
    *first, last = [*steps, *([then] if then else [])]
    for each in first:
        x = t.apply(each, x)
    t.make(last, x)


def _reduction(name: str) -> Translate:
    def translate(t: Translation) -> None:
        x = t.value(0)
        axes = t.axes(t.argument(1), t.rank(x))
        _reduced(
            t, reduction(name, axes, len(axes) == t.rank(x)), x, axes, bool(t.argument(2, False, "keepdim"))
        )

    return translate


def _whole(name: str) -> Translate:
    """Over all axes."""
    return lambda t: t.make(reduction(name, t.axes(None, t.rank(t.value(0)))), t.value(0))


def _variance(then: Primitive | None = None) -> Translate:
    def translate(t: Translation) -> None:
        x = t.value(0)
        axes, correction = t.axes(t.argument(1, None, "dim"), t.rank(x)), t.argument(2, None, "correction")
        row = row_function("variance", axes, 1.0 if correction is None else float(correction))
        _reduced(t, row, x, axes, bool(t.argument(3, False, "keepdim")), then)

    return translate


def _norm(t: Translation) -> None:
    """The Euclidean norm."""
    x = t.value(0)
    if t.argument(1, 2) != 2:
        raise NoRow
    axes = t.axes(t.argument(2, None, "dim"), t.rank(x))
    _reduced(t, row_function("norm", axes), x, axes, bool(t.argument(3, False, "keepdim")))


def _row_function(name: str) -> Translate:
    def translate(t: Translation) -> None:
        x = t.value(0)
        axes = t.axes(t.argument(1), t.rank(x))
        _reduced(t, row_function(name, axes), x, axes, bool(t.argument(2, False, "keepdim")))

    return translate


def _chosen(at: int) -> Translate:
    """The largest, smallest or first entries of rows, by their recorded places; the axis is argument ``at``."""

    def translate(t: Translation) -> None:
        x, places = t.value(0), t.output_integers(1)
        (axis,) = t.axes(t.argument(at, -1), t.rank(x))
        positions = np.arange(size(t.shape(x))).reshape(t.shape(x))
        kept = places if places.ndim == positions.ndim else np.expand_dims(places, axis)
        chosen = np.take_along_axis(positions, kept, axis).reshape(places.shape)
        t.make(placed("choose", chosen, "choose( {0} )"), x)

    return translate


def _softmax(t: Translation) -> None:
    """Along the last axis; another one is made the last and put back."""
    x = t.value(0)
    rank = t.rank(x)
    (axis,) = t.axes(t.argument(1), rank)
    if axis == -1:
        t.make(softmax(), x)
        return
    order = [*range(-rank, 0)]
    order[axis], order[-1] = order[-1], order[axis]
    turn = transpose(tuple(order))
    t.make(turn, t.apply(softmax(), t.apply(turn, x)))


def _log_softmax(t: Translation) -> None:
    x = t.value(0)
    t.make(row_function("log-softmax", t.axes(t.argument(1), t.rank(x))), x)


REDUCTIONS: dict[str, Translate] = {
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "max.default": _whole("max"),
    "min.default": _whole("min"),
    "max": _chosen(1),
    "min": _chosen(1),
    "sort": _chosen(1),
    "topk": _chosen(2),
    "var": _variance(),
    "std": _variance(FUNCTIONS["sqrt"]),
    "linalg_vector_norm": _norm,
    "logsumexp": _row_function("log-sum-exp"),
    "prod": _row_function("product"),
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
}
