"""Repetition in a graph: blocks that read the same parameter by the same operation, such as the steps in time of a
recurrent network."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.primitives.base import Primitive


def blocks_that_read(graph: Graph, name: str) -> tuple[int, ...]:
    """Return the blocks that read a value by one and the same operation, in forward order; () unless there are
    several."""
    blocks: dict[Primitive, list[int]] = {}
    for op in graph.readers.get(name, ()):
        blocks.setdefault(op.primitive, []).append(op.block)
    most = max(blocks.values(), key=lambda found: len(set(found)), default=[])
    return tuple(dict.fromkeys(most)) if len(set(most)) > 1 else ()


@lru_cache(maxsize=32)
def repeated_blocks(graph: Graph) -> tuple[int, ...]:
    """Return the blocks that repeat each other, one after the other: those that read the parameter that most of them
    share, each of which depends on the one before; () if no parameter is shared so."""
    found = max((blocks_that_read(graph, name) for name in graph.parameters), key=len, default=())
    return found if all(_follows(graph, *pair) for pair in pairwise(found)) else ()


def _follows(graph: Graph, before: int, after: int) -> bool:
    """Return True if what is computed in a block depends on what is computed in another one."""
    reached = {op.output for op in graph.ops if op.block == before}
    for op in graph.ops:
        if reached.intersection(op.inputs):
            reached.add(op.output)
    return any(op.block == after and op.output in reached for op in graph.ops)
