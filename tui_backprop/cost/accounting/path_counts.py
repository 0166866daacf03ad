"""Reuse, counted: what the chain rule takes when every path is multiplied out. Backprop computes every derivative
once, and everything that lies before it uses that. (``recompute`` runs what it takes when less is kept.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.network.graph import (
    Visit,
    backward_visits,
    compile_ops,
    parameter_shapes,
    value_shapes,
)
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import kind_of
from tui_backprop.engine.primitives import Shape, size


@dataclass(frozen=True)
class Paths:
    """The chain rule, path by path, for one parameter: how many lead from it to the loss, and the multiplications if
    each is multiplied out. ``all_paths`` and ``all_multiplications`` are those of all parameters; ``backprop`` is
    how many the backward pass takes for all of them at once. All for one sample, and whatever the numbers are: a path
    through a dead unit is one too. The derivative of the loss by an output is one factor, which both are given."""

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
        """From a unit that reaches so many of these, each by so many more factors."""
        return PathCount(branches * self.paths, branches * (self.factors + factors * self.paths))

    def __add__(self, other: PathCount) -> PathCount:
        return PathCount(self.paths + other.paths, self.factors + other.factors)

    @property
    def multiplications(self) -> int:
        """A product of n factors takes n − 1."""
        return self.factors - self.paths


def path_counts(spec: NetworkSpec) -> dict[str, PathCount]:
    """For every value of a network: paths from one of its units to the loss, of one sample. All units of a value have
    as many. (A penalty is a path of its own that leads through no unit; it is left out.)"""
    found: dict[str, PathCount] = {}
    shapes = value_shapes(spec, 1)
    for op in reversed(compile_ops(spec)):
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


def paths(spec: NetworkSpec, tensor: str) -> Paths:
    """The paths of each parameter of a ``tensor``. Raises KeyError for what is no parameter."""
    each, backprop = _counted(spec)
    shapes = parameter_shapes(spec)
    return Paths(
        each[tensor].paths,
        each[tensor].multiplications,
        sum(size(shapes[name]) * one.paths for name, one in each.items()),
        sum(size(shapes[name]) * one.multiplications for name, one in each.items()),
        backprop,
    )


@lru_cache(maxsize=8)
def _counted(spec: NetworkSpec) -> tuple[dict[str, PathCount], int]:
    """Of each parameter of a tensor, by its name; and the multiplications of the backward pass."""
    after, shapes = path_counts(spec), value_shapes(spec, 1)
    each: dict[str, PathCount] = {}
    for op in compile_ops(spec):
        for name in op.inputs:
            if name in parameter_shapes(spec) and op.primitive.kind != "penalty":
                factors = int(
                    kind_of(name) in ("weight", "gain")
                )  # these multiply their input; b and β do not
                each[name] = after[op.output].through(1, factors)
    return each, sum(_multiplications(visit, shapes) for visit in backward_visits(spec))


def _multiplications(visit: Visit, shapes: Mapping[str, Shape]) -> int:
    """Multiplications (and divisions) of a VJP, as its formula says."""
    row, inputs = visit.op.primitive, [shapes[name] for name in visit.op.inputs]
    units = size(inputs[0])
    if row.kind == "normalization":  # by γ, v, v and the deviation, and two means; dγ by v
        return (4 * units + 2, units, 0)[visit.of or 0]
    return row.macs(*inputs) if row.name == "matmul" else units * (row.kind in ("activation", "dropout"))
