"""Paths of influence through operations of any kind, entry by entry: for graphs without layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from tui_backprop.engine.explain.receipts.general import ENTRYWISE, derivative_of
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.rerun import jacobian_column, jacobian_row, pulled
from tui_backprop.engine.primitives import Array, index_at, size
from tui_backprop.engine.training.iteration import Iteration

MOST_ENTRIES = 50_000  # of all values that are no functions entry by entry: each takes a VJP, of some 15 µs
MOST_PATHS, MOST_HOPS = 8, 400  # paths that are listed, and hops that are looked at for them
Index = tuple[int, ...]


@dataclass(frozen=True)
class Hop:
    """One factor of a path, from an entry of an input of ``op`` to the ``place`` of its output; ``formula`` is how
    it is written."""

    op: Op
    place: Index
    factor: float
    formula: str


@dataclass(frozen=True)
class NoPath:
    """The reason why there is no path of largest influence; ``bad``: the numbers are not finite."""

    why: str
    bad: bool = False


UNREACHED = NoPath("no derivative of the loss flows to it")
NOT_FINITE = NoPath("no path is the largest: a factor is NaN or infinite", bad=True)


@dataclass(frozen=True)
class _Best:
    """Of each entry of a value: the ``sizes`` of the largest products of factors to the loss, how many are as large
    (``ties``), and where the first hop leads (``via``), by the flat position of the entry."""

    sizes: Array
    ties: Array
    via: dict[int, tuple[Op, int, Index]]


def largest_path(
    iteration: Iteration, tensor: str, index: Index, sample: int = 0
) -> tuple[tuple[Hop, ...], int] | NoPath:
    """Return the path from an entry through the outputs of a sample to the loss with the largest product of
    derivatives, and how many paths are as large; or why there is none: a factor is not finite, or the graph is too
    large."""
    graph, shapes = iteration.graph, iteration.program.shapes
    if tensor not in graph.differentiable:
        return UNREACHED
    costly = sum(size(shapes[op.output]) for op in graph.ops if op.primitive.kind not in ENTRYWISE)
    if costly > MOST_ENTRIES:
        return NoPath(
            f"the largest path is not searched for: it takes {costly:,} VJPs, and at most {MOST_ENTRIES:,} are run"
        )
    best = {name: _Best(np.zeros(shapes[name]), np.zeros(shapes[name]), {}) for name in graph.differentiable}
    best[graph.loss] = _Best(np.ones(()), np.ones(()), {})
    for op in reversed(graph.ops):
        if op.output in best:
            for i, name in enumerate(op.differentiated):
                if name in best:
                    _improve(iteration, op, i, best[name], best[op.output])
        if op == graph.loss_op and graph.per_sample(graph.output):
            best[graph.output].sizes[np.arange(iteration.batch) != sample] = 0
    if not all(np.isfinite(each.sizes).all() for each in best.values()):
        return NOT_FINITE
    if not best[tensor].sizes[index]:
        return NoPath("every path has a factor of 0")
    hops, at, place = [], tensor, index
    ties = int(best[tensor].ties[index])
    while at != graph.loss:
        op, i, to = best[at].via[_flat(place, shapes[at])]
        factor = float(jacobian_row(iteration.program, op, i, to)[place])
        hops.append(Hop(op, to, factor, derivative_of(iteration, op, i, place, to)))
        at, place = op.output, to
    return tuple(hops), ties


def all_paths(
    iteration: Iteration, tensor: str, index: Index, most: int = MOST_PATHS
) -> tuple[tuple[Hop, ...], ...]:
    """Return all paths from an entry to the loss, the largest first; nothing where there are more than ``most``. Hops
    between entries of arrays that have a derivative of 0 are left out."""
    if tensor not in iteration.graph.differentiable:
        return ()
    found: list[tuple[Hop, ...]] = []
    begun: list[tuple[tuple[Hop, ...], str, Index]] = [((), tensor, index)]
    for _ in range(MOST_HOPS):
        if not begun or len(found) > most:
            break
        hops, at, place = begun.pop()
        if at == iteration.graph.loss:
            found.append(hops)
            continue
        begun += [((*hops, hop), hop.op.output, hop.place) for hop in _hops(iteration, at, place)]
    if begun or len(found) > most:
        return ()
    return tuple(sorted(found, key=lambda hops: -abs(prod(hop.factor for hop in hops))))


def _hops(iteration: Iteration, value: str, index: Index) -> Iterator[Hop]:
    """Iterate over the hops from an entry, the last one first."""
    for visit in iteration.graph.visits_of.get(value, ()):
        column, i = jacobian_column(iteration.program, visit.op, visit.of or 0, index), visit.of or 0
        places = (
            [index_at(at, column.shape) for at in np.flatnonzero(column).tolist()] if column.ndim else [()]
        )
        for place in places:
            formula = derivative_of(iteration, visit.op, i, index, place)
            yield Hop(visit.op, place, float(column[place]), formula)


def _flat(index: Index, shape: Index) -> int:
    return int(np.ravel_multi_index(index, shape)) if shape else 0


def _improve(iteration: Iteration, op: Op, i: int, found: _Best, after: _Best) -> None:
    """Take the paths through an operation where they are larger than those that are known."""
    for factors, place in _factors(iteration, op, i, after):
        at = ... if place is None else place
        with np.errstate(all="ignore"):
            sizes = np.abs(factors) * after.sizes[at]
        better, equal = sizes > found.sizes, (sizes == found.sizes) & (sizes > 0)
        ties = np.where(equal, found.ties + after.ties[at], found.ties)
        found.ties[...] = np.where(better, after.ties[at], ties)
        np.maximum(found.sizes, sizes, out=found.sizes)
        for flat in np.flatnonzero(better).tolist():
            found.via[flat] = op, i, index_at(flat, after.sizes.shape) if place is None else place


def _factors(iteration: Iteration, op: Op, i: int, after: _Best) -> Iterator[tuple[Array, Index | None]]:
    """Iterate over (derivatives by all entries of an input, place of the output): all places at once (None) where an
    entry of the output depends on that in the same place alone."""
    shapes = iteration.program.shapes
    if op.primitive.kind in ENTRYWISE and shapes[op.inputs[i]] == shapes[op.output]:
        yield pulled(iteration.program, op, i, np.ones(shapes[op.output], iteration.program.dtype)), None
        return
    for place in np.ndindex(shapes[op.output]):
        if after.sizes[place] > 0:
            yield jacobian_row(iteration.program, op, i, place), place
