"""Count the multiplications of the chain rule when every path is multiplied out. Backprop computes every derivative
once and reuses it for everything before it. (``recompute`` runs the gradient with less kept.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.primitives import Shape, size

PASSED_ON = "{g}"  # the formula of a VJP that only passes the cotangent on
MULTIPLY = ("weight", "gain")  # roles of parameters that multiply their input; biases and shifts do not


@dataclass(frozen=True)
class Paths:
    """Paths from one parameter to the loss, and the multiplications if each path is multiplied out.

    ``all_paths`` and ``all_multiplications`` are those of all parameters; ``backprop`` is the number of
    multiplications of the backward pass for all of them at once. Counts are for one sample and do not depend on the
    values: a path through a dead unit counts. The derivative of the loss by an output is one factor in both."""

    paths: int
    multiplications: int
    all_paths: int
    all_multiplications: int
    backprop: int


@dataclass(frozen=True)
class PathCount:
    """Paths from one unit of a value to the loss, and the factors on all of them together."""

    paths: int = 0
    factors: int = 0

    def through(self, branches: int, factors: int) -> PathCount:
        """Return the count from a unit that reaches ``branches`` of these, each through ``factors`` more factors."""
        return PathCount(branches * self.paths, branches * (self.factors + factors * self.paths))

    def __add__(self, other: PathCount) -> PathCount:
        return PathCount(self.paths + other.paths, self.factors + other.factors)

    @property
    def multiplications(self) -> int:
        """Multiplications: a product of n factors takes n − 1."""
        return self.factors - self.paths


def path_counts(graph: Graph) -> dict[str, PathCount]:
    """Return the paths from one unit of every value to the loss, for one sample. All units of a value have the same
    count. The path of a penalty, which leads through no unit, is left out."""
    if not graph.layered:
        return _counts_of_numbers(graph)
    found: dict[str, PathCount] = {}
    shapes = graph.shapes(1)
    for op in reversed(graph.ops):
        kind, before = op.primitive.kind, op.inputs[0]
        if kind == "penalty":
            continue
        if kind == "loss":
            found[before] = PathCount(1, 1)
            continue
        after = found[op.output]
        step = after
        if (
            op.primitive.name == "matmul" or kind == "normalization"
        ):  # each unit moves all: mean and deviation
            step = after.through(shapes[op.output][-1], 1)
        elif kind in ("activation", "dropout"):
            step = after.through(1, 1)
        found[before] = found.get(before, PathCount()) + step
        if kind == "residual":
            found[op.inputs[1]] = found.get(op.inputs[1], PathCount()) + after
    return found


def _counts_of_numbers(graph: Graph) -> dict[str, PathCount]:
    """Return the paths from every number of an expression to the loss. A derivative of 1 is no factor."""
    found = {graph.loss: PathCount(1, 1)}
    for op in reversed(graph.ops):
        after = found.get(op.output)
        for i, name in enumerate(op.differentiated if after else ()):
            step = after.through(1, int(op.primitive.vjp_formulas[i] != PASSED_ON)) if after else PathCount()
            found[name] = found.get(name, PathCount()) + step
    return found


def countable(graph: Graph) -> bool:
    """Return True if paths can be counted: in a network of layers, or where every value is a single number."""
    return graph.layered or all(not value.shape for value in graph.values)


def paths(spec: Model, tensor: str) -> Paths:
    """Return the paths of each parameter of a ``tensor``; see ``countable``. Raises KeyError if it is not a
    parameter."""
    each, backprop = _counted(spec.graph)
    shapes = spec.graph.parameters
    return Paths(
        each[tensor].paths,
        each[tensor].multiplications,
        sum(size(shapes[name]) * one.paths for name, one in each.items()),
        sum(size(shapes[name]) * one.multiplications for name, one in each.items()),
        backprop,
    )


@lru_cache(maxsize=8)
def _counted(graph: Graph) -> tuple[dict[str, PathCount], int]:
    """Return the count of one entry of each parameter tensor, and the multiplications of the backward pass."""
    after, shapes = path_counts(graph), graph.shapes(1)
    if not graph.layered:
        formulas = [visit.op.primitive.vjp_formulas[visit.of or 0] for visit in graph.backward_visits]
        counts = {name: after.get(name, PathCount()) for name in graph.parameters}
        return counts, sum(each != PASSED_ON for each in formulas)
    each: dict[str, PathCount] = {}
    for op in graph.ops:
        for name in op.inputs:
            if name in graph.parameters and op.primitive.kind != "penalty":
                factors = int(graph.role(name) in MULTIPLY)
                each[name] = after[op.output].through(1, factors)
    return each, sum(_multiplications(visit, shapes) for visit in graph.backward_visits)


def _multiplications(visit: Visit, shapes: Mapping[str, Shape]) -> int:
    """Return the multiplications (and divisions) of a VJP, by its formula."""
    row, inputs = visit.op.primitive, [shapes[name] for name in visit.op.inputs]
    units = size(inputs[0])
    if row.kind == "normalization":  # by γ, v, v and the deviation, and two means; dγ by v
        return (4 * units + 2, units, 0)[visit.of or 0]
    return row.macs(*inputs) if row.name == "matmul" else units * (row.kind in ("activation", "dropout"))
