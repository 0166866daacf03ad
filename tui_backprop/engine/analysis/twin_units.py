"""Twin units: units of a layer with equal weights in and out. By symmetry they get equal gradients in each update,
and so stay equal for ever: together they can do no more than one of them."""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Iteration

Twins = tuple[tuple[int, ...], ...]  # groups of two or more units of a layer, each in order


def twin_units(iteration: Iteration) -> dict[int, Twins]:
    """Find the groups of twins by hidden layer: equal before the update and after it, bit for bit.

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
    """Return a key for each unit of a layer, equal for units with equal parameters. Units without an equal in their
    incoming weights are told apart by their number, which is cheaper."""
    graph, held = iteration.graph, iteration.program.values
    names = [name for name in graph.parameters if graph.block(name) == layer]
    first = np.asarray(held[graph.weight(layer)].sum(axis=0))
    _, place, count = np.unique(first, return_inverse=True, return_counts=True)
    arrays = [values[name] for name in names for values in (held, iteration.new)]
    out = [values[graph.weight(layer + 1)] for values in (held, iteration.new)]
    return [
        _digest([*(a[..., u] for a in arrays), *(a[u] for a in out)])
        if count[place[u]] > 1 and np.isfinite(first[u])
        else u
        for u in range(len(first))
    ]


def _digest(parts: list[Array]) -> bytes:
    found = blake2b(digest_size=16)
    for part in parts:
        found.update(np.ascontiguousarray(part + 0.0).tobytes())  # -0 equals 0
    return found.digest()


def _groups(keys: list[object]) -> Twins:
    units = defaultdict(list)
    for unit, key in enumerate(keys):
        units[key].append(unit)
    return tuple(tuple(group) for group in units.values() if len(group) > 1)
