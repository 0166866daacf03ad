"""From one number to the next: along the axes of an array, and in the order of the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tui_backprop.engine.arrays.types import place_in
from tui_backprop.engine.explain.number import shape_of, tensors
from tui_backprop.engine.explain.receipts import selected_input, unit_with_largest_delta
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.primitives import index_at, size
from tui_backprop.engine.training.iteration import Iteration

NONE: Mapping[int, int] = MappingProxyType({})


def next_entry(
    graph: Graph, tensor: str, index: tuple[int, ...], axis: int, direction: int
) -> tuple[int, ...]:
    """Return the entry in the next row (``axis`` 0) or column (1), cyclically; an array of one axis has one row of
    either kind, and one of more than two goes on with the rows of the next matrix."""
    shape = shape_of(graph, tensor) or ()
    if axis or len(shape) == 1:
        return (*index[:-1], (index[-1] + direction) % shape[-1])
    rows = shape[:-1]
    row = (place_in(index[:-1], rows) + direction) % size(rows)
    return (*index_at(row, rows), index[-1])


def neighbor(
    iteration: Iteration,
    tensor: str,
    index: tuple[int, ...],
    direction: int,
    chosen: Mapping[int, int] = NONE,
) -> tuple[str, tuple[int, ...]]:
    """Return the nearest number in the next (+1) or previous (-1) tensor of the forward pass, cyclically.

    A unit keeps its index from one vector to the next. A weight lies between two units: the previous number is its
    input unit, the next one its output unit. From a unit to a matrix, the other index of the weight is the unit
    ``chosen`` in that layer (0 is the input), if there is one; else, forward, the unit with the largest delta, and,
    backward, the input of the weight with the largest gradient.
    """
    graph = iteration.graph
    names = tensors(graph)
    at = names.index(tensor if tensor in names else graph.preactivation(graph.block(tensor)))
    name = names[(at + direction) % len(names)]
    shape = shape_of(graph, name) or ()
    unit = (index or (0,))[0 if direction < 0 else -1]
    if not graph.layered:
        place = (0,) * (len(shape) - len(index)) + index[max(len(index) - len(shape), 0) :]
        return name, tuple(min(i, n - 1) for i, n in zip(place, shape, strict=True))
    if len(shape) == 1:
        return name, (min(unit, shape[0] - 1),)
    k = graph.block(name)
    layer, side = (k, 0) if direction > 0 else (k - 1, 1)  # layer of the unknown index; axis of the known one
    unit = min(unit, shape[side] - 1)
    other = chosen.get(layer)
    if other is None:
        other = unit_with_largest_delta(iteration, k) if direction > 0 else selected_input(iteration, k, unit)
    return name, (unit, other) if direction > 0 else (other, unit)
