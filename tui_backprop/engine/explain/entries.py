"""The entries that a step of a graph without layers computes, counted row by row: of a value with a row for each
sample, those of the first one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.axes import LOOKED_AT, POSITION
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.tensor_names import TensorEntry
from tui_backprop.engine.primitives import Array, index_at, size
from tui_backprop.engine.training.iteration import Iteration


def _values(graph: Graph, step: Step) -> tuple[str, ...]:
    """Return the values that a step computes, or whose gradients; of an update, all parameters that it changes."""
    if step.kind == "update":
        return tuple(name for name in graph.trained if graph.block(name) == step.block)
    return (graph.value_of(step.tensor),)


def choosable(graph: Graph, step: Step) -> tuple[str, ...]:
    """Return the values whose entries can be chosen at a step: those that it computes; at a loss of outputs, the
    outputs."""
    names = _values(graph, step)
    return (graph.output,) if graph.predicts and names == (graph.loss,) else names


def positions(iteration: Iteration) -> int:
    """Count the positions of the first sample up to the last one with a target; those after it count for nothing."""
    targets = first_sample(iteration, iteration.graph.target)
    return int(np.flatnonzero(targets >= 0).max(initial=-1)) + 1


def largest_on(iteration: Iteration, step: Step, at: Mapping[str, int]) -> int | None:
    """Return the number of the entry of a step with the largest gradient, of those with an index ``at`` some axes;
    None if no value of the step has one of these axes."""
    graph = iteration.graph
    names = choosable(graph, step)
    if not any(set(graph.by_name[name].axes) & at.keys() for name in names):
        return None
    sizes = []
    for name in names:
        size_of = np.full(graph.by_name[name].sample_shape, -1.0)
        there = _slices(graph.by_name[name].axes, size_of.shape, at)
        if there is not None:
            size_of[there] = _magnitudes(iteration, name)[there]
        sizes.append(size_of.ravel())
    return int(np.argmax(np.concatenate(sizes)))


def _slices(axes: tuple[str, ...], shape: Shape, at: Mapping[str, int]) -> tuple[int | slice, ...] | None:
    """Return what selects the given indices of an array, the last ones where they are out of range; None if it has
    none of their axes."""
    if not set(axes) & at.keys():
        return None
    pairs = zip(axes, shape, strict=True)
    return tuple(min(at[axis], n - 1) if axis in at else slice(None) for axis, n in pairs)


def _magnitudes(iteration: Iteration, name: str) -> Array:
    """Return the sizes of the gradients by the entries of a value; without gradients, of the entries. Those at
    positions that count for nothing are −1: without a target, or masked."""
    graph = iteration.graph
    array = first_sample(iteration, graph.gradient_of(name) if name in graph.differentiable else name)
    sizes: Array = np.abs(np.nan_to_num(array))
    value = graph.by_name[name]
    if value.is_parameter or POSITION not in value.axes:
        return sizes
    counted = np.full(sizes.shape, -1.0)
    end = positions(iteration)
    there = tuple(slice(end if axis in (POSITION, LOOKED_AT) else None) for axis in value.axes)
    counted[there] = sizes[there]
    if value.axes[-1] == LOOKED_AT:
        rows, columns = np.triu_indices(end, 1)
        counted[..., rows, columns] = -1
    return counted


def first_sample(iteration: Iteration, tensor: str) -> Array:
    """Return an array, or its row of the first sample if it has a row for each."""
    values = iteration.tensor(tensor)
    return np.asarray(values[0]) if iteration.graph.per_sample(tensor) else values


def entries_at(graph: Graph, step: Step) -> int:
    """Count the entries of a step: of its largest part."""
    parts = (choosable(graph, part) for part in step.pieces)
    return max(sum(size(graph.by_name[name].sample_shape) for name in names) for names in parts)


def entry_at(graph: Graph, step: Step, place: int) -> TensorEntry:
    """Return the entry number ``place`` of a step; the last one where there are fewer."""
    return _entry_of(graph, _values(graph, step), place)


def chosen_at(graph: Graph, step: Step, place: int) -> TensorEntry:
    """Return the entry number ``place`` of those that can be chosen at a step."""
    return _entry_of(graph, choosable(graph, step), place)


def _entry_of(graph: Graph, names: tuple[str, ...], place: int) -> TensorEntry:
    *_, last = names
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
    arrays = [_magnitudes(iteration, name).ravel() for name in choosable(iteration.graph, step)]
    return int(np.argmax(np.concatenate(arrays)))
