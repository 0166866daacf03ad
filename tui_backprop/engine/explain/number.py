"""A single number of an iteration, looked up by name: its value, its gradient, and the arithmetic of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tui_backprop.engine.arrays.top_k import count_largest
from tui_backprop.engine.explain.entries import entry_at
from tui_backprop.engine.explain.formulas import equation, folded
from tui_backprop.engine.explain.formulas import shape_of as shape_in
from tui_backprop.engine.explain.notation import tidy
from tui_backprop.engine.explain.pytorch import forward_line, gradient_line
from tui_backprop.engine.explain.receipts import (
    ReceiptRow,
    receipt_rows,
    selected_input,
    unit_with_largest_delta,
)
from tui_backprop.engine.explain.receipts.rows import largest
from tui_backprop.engine.explain.receipts.sums import balanced
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.recurrence import blocks_that_read
from tui_backprop.engine.network.tensor_names import TensorEntry
from tui_backprop.engine.primitives import Array, Shape, in_shape, index_at
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class Origin:
    """The step that computes a number, and its arithmetic as a receipt."""

    step: Step
    rows: tuple[ReceiptRow, ...]


@dataclass(frozen=True)
class Number:
    """Entry ``index`` of a parameter, or of a value in row ``sample`` of the batch.

    ``gradient`` is the derivative of the loss with respect to it (None where no derivative flows), ``updated`` the
    parameter after the update (None for values). ``computed`` is None for parameters and inputs, which no step
    computes; ``moved`` is the update of a parameter. ``torch`` holds the lines of PyTorch for the value and for the
    gradient.
    """

    tensor: str
    index: tuple[int, ...]
    sample: int
    value: float
    gradient: float | None
    updated: float | None
    computed: Origin | None
    differentiated: Origin | None
    moved: Origin | None
    torch: tuple[str, ...]
    is_parameter: bool


def number_of(
    iteration: Iteration, tensor: str, index: tuple[int, ...], terms: int = 3, sample: int = 0
) -> Number:
    """Look up a number. ``terms`` is how many terms of a long sum are shown. Raises KeyError for an unknown tensor,
    IndexError for an index out of range."""
    graph = iteration.graph
    parameter, value = tensor in graph.parameters, graph.value_of(tensor)
    at = (sample, *index) if graph.per_sample(value) else index
    flows, computed = value in graph.differentiable, value in graph.by_output
    derivative, trained = graph.gradient_of(value), tensor in graph.trained
    torch = [forward_line(graph, value) or ""] if computed else []
    if flows:
        torch.append(gradient_line(graph, value, at, parameter))
    return Number(
        tensor=tensor,
        index=index,
        sample=sample,
        value=float(iteration.tensor(value)[at]),
        gradient=float(iteration.tensor(derivative)[at]) if flows else None,
        updated=float(iteration.new[value][at]) if trained else None,
        computed=_origin(iteration, value, index, terms, sample) if computed else None,
        differentiated=_differentiated(iteration, value, index, terms, sample) if flows else None,
        moved=_update(iteration, value, index, terms) if trained else None,
        torch=tuple(filter(None, torch)),
        is_parameter=parameter,
    )


def number_at(iteration: Iteration, step: Step, unit: int) -> tuple[str, tuple[int, ...]]:
    """Return the number that a step is about: of ``unit``, or of the weight into it with the largest gradient."""
    graph = iteration.graph
    name = graph.value_of(step.tensor)
    if not graph.layered:
        return entry_at(graph, step, unit)
    if graph.role(name) == "loss":
        return graph.output, (unit,)
    if graph.is_weight(name):
        return name, (selected_input(iteration, step.block, unit), unit)
    return name, (unit,)


def exists(iteration: Iteration, tensor: str, index: tuple[int, ...]) -> bool:
    """Check whether the network has a number of that name."""
    shape = shape_of(iteration.graph, tensor)
    return shape is not None and in_shape(index, shape)


def largest_of(iteration: Iteration, tensor: str) -> tuple[int, ...]:
    """Index of the entry of a tensor that is largest in magnitude, in the first sample where samples are rows."""
    numbers = iteration.tensor(tensor)[0] if iteration.graph.per_sample(tensor) else iteration.tensor(tensor)
    at = int(np.nan_to_num(np.abs(numbers)).argmax())
    return index_at(at, numbers.shape)


def shape_of(graph: Graph, tensor: str) -> Shape | None:
    """Shape of a parameter, or of one sample of a value; None for any other name."""
    found = graph.tensors.get(tensor)
    if found is None or found.what != "value":
        return None
    value = graph.by_name[found.value]
    if value.is_parameter or (not graph.layered and value.role not in ("constant", "target")):
        return value.sample_shape
    return (value.sample_shape if value.per_sample and value.role != "target" else ()) or None


@lru_cache(maxsize=64)
def tensors(graph: Graph) -> tuple[str, ...]:
    """Names of all tensors whose numbers can be looked up, in the order of the walk: x, W1, b1, z1, a1, ..."""
    found = [graph.input]
    for op in graph.ops:
        found += [
            name for name in (*op.inputs, op.output) if name not in found and name not in graph.overwritten
        ]
    return tuple(name for name in found if shape_of(graph, name) is not None)


def largest_in(iteration: Iteration, tensor: str) -> tuple[int, ...]:
    """Index of the entry (of the first sample) with the largest gradient, or value where it has no gradient."""
    graph = iteration.graph
    value = graph.value_of(tensor)
    name = graph.gradient_of(value) if value in graph.differentiable else value
    return largest_of(iteration, name)


def weights_near(
    iteration: Iteration, number: TensorEntry, pinned: TensorEntry | None, most: int
) -> tuple[TensorEntry, ...]:
    """Return one or two parameters along which the loss is drawn: the number itself, or the weight into its unit with
    the largest gradient, in a graph without layers that of all parameters; then the pinned one, or that with the next
    largest gradient in the same tensor."""
    graph = iteration.graph
    parameters = graph.parameters
    tensor, index = number
    if tensor not in parameters and not (graph.layered and graph.part(max(graph.block(tensor), 1), "weight")):
        tensor, index = graph.parameter_at(int(np.argmax(np.abs(np.nan_to_num(iteration.program.gradient)))))
    elif tensor not in parameters:
        layer = max(graph.block(tensor), 1)
        unit = index[-1] if tensor != graph.input else unit_with_largest_delta(iteration, 1)
        tensor, index = graph.weight(layer), (selected_input(iteration, layer, unit), unit)
    first = tensor, index
    if most == 1:
        return (first,)
    if pinned and pinned != first and pinned[0] in parameters and exists(iteration, *pinned):
        return first, pinned
    gradients = np.array(np.abs(np.nan_to_num(iteration.tensor(graph.gradient_of(tensor)))))
    gradients[index] = -1
    if gradients.size > 1:
        return first, (tensor, index_at(int(gradients.argmax()), gradients.shape))
    other = next((name for name in parameters if name != tensor), None)
    return (first, (other, largest_in(iteration, other))) if other else (first,)


def _origin(
    iteration: Iteration, name: str, index: tuple[int, ...], terms: int, sample: int
) -> Origin | None:
    """The equation that computes an array, or the operation, where no equation ends in it."""
    for grain in ("equation", "operation"):
        for step in walk(iteration.spec, iteration.batch, iteration.optimizer, grain):
            if step.tensor == name:
                with np.errstate(all="ignore"):
                    return Origin(step, _rows(iteration, step, index, terms, sample))
    return None


def _differentiated(
    iteration: Iteration, value: str, index: tuple[int, ...], terms: int, sample: int
) -> Origin | None:
    """The step that computes a gradient; in a graph without layers, where several operations read the value, all
    their steps in one: a sum with a term by each of them. Of blocks that repeat each other, the largest terms."""
    graph = iteration.graph
    visits = graph.visits_of.get(value, ())
    if graph.layered or len(visits) < 2:
        return _origin(iteration, graph.gradient_of(value), index, terms, sample)
    every = walk(iteration.spec, iteration.batch, iteration.optimizer, "operation")
    steps = [step for step in every if step.visits and step.visits[-1] in visits]
    first, *others = (
        [row for row in _rows(iteration, step, index, terms, sample) if row.sign != "≠"] for step in steps
    )
    each = [first[:-1], *(rows[1:-1] for rows in others)]  # without the sums so far
    rows = [row for own in each for row in own]
    made, read = equation(graph, visits)
    if blocks_that_read(graph, value):
        rows = _by_block(graph, visits, each, terms)
        made = {name: folded(text) for name, text in made.items()}
        read = [name for name in read if any(name in text.split() for text in made.values())]
    formula = tidy(" , ".join(f"{name} = {text}" for name, text in made.items()))
    shapes = graph.shapes(iteration.batch)
    operands = tuple((name, shape_in(graph, name, shapes)) for name in (*made, *read))
    reused = tuple(name for step in steps for name in step.reused if name in read)
    whole = replace(steps[-1], formula=formula, operands=operands, reused=tuple(dict.fromkeys(reused)))
    return Origin(whole, tuple(balanced([*rows, others[-1][-1]])))


def _by_block(
    graph: Graph, visits: Sequence[Visit], each: Sequence[Sequence[ReceiptRow]], most: int
) -> list[ReceiptRow]:
    """Return a row for each visit, named by its block, the ``most`` largest first; the rows of a visit become one."""
    totals = np.array([sum(row.value for row in rows) for rows in each])

    def label(i: int) -> str:
        what = each[i][0].label if len(each[i]) == 1 else "its sum"
        return f"{graph.blocks[visits[i].op.block].title}: {what}"

    def worked(i: int) -> tuple[str, tuple[float, ...]]:
        return (each[i][0].template, each[i][0].factors) if len(each[i]) == 1 else ("", ())

    return largest(label, totals, most, worked)


def _update(iteration: Iteration, tensor: str, index: tuple[int, ...], terms: int) -> Origin:
    """The update of a parameter."""
    steps = walk(iteration.spec, iteration.batch, iteration.optimizer)
    step = next(
        step for step in steps if step.kind == "update" and step.block == iteration.graph.block(tensor)
    )
    return Origin(step, receipt_rows(iteration, step, (index or (0,))[-1], terms, 0, (tensor, index)))


def _rows(
    iteration: Iteration, step: Step, index: tuple[int, ...], terms: int, sample: int
) -> tuple[ReceiptRow, ...]:
    return receipt_rows(
        iteration,
        step,
        (index or (0,))[-1],
        terms,
        sample,
        (iteration.graph.value_of(step.tensor), index),
    )


def larger_gradients(iteration: Iteration, gradient: float, layer: int | None = None) -> int:
    """Count the parameters, of a layer or of the network, whose gradient is larger in magnitude than ``gradient``."""
    if layer is None:
        return _count_larger(iteration.program.gradient, gradient)
    graph = iteration.graph
    gradients = (graph.gradient_of(name) for name in graph.parameters if graph.block(name) == layer)
    return sum(_count_larger(iteration.tensor(name).ravel(), gradient) for name in gradients)


def equal_gradients(iteration: Iteration, gradient: float) -> int:
    """Count the parameters of the network whose gradient is as large in magnitude as ``gradient``."""
    return int(np.count_nonzero(np.abs(iteration.program.gradient) == abs(gradient)))


def largest_count(iteration: Iteration, tensor: str) -> int:
    """Count the entries that are as large in magnitude as the one that ``largest_of`` returns."""
    numbers = iteration.tensor(tensor)
    return count_largest(numbers[0] if iteration.graph.per_sample(tensor) else numbers)


def _count_larger(gradients: Array, gradient: float) -> int:
    size = abs(gradient)
    return int(np.count_nonzero(gradients > size) + np.count_nonzero(gradients < -size))
