"""Twin units: units of a layer with equal weights in and out. By symmetry they get equal gradients in each update,
and so stay equal for ever: together they can do no more than one of them.

Equal but for rounding: a matrix product need not compute equal columns alike, depending on the processor."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import isfinite

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

ROUNDINGS = 1000  # by how many times the precision the largest parameters of twins may differ

Twins = tuple[tuple[int, ...], ...]  # groups of two or more units of a layer, each in order


def twin_units(iteration: Iteration) -> dict[int, Twins]:
    """Find the groups of twins by hidden layer: equal before the update and after it.

    Dropout tells all units apart. Layers that a residual connection joins share their units: twins must be so in each
    of them, and where the connection begins at the input, no units are twins.
    """
    graph = iteration.graph
    if graph.masks:
        return {}
    bypassed = {op.block for op in graph.ops if op.primitive.kind == "residual"}
    keys = {k: _keys(iteration, k) for k in range(1, graph.depth)}
    for k in keys:
        if k in bypassed:
            before: list[object] = list(keys[k - 1]) if k > 1 else list(range(graph.width(0)))
            keys[k] = list(zip(before, keys[k], strict=True))
    for k in range(graph.depth - 1, 1, -1):
        if k in bypassed:
            keys[k - 1] = keys[k]
    return {k: _groups(units) for k, units in keys.items()}


def _keys(iteration: Iteration, layer: int) -> list[object]:
    """Return a key for each unit of a layer, the same for units with equal parameters: the number of the first."""
    graph, held = iteration.graph, iteration.program.values
    names = [name for name in graph.parameters if graph.block(name) == layer]
    into = [values[name] for name in names for values in (held, iteration.new)]
    out = [values[graph.weight(layer + 1)].T for values in (held, iteration.new)]

    def parameters(unit: int) -> Array:
        return np.concatenate([np.ravel(array[..., unit]) for array in (*into, *out)])

    weights = held[graph.weight(layer)]
    close = ROUNDINGS * float(np.finfo(weights.dtype).eps)
    with np.errstate(all="ignore"):
        total, size = weights.sum(axis=0).tolist(), np.abs(weights).sum(axis=0).tolist()
    finite = [unit for unit, n in enumerate(size) if isfinite(n)]
    keys: list[object] = [*range(len(total))]
    for before, unit in pairwise(sorted(finite, key=total.__getitem__)):
        apart = total[unit] - total[before] > close * max(
            size[unit], size[before]
        )  # the rest is not looked at
        keys[unit] = (
            unit if apart or not _equal(parameters(before), parameters(unit), close) else keys[before]
        )
    return keys


def _equal(a: Array, b: Array, close: float) -> bool:
    """Return True for the same finite numbers, but for rounding."""
    with np.errstate(all="ignore"):
        return bool(np.abs(a - b).max() <= close * np.abs(a).max())


def _groups(keys: list[object]) -> Twins:
    units = defaultdict(list)
    for unit, key in enumerate(keys):
        units[key].append(unit)
    return tuple(tuple(sorted(group)) for group in units.values() if len(group) > 1)
