"""A graph without layers as rows, laid out as version control draws history: a row for each value, in a lane that
goes on down to the last operation that reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.render.panels.graph_rows import NODE_MARK


@dataclass(frozen=True)
class ValueGraphRow:
    """A ``value`` that is given (``op`` is None) or computed; or, below one that is read several times, the ``term``
    of its gradient by one of its paths. ``lanes`` are drawn in the row itself, ``above`` and ``below`` it those that
    go on."""

    value: str
    op: Op | None
    lanes: str
    above: str
    below: str
    term: Visit | None = None


@lru_cache(maxsize=16)
def value_graph_rows(graph: Graph) -> tuple[ValueGraphRow, ...]:
    """All rows in forward order; each value that is given stands above the first operation that reads it."""
    return tuple(_rows(graph))


def lane_columns(graph: Graph) -> int:
    """Columns of the widest row of lanes."""
    return max(len(row.lanes) for row in value_graph_rows(graph))


def _rows(graph: Graph) -> Iterator[ValueGraphRow]:
    last = {name: ops[-1] for name, ops in graph.readers.items()}
    lanes: dict[str, int] = {}  # of the values that are still read further down
    for op in graph.ops:
        reads = [name for name in dict.fromkeys(op.inputs) if graph.role(name) != "constant"]
        for name in reads:
            if name not in lanes:
                at = _free(lanes.values())
                yield from _value_rows(graph, name, None, _drawn(at, (), (), lanes.values()), lanes, at, last)
        inputs = {lanes[name] for name in reads}
        ends = {lanes[name] for name in reads if last[name] == op}
        at = min(ends, default=_free(lanes.values()))
        drawn = _drawn(at, inputs, ends, lanes.values())
        yield from _value_rows(graph, op.output, op, drawn, lanes, at, last)


def _value_rows(
    graph: Graph, name: str, op: Op | None, drawn: str, lanes: dict[str, int], at: int, last: dict[str, Op]
) -> Iterator[ValueGraphRow]:
    """The row of a value, and those of the terms of its gradient; ``lanes`` become those below it."""
    above = _through(lanes.values())
    for read in [read for read in lanes if op is not None and last[read] == op]:
        del lanes[read]
    if name in last:
        lanes[name] = at
    below = _through(lanes.values())
    yield ValueGraphRow(name, op, drawn, above, below)
    terms = graph.visits_of.get(name, ())
    if len(terms) > 1:
        yield from (ValueGraphRow(name, op, below, below, below, term) for term in terms)


def _free(lanes: Collection[int]) -> int:
    """Return the first lane that is not taken."""
    return next(i for i in range(len(lanes) + 1) if i not in lanes)


def _through(lanes: Collection[int]) -> str:
    return " ".join("│" if i in lanes else " " for i in range(max(lanes, default=-1) + 1))


def _drawn(node: int, inputs: Collection[int], ends: Collection[int], lanes: Collection[int]) -> str:
    """Draw a value in lane ``node``, and the ``inputs`` that come to it from other lanes: of them, ``ends`` are read
    here for the last time."""
    left, right = min([node, *inputs]), max([node, *inputs])
    text = ""
    for i in range(max([right, *lanes]) + 1):
        inside = left <= i <= right
        if i == node:
            text += NODE_MARK
        elif i in inputs:
            text += _joint(i in ends, i == left, i == right)
        else:
            text += "│" if i in lanes else "─" if inside else " "
        text += "─" if left <= i < right else " "
    return text.rstrip()


def _joint(ends: bool, first: bool, last: bool) -> str:
    """Draw where the way of an input turns to the operation that reads it: at the end of its lane, or off it."""
    if ends:
        return "╰" if first else "╯" if last else "┴"
    return "├" if first else "┤" if last else "┼"
