"""Norms of the arrays that single visits write, including those that the pass does not keep: values that the next
operation works on in place, and the terms of a gradient that several uses of a value add to."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from tui_backprop.engine.arrays.statistics import summarize
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.rerun import contribution, overwritten
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

COSTLY_FLOPS = 2_000_000  # floating-point operations from which a rule is run again only ahead of time
_NORMS: WeakKeyDictionary[Program, dict[tuple[str, int | None], float]] = WeakKeyDictionary()


def written(iteration: Iteration, visit: Visit) -> Array:
    """Recompute the array that one visit writes, before anything is added to it or written over it: the output of its
    operation, or its term of a cotangent."""
    if visit.of is None:
        return overwritten(iteration.program, visit.op.output)
    return contribution(iteration.program, visit)


def written_norm(iteration: Iteration, visit: Visit) -> float | None:
    """Euclidean norm of ``written``, computed once; None where it is costly and ``prepare`` was not called."""
    if visit.of is None and visit.op.output not in iteration.graph.overwritten:
        return iteration.summary(visit.op.output).norm
    norms, key = _NORMS.setdefault(iteration.program, {}), (visit.op.output, visit.of)
    if key not in norms and cheap(iteration, visit):
        norms[key] = summarize(written(iteration, visit)).norm
    return norms.get(key)


def prepare(iteration: Iteration) -> None:
    """Compute the costly norms ahead of time, in a worker thread."""
    norms, graph = _NORMS.setdefault(iteration.program, {}), iteration.graph
    outputs = [visit for visit in graph.forward_visits if visit.op.output in graph.overwritten]
    visits = graph.backward_visits
    several = {visit.writes for visit in visits if visit.adds}
    for visit in (*outputs, *(visit for visit in visits if visit.writes in several)):
        if not cheap(iteration, visit):
            norms[visit.op.output, visit.of] = summarize(written(iteration, visit)).norm


def cheap(iteration: Iteration, visit: Visit) -> bool:
    """Return True where the rule of a visit can be run again without a noticeable delay."""
    op, shapes = visit.op, iteration.program.shapes
    count = op.primitive.flops if visit.of is None else op.primitive.vjp_flops[visit.of]
    return count(*(shapes[name] for name in op.inputs)) <= COSTLY_FLOPS
