"""The path from a parameter to the loss with the largest product of derivatives.

Written out, the chain rule is a sum over all paths from a value to the loss, each a product of one factor per
operation. Backprop computes the sum; here the largest summand is found by the same walk up the list, with a maximum
in place of the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tui_backprop.engine.analysis.path_of_operations import (
    NOT_FINITE,
    UNREACHED,
    Hop,
    NoPath,
    all_paths,
    largest_path,
)
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

Factors = Callable[
    [Iteration, Op, int], Array
]  # (pass, operation, sample): dy/dx, (x units, y units) or (units,)


@dataclass(frozen=True)
class PathStep:
    """One factor of a path, which leads to ``unit`` of ``value``; ``formula`` is how the factor is written. In a
    graph without layers, ``index`` is that of the entry, in its sample."""

    value: str
    unit: int
    factor: float
    formula: str
    index: tuple[int, ...] = ()


def _slope(iteration: Iteration, op: Op, s: int) -> Array:
    return iteration.slope(op.block, s)


def _normalized(iteration: Iteration, op: Op, s: int) -> Array:
    """(1 − 1/w − v_i v_j / w) γ_j / deviation, which is (i, j)."""
    cache = iteration.program.caches[op.output]
    v, width = cache.v[s].astype(float), cache.v.shape[1]
    between = np.eye(width) - (1 + np.outer(v, v)) / width
    return np.asarray(between * iteration.tensor(op.inputs[1]) / float(cache.deviation[s, 0]))


# The derivative of each kind of operation by its input 0, and how it is written.
PATH_FACTORS: dict[str, tuple[Factors, str]] = {
    "matmul": (lambda iteration, op, s: iteration.tensor(op.inputs[1]), "{w}[{i},{j}]"),
    "activation": (_slope, "f'({x}[{i}])"),
    "dropout": (lambda iteration, op, s: iteration.tensor(op.inputs[1])[s], "{w}[{i}]"),
    "normalization": (_normalized, "d{y}[{j}]/d{x}[{i}]"),
}


@dataclass(frozen=True)
class StrongestPath:
    """The ``steps`` of a path, and how many paths are as large in magnitude (``ties``, itself included); where there
    is none, why it is ``missing``. In a graph without layers, ``every`` path to the loss, the largest first, where
    they are few."""

    steps: tuple[PathStep, ...]
    ties: int
    every: tuple[tuple[PathStep, ...], ...] = ()
    missing: NoPath | None = None


def _steps(graph: Graph, hops: Sequence[Hop]) -> tuple[PathStep, ...]:
    return tuple(
        PathStep(
            hop.op.output,
            (hop.place or (0,))[-1],
            hop.factor,
            hop.formula,
            hop.place[1:] if graph.per_sample(hop.op.output) else hop.place,
        )
        for hop in hops
    )


def strongest_path(
    iteration: Iteration, tensor: str, index: tuple[int, ...], sample: int = 0
) -> StrongestPath:
    """Find the path of largest influence of one parameter on one sample's loss, from the operation that reads it to
    the loss. The product of the factors is this path's share of the sample's dL/dparameter.

    The first step is the parameter's own operation (the activation that a weight multiplies, 1 for a bias), the last
    is the derivative of the loss by an output. Where a factor that is compared is NaN or infinite, no path is known
    to be the largest, and it is missing. Raises KeyError for a tensor that is no parameter.
    """
    graph = iteration.graph
    ops = [op for op in graph.ops if op.primitive.kind not in ("loss", "penalty")]
    if tensor not in graph.parameters:
        raise KeyError(tensor)
    if not graph.layered:
        return _of_entries(iteration, tensor, index, sample)
    at = next(n for n, op in enumerate(ops) if tensor in op.inputs)
    best = _best(iteration, ops[at + 1 :], sample)
    steps = [_entry(iteration, ops[at], tensor, index, sample)]
    ties = int(best[steps[0].value].ties[steps[0].unit])
    while go := best[steps[-1].value].go:
        steps.append(go(steps[-1].unit))
    last = steps[-1]
    slope = float(iteration.tensor(graph.gradient_of(graph.output))[sample, last.unit])
    formula = f"{graph.gradient_of(graph.loss)}/d{entry_name(last.value, (last.unit,))}"
    steps.append(PathStep(graph.loss, 0, slope, formula))
    if all(isfinite(step.factor) for step in steps):
        return StrongestPath(tuple(steps), max(ties, 1))
    reached = tensor in graph.differentiable
    return StrongestPath((), 0, missing=NOT_FINITE if reached else UNREACHED)


def _of_entries(iteration: Iteration, tensor: str, index: tuple[int, ...], sample: int) -> StrongestPath:
    """Find the path in a graph without layers: in a large one, only where a few paths are all that there are."""
    found, paths = largest_path(iteration, tensor, index, sample), all_paths(iteration, tensor, index)
    graph = iteration.graph
    every = tuple(_steps(graph, path) for path in paths)
    if not isinstance(found, NoPath):
        hops, ties = found
        return StrongestPath(_steps(graph, hops), ties, every)
    if found.bad or len(every) != 1:
        return StrongestPath((), 0, every, found)
    return StrongestPath(every[0], 1, every)


def _entry(iteration: Iteration, op: Op, tensor: str, index: tuple[int, ...], s: int) -> PathStep:
    """The step from the parameter itself to the output of its operation."""
    graph, unit = iteration.graph, index[-1]
    if graph.is_weight(tensor):
        source = op.inputs[0]
        factor = float(iteration.tensor(source)[s, index[0]])
        return PathStep(op.output, unit, factor, entry_name(source, (index[0],)))
    if graph.role(tensor) == "gain":
        v = graph.by_name[op.output].saved
        return PathStep(op.output, unit, float(iteration.tensor(v)[s, unit]), entry_name(v, (unit,)))
    return PathStep(op.output, unit, 1.0, "1")


@dataclass(frozen=True)
class _Best:
    """The best paths from each unit of a value: their ``sizes``, and how many are as large (``ties``), both (units,);
    and the first step of one of them (None at the output)."""

    sizes: Array
    ties: Array
    go: Callable[[int], PathStep] | None


def _best(iteration: Iteration, ops: list[Op], s: int) -> dict[str, _Best]:
    """Find the best paths from each value, from the loss upwards."""
    graph = iteration.graph
    sizes = np.abs(iteration.tensor(graph.gradient_of(graph.output))[s]).astype(float)
    best = {graph.output: _Best(sizes, np.ones(len(sizes)), None)}
    for op in reversed(ops):
        for i in range(2 if op.primitive.kind == "residual" else 1):
            x = op.inputs[i]
            if x == graph.input:
                continue
            found = _through(iteration, op, x, s, best[op.output])
            best[x] = _better(best[x], found) if x in best else found
    return best


def _through(iteration: Iteration, op: Op, x: str, s: int, after: _Best) -> _Best:
    """The best paths from x's units through an operation."""
    kind = op.primitive.name if op.primitive.kind == "affine" else op.primitive.kind
    if kind not in PATH_FACTORS:  # a sum, whose derivative is 1
        return _Best(after.sizes, after.ties, lambda unit: PathStep(op.output, unit, 1.0, "1"))
    rule, label = PATH_FACTORS[kind]
    factors = rule(iteration, op, s)
    with np.errstate(all="ignore"):
        sizes = np.abs(factors).astype(float) * after.sizes
    if factors.ndim == 1:
        to, best, ties = np.arange(len(factors)), sizes, after.ties
    else:
        to = sizes.argmax(axis=1)
        best = sizes[np.arange(len(sizes)), to]
        ties = (sizes == best[:, None]) @ after.ties

    def go(unit: int) -> PathStep:
        j = int(to[unit])
        factor = factors[unit] if factors.ndim == 1 else factors[unit, j]
        other = op.inputs[1] if len(op.inputs) > 1 else ""
        return PathStep(op.output, j, float(factor), label.format(x=x, y=op.output, w=other, i=unit, j=j))

    return _Best(best, ties, go)


def _better(one: _Best, other: _Best) -> _Best:
    """The better paths of each unit, where several operations read a value; both, where they are equally large."""
    wins = other.sizes > one.sizes
    ties = np.where(wins, other.ties, one.ties + np.where(other.sizes == one.sizes, other.ties, 0))

    def go(unit: int) -> PathStep:
        step = (other if wins[unit] else one).go
        assert step is not None  # both lead through an operation
        return step(unit)

    return _Best(np.maximum(one.sizes, other.sizes), ties, go)
