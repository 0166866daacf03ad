"""The curve of an operation on single entries: its output over one of its inputs, the others held fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.analysis.loss_slices import ActivationCurve, curve_range
from tui_backprop.engine.arrays.types import index_at, size
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

ENTRY_BY_ENTRY = ("function", "arithmetic")  # kinds of operations


@dataclass(frozen=True)
class OperationCurve:
    """``output``, an entry, over the entry of an input that its ``curve`` is of."""

    output: str
    curve: ActivationCurve


def operation_curve(
    iteration: Iteration, op: Op, points: int, of: int | None = None, place: int | None = None
) -> OperationCurve | None:
    """Evaluate an operation over its input number ``of`` (by default the first that has a derivative and is no
    number of the formula), at entry number ``place`` of its output, row by row (by default the one with the largest
    gradient). None for an operation that does not work entry by entry, or has no derivative."""
    graph, row = iteration.graph, op.primitive
    varied = [i for i, name in enumerate(op.differentiated) if graph.role(name) != "constant"]
    if row.kind not in ENTRY_BY_ENTRY or not varied:
        return None
    i = varied[0] if of is None else of
    output = iteration.tensor(op.output)
    at = (
        _entry(iteration, op) if place is None else index_at(min(place, size(output.shape) - 1), output.shape)
    )
    inputs = [float(np.broadcast_to(iteration.tensor(name), output.shape)[at]) for name in op.inputs]
    x = curve_range(inputs[i], points)
    here, f, slope = np.array([inputs[i]]), np.empty_like(x), np.empty_like(x)
    f_here, slope_here = np.empty(1), np.empty(1)
    with np.errstate(all="ignore"):
        for over, y, d in ((x, f, slope), (here, f_here, slope_here)):
            arguments = [over if k == i else np.full_like(over, other) for k, other in enumerate(inputs)]
            cache = row.room(x.dtype, *(each.shape for each in arguments))
            row.forward(y, cache, *arguments)
            row.vjps[i](d, np.ones_like(y), y, cache, *arguments)
    symbol = _input_name(iteration.tensor(op.inputs[i]), op.inputs[i], at)
    number = int(np.ravel_multi_index(at, output.shape)) if at else 0
    curve = ActivationCurve(
        row.name, symbol, op.block, number, x, f, slope, inputs[i], f_here.item(), slope_here.item()
    )
    return OperationCurve(entry_name(op.output, at), curve)


def _entry(iteration: Iteration, op: Op) -> tuple[int, ...]:
    """Return the entry of the output with the largest gradient, or the largest one."""
    graph = iteration.graph
    known = op.output in graph.differentiable and op.output != graph.loss
    of = iteration.tensor(graph.gradient_of(op.output) if known else op.output)
    return index_at(int(np.nan_to_num(np.abs(of)).argmax()), of.shape)


def _input_name(array: Array, name: str, at: tuple[int, ...]) -> str:
    """Name the entry of an input that an entry of the output is computed from; axes of one entry are repeated."""
    own = at[len(at) - array.ndim :]
    return entry_name(name, tuple(min(i, n - 1) for i, n in zip(own, array.shape, strict=True)))
