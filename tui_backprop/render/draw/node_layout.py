"""Where the nodes and labels of a small network are drawn.

Edges that enter a node have their labels stacked left of it, one in a row: lines cross only left of the labels, and
every label has a line of its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise, product
from math import floor

from tui_backprop.render.draw.node_graph import NodeGraph

SYMBOL_COLUMNS = 3  # a node's mark or symbol, and a blank
PRECISE_COLUMNS, BRIEF_COLUMNS = 6, 5  # columns of a number: +0.579, +0.58
LEAST_FAN, INTO_NODE = 4, 3  # columns of the lines left of the labels at least, and right of them
MARK = 1  # columns of the mark before a label, and of a blank after it
MOST_GAP = 40  # columns between two columns of nodes
STEEPEST = 4  # rows to a column of the lines left of the labels, from which only chosen edges have labels
MOST_AIR = 4  # rows between two nodes, where half of the spare rows are that many
PLAIN_GAP = 4  # columns between columns whose edges have no labels, at least


@dataclass(frozen=True)
class NodeLayout:
    """Positions in cells: the ``left`` end of each column, the ``row`` of each node's value, and the row of the label
    of each edge that has one (``port``). A node takes ``deep`` lines, a number ``digits`` columns, an edge shows its
    last ``slots`` numbers; ``height`` is without the headings."""

    graph: NodeGraph
    left: tuple[int, ...]
    row: tuple[int, ...]
    port: dict[int, int]
    deep: int
    digits: int
    slots: int
    height: int

    @property
    def node_columns(self) -> int:
        """Columns that a node takes."""
        return SYMBOL_COLUMNS + self.digits

    @property
    def label_columns(self) -> int:
        """Columns that a label takes."""
        return self.slots * (self.digits + 1) - 1

    def number_at(self, k: int) -> int:
        """Return the first cell of the numbers of a column: right of the marks, but left of those of inputs."""
        return self.left[k] + (1 if self._inputs(k) else SYMBOL_COLUMNS)

    def mark_at(self, k: int) -> int:
        """Return the cell of the marks of a column."""
        return self.left[k] + (self.node_columns - 1 if self._inputs(k) else 0)

    def _inputs(self, k: int) -> bool:
        """Return True for a first column of nodes with a value alone."""
        nodes = (self.graph.nodes[i] for i in self.graph.column(k))
        return k == 0 and all(node.bias is None and node.delta is None for node in nodes)

    def label_at(self, k: int) -> int:
        """Return the first cell of the labels of the edges that enter a column."""
        return self.left[k] - INTO_NODE - MARK - self.label_columns


def layout(graph: NodeGraph, columns: int, rows: int) -> NodeLayout | None:
    """Lay a graph out in at most so many columns and rows, headings included; None if it does not fit."""
    for labels in (True, False):
        for shown in (graph, graph.without_optional()):
            for digits in (PRECISE_COLUMNS, BRIEF_COLUMNS):
                across = _across(shown, columns, digits, labels)
                if across is not None:
                    return _down(shown, *across, digits, rows - 1)
    return None


def _across(graph: NodeGraph, columns: int, digits: int, labels: bool) -> tuple[tuple[int, ...], int] | None:
    """Return the left end of each column, and how many numbers are shown on an edge (none without ``labels``); None
    if the columns are too few."""
    nodes = SYMBOL_COLUMNS + digits
    named = [any(graph.edges[i].labeled for i in graph.entering(k)) for k in range(1, len(graph.columns))]
    room = columns - nodes * len(graph.columns) - PLAIN_GAP * named.count(False)
    gap = min(room // max(named.count(True), 1), MOST_GAP)
    least = LEAST_FAN + MARK + digits + MARK + INTO_NODE if labels else PLAIN_GAP
    if room < 0 or (any(named) and gap < least):
        return None
    left = [0]
    for wide in named:
        left.append(left[-1] + nodes + (gap if wide else PLAIN_GAP))
    return tuple(left), labels * (1 + (gap >= least + 2 * LEAST_FAN + digits + 1))


def _down(graph: NodeGraph, left: tuple[int, ...], slots: int, digits: int, rows: int) -> NodeLayout | None:
    """Choose how deep nodes are, and if all labels are shown or those of chosen edges; None if the rows are too
    few."""
    nodes, labels = SYMBOL_COLUMNS + digits, slots * (digits + 1) - 1 + 2 * MARK + INTO_NODE
    gaps = [right - left_end - nodes for left_end, right in pairwise(left)]
    fan = max(gaps, default=0) - labels  # columns of the lines left of the labels
    for every, deep in product((True, False), range(graph.deep, 0, -1)):
        if every != bool(slots) and (every or any(edge.label for edge in graph.edges)):
            continue  # edges with a label of their own run beside others, and are seen by it alone
        blocks = [_block(graph, k, deep, every) for k in range(len(graph.columns))]
        counts = [len(graph.column(k)) for k in range(len(graph.columns))]
        needed = max(block * count for block, count in zip(blocks, counts, strict=True))
        needed = needed if every else max(needed, 2 * max(counts) - 1)  # lines beside each other need air
        if needed > rows or (every and needed > STEEPEST * fan):
            continue
        between = max(counts) - 1
        spare = rows - needed if slots else 0  # what is written elsewhere needs the rows
        air = max(min(spare // (2 * max(between, 1)), MOST_AIR), 1)
        height = min(rows, needed + air * between)
        row, tops = [0] * len(graph.nodes), [0] * len(graph.nodes)
        for k, (block, count) in enumerate(zip(blocks, counts, strict=True)):
            for n, i in enumerate(graph.column(k)):
                tops[i] = floor((n + 0.5) * height / count - block / 2 + 0.5)
                row[i] = tops[i] + (block - deep) // 2
        port = _ports(graph, tops if every else row, height, every) if slots else {}
        return NodeLayout(graph, left, tuple(row), port, deep, digits, slots, height)
    return None


def _block(graph: NodeGraph, k: int, deep: int, every: bool) -> int:
    """Return the rows that a node of a column takes with the labels that are stacked left of it."""
    into: dict[int, int] = defaultdict(int)
    for i in graph.entering(k):
        into[graph.edges[i].target] += every and graph.edges[i].labeled
    return max(deep, *into.values()) if into else deep


def _ports(graph: NodeGraph, first: list[int], height: int, every: bool) -> dict[int, int]:
    """Give each labeled edge the free row that is nearest to its place in the stack of its target."""
    ports: dict[int, int] = {}
    for k in range(1, len(graph.columns)):
        free = set(range(height))
        stacked: dict[int, int] = defaultdict(int)
        shown = [i for i in graph.entering(k) if graph.edges[i].labeled and (every or graph.edges[i].chosen)]
        for i in shown:
            target = graph.edges[i].target
            wanted = first[target] + stacked[target]
            if not free:
                break
            ports[i] = min(free, key=lambda y: (abs(y - wanted), y))
            free.remove(ports[i])
            stacked[target] += 1
    return ports
