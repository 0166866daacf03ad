"""The path from a parameter to the loss with the largest product of derivatives.

Written out, the chain rule is a sum over all paths from a value to the loss, each a product of one factor per
operation. Backprop computes the sum; here the largest summand is found by the same walk up the list, with a maximum
in place of the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tui_backprop.engine.network.graph import Op, parameter_shapes
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    LOSS,
    delta,
    entry_name,
    is_weight,
    kind_of,
    preactivation,
    standardized,
)
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

Factors = Callable[
    [Iteration, Op, int], Array
]  # (pass, operation, sample): dy/dx, (x units, y units) or (units,)


@dataclass(frozen=True)
class PathStep:
    """One factor of a path, which leads to ``unit`` of ``value``; ``formula`` is how the factor is written."""

    value: str
    unit: int
    factor: float
    formula: str


def _slope(iteration: Iteration, op: Op, s: int) -> Array:
    return iteration.slope(op.layer, s)


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


def strongest_path(
    iteration: Iteration, tensor: str, index: tuple[int, ...], sample: int = 0
) -> tuple[PathStep, ...]:
    """Find the path of largest influence of one parameter on one sample's loss, from the operation that reads it to
    the loss. The product of the factors is this path's share of the sample's dL/dparameter.

    The first step is the parameter's own operation (the activation that a weight multiplies, 1 for a bias), the last
    is the derivative of the loss by an output. Empty where a factor that is compared is NaN or infinite: then no path
    is known to be the largest. Raises KeyError for a tensor that is no parameter.
    """
    ops = [op for op in iteration.program.ops if op.primitive.kind not in ("loss", "penalty")]
    if tensor not in parameter_shapes(iteration.spec):
        raise KeyError(tensor)
    at = next(n for n, op in enumerate(ops) if tensor in op.inputs)
    onward = _best(iteration, ops[at + 1 :], sample)
    hops = [_entry(iteration, ops[at], tensor, index, sample)]
    while hops[-1].value in onward:
        hops.append(onward[hops[-1].value](hops[-1].unit))
    last = hops[-1]
    slope = float(iteration.tensor(delta(iteration.spec.depth))[sample, last.unit])
    hops.append(PathStep(LOSS, 0, slope, f"d{LOSS}/d{entry_name(last.value, (last.unit,))}"))
    return tuple(hops) if all(isfinite(hop.factor) for hop in hops) else ()


def _entry(iteration: Iteration, op: Op, tensor: str, index: tuple[int, ...], s: int) -> PathStep:
    """The step from the parameter itself to the output of its operation."""
    unit = index[-1]
    if is_weight(tensor):
        source = op.inputs[0]
        factor = float(iteration.tensor(source)[s, index[0]])
        return PathStep(op.output, unit, factor, entry_name(source, (index[0],)))
    if kind_of(tensor) == "gain":
        v = standardized(op.layer)
        return PathStep(op.output, unit, float(iteration.tensor(v)[s, unit]), entry_name(v, (unit,)))
    return PathStep(op.output, unit, 1.0, "1")


def _best(iteration: Iteration, ops: list[Op], s: int) -> dict[str, Callable[[int], PathStep]]:
    """For each value, the next step of the best path from one of its units; found from the loss upwards."""
    last = preactivation(iteration.spec.depth)
    sizes: dict[str, Array] = {last: np.abs(iteration.tensor(delta(iteration.spec.depth))[s]).astype(float)}
    onward: dict[str, Callable[[int], PathStep]] = {}
    for op in reversed(ops):
        for i in range(2 if op.primitive.kind == "residual" else 1):
            x = op.inputs[i]
            if x == INPUT:
                continue
            found, go = _through(iteration, op, x, s, sizes[op.output])
            if x in sizes:  # read by several operations: the better path of each unit
                found, go = _better(sizes[x], onward[x], found, go)
            sizes[x], onward[x] = found, go
    return onward


def _through(
    iteration: Iteration, op: Op, x: str, s: int, after: Array
) -> tuple[Array, Callable[[int], PathStep]]:
    """Sizes of the best paths from x's units through an operation, and the first step of each."""
    kind = op.primitive.name if op.primitive.kind == "affine" else op.primitive.kind
    if kind not in PATH_FACTORS:  # a sum, whose derivative is 1
        return after, lambda unit: PathStep(op.output, unit, 1.0, "1")
    rule, label = PATH_FACTORS[kind]
    factors = rule(iteration, op, s)
    with np.errstate(all="ignore"):
        sizes = np.abs(factors).astype(float) * after
    if factors.ndim == 1:
        to, best = np.arange(len(factors)), sizes
    else:
        to = sizes.argmax(axis=1)
        best = sizes[np.arange(len(sizes)), to]

    def go(unit: int) -> PathStep:
        j = int(to[unit])
        factor = factors[unit] if factors.ndim == 1 else factors[unit, j]
        other = op.inputs[1] if len(op.inputs) > 1 else ""
        return PathStep(op.output, j, float(factor), label.format(x=x, y=op.output, w=other, i=unit, j=j))

    return best, go


def _better(
    one: Array, go_one: Callable[[int], PathStep], other: Array, go_other: Callable[[int], PathStep]
) -> tuple[Array, Callable[[int], PathStep]]:
    return np.maximum(one, other), lambda unit: (go_other if other[unit] > one[unit] else go_one)(unit)
