"""A graph without layers as rows, laid out as version control draws history: a row for each value, in a lane that
goes on down to the last operation that reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.render.panels.graph_rows import NODE_MARK

FOLDED_MARK, UNFOLDED_MARK = "▸", "▾"


@dataclass(frozen=True)
class ValueGraphRow:
    """A ``value`` that is given (``op`` is None) or computed; or, below one that is read several times, the ``term``
    of its gradient by one of its paths. ``lanes`` are drawn in the row itself, ``above`` and ``below`` it those that
    go on.

    A row with a ``title`` is that of a block: one that is folded stands for the values ``inside``, the last of which
    is its value; of one that is unfolded, it has no value and is above the rows of the block."""

    value: str
    op: Op | None
    lanes: str
    above: str
    below: str
    term: Visit | None = None
    title: str = ""
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Item:
    """Operations that are drawn in one row: one, or all of a ``folded`` block. ``title`` is that of a block that
    begins with it."""

    ops: tuple[Op, ...]
    title: str = ""
    folded: bool = False

    @property
    def output(self) -> str:
        return self.ops[-1].output


@lru_cache(maxsize=64)
def value_graph_rows(graph: Graph, unfolded: tuple[int, ...] | None = None) -> tuple[ValueGraphRow, ...]:
    """All rows in forward order; each value that is given stands above the first operation that reads it. Blocks are
    folded but for those that are ``unfolded``; None: there is no row for a block. Of a gradient with a term in a
    folded block, only the sum is shown."""
    rows = tuple(_rows(graph, unfolded))
    folded = {name for row in rows for name in row.inside}
    summed = {row.value for row in rows if row.term and row.term.op.output in folded}
    return tuple(row for row in rows if not row.term or row.value not in summed)


def _items(graph: Graph, unfolded: tuple[int, ...] | None) -> Iterator[_Item]:
    for block, group in groupby(graph.ops, key=lambda op: op.block):
        ops, title = tuple(group), graph.blocks[block].title
        if unfolded is None:
            yield from (_Item((op,)) for op in ops)
        elif block in unfolded or not _can_fold(graph, ops):
            yield _Item(ops[:1], f"{UNFOLDED_MARK} {title}")
            yield from (_Item((op,)) for op in ops[1:])
        else:
            operations = f"{len(ops)} operation{'s' * (len(ops) != 1)}"
            yield _Item(ops, f"{FOLDED_MARK} {title}, {operations}", folded=True)


def _can_fold(graph: Graph, ops: tuple[Op, ...]) -> bool:
    """Return whether only the last of some operations computes what others read."""
    return not any(reader not in ops for op in ops[:-1] for reader in graph.readers.get(op.output, ()))


def _rows(graph: Graph, unfolded: tuple[int, ...] | None) -> Iterator[ValueGraphRow]:
    last = {name: ops[-1] for name, ops in graph.readers.items()}
    lanes: dict[str, int] = {}  # of the values that are still read further down
    for item in _items(graph, unfolded):
        if item.title and not item.folded:
            through = _through(lanes.values())
            yield ValueGraphRow("", None, through, through, through, title=item.title)
        own = _own(graph, item)
        reads = [
            name
            for name in dict.fromkeys(name for op in item.ops for name in op.inputs)
            if name not in own and graph.role(name) != "constant"
        ]
        for name in reads:
            if name not in lanes:
                at = _free(lanes.values())
                yield from _value_rows(
                    graph, _given(name, _drawn(at, (), (), lanes.values())), lanes, at, last, ()
                )
        inputs = {lanes[name] for name in reads}
        ended = [name for name in reads if last[name] in item.ops]
        ends = {lanes[name] for name in ended}
        at = min(ends, default=_free(lanes.values()))
        drawn = _drawn(at, inputs, ends, lanes.values())
        row = ValueGraphRow(item.output, item.ops[-1], drawn, "", "")
        if item.folded:
            row = replace(row, title=item.title, inside=(*own, item.output))
        yield from _value_rows(graph, row, lanes, at, last, ended)


def _given(name: str, lanes: str) -> ValueGraphRow:
    return ValueGraphRow(name, None, lanes, "", "")


def _own(graph: Graph, item: _Item) -> tuple[str, ...]:
    """Return the values that only operations of a row read: those that it computes before its last one, and those
    that are given to its block alone."""
    made = [op.output for op in item.ops[:-1]]
    if not item.folded:
        return tuple(made)
    given = dict.fromkeys(name for op in item.ops for name in op.inputs if name not in graph.by_output)
    block = item.ops[0].block
    alone = [
        name
        for name in given
        if graph.block(name) == block and all(op in item.ops for op in graph.readers[name])
    ]
    return (*alone, *made)


def lane_columns(rows: Sequence[ValueGraphRow]) -> int:
    """Columns of the widest row of lanes."""
    return max(len(row.lanes) for row in rows)


def _value_rows(
    graph: Graph,
    row: ValueGraphRow,
    lanes: dict[str, int],
    at: int,
    last: dict[str, Op],
    ended: Sequence[str],
) -> Iterator[ValueGraphRow]:
    """The row of a value, and those of the terms of its gradient; ``lanes`` become those below it."""
    name, above = row.value, _through(lanes.values())
    for read in ended:
        del lanes[read]
    if name in last:
        lanes[name] = at
    below = _through(lanes.values())
    yield replace(row, above=above, below=below)
    terms = graph.visits_of.get(name, ()) if not row.inside else ()
    if len(terms) > 1:
        yield from (ValueGraphRow(name, row.op, below, below, below, term) for term in terms)


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
