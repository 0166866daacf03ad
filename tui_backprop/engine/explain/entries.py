"""The entries that a step of a graph without layers computes, counted row by row: of a value with a row for each
sample, those of the first one."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_values import TensorEntry
from tui_backprop.engine.primitives import Array, index_at, size
from tui_backprop.engine.training.iteration import Iteration


def _values(graph: Graph, step: Step) -> tuple[str, ...]:
    """Return the values that a step computes, or whose gradients; of an update, all parameters that it changes."""
    if step.kind == "update":
        return tuple(name for name in graph.trained if graph.block(name) == step.block)
    return (graph.value_of(step.tensor),)


def first_sample(iteration: Iteration, tensor: str) -> Array:
    """Return an array, or its row of the first sample if it has a row for each."""
    values = iteration.tensor(tensor)
    return np.asarray(values[0]) if iteration.graph.per_sample(tensor) else values


def entries_at(graph: Graph, step: Step) -> int:
    """Count the entries of a step: of its largest part."""
    return max(
        sum(size(graph.by_name[name].sample_shape) for name in _values(graph, part)) for part in step.pieces
    )


def entry_at(graph: Graph, step: Step, place: int) -> TensorEntry:
    """Return the entry number ``place`` of a step; the last one where there are fewer."""
    *_, last = names = _values(graph, step)
    for name in names:
        shape = graph.by_name[name].sample_shape
        if place < size(shape) or name == last:
            return name, index_at(min(place, size(shape) - 1), shape) if shape else ()
        place -= size(shape)
    raise ValueError("a step computes at least one value")


def place_at(graph: Graph, step: Step, entry: TensorEntry) -> int | None:
    """Return the number of an entry of a step, None if the step does not compute it."""
    name, index = entry
    before = 0
    for each in _values(graph, step):
        shape = graph.by_name[each].sample_shape
        if each == name:
            return before + (int(np.ravel_multi_index(index, shape)) if shape else 0)
        before += size(shape)
    return None


def largest_entry(iteration: Iteration, step: Step) -> int:
    """Return the number of the entry of a step with the largest gradient; without gradients, of the largest one."""
    graph = iteration.graph
    arrays = [
        first_sample(iteration, graph.gradient_of(name) if name in graph.differentiable else name)
        for name in _values(graph, step)
    ]
    return int(np.argmax(np.concatenate([np.abs(np.nan_to_num(array)).ravel() for array in arrays])))
