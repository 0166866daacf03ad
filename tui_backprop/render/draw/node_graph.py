"""A small network as nodes and edges: what ``node_drawing`` draws, and all that it knows of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from tui_backprop.render.draw.spans import Line

T = TypeVar("T")


@dataclass(frozen=True)
class Datum:
    """A ``value`` with its ``symbol``, in the color of ``role``; ``fresh`` if the current step computed it."""

    symbol: str
    value: float
    role: str
    fresh: bool = False


@dataclass(frozen=True)
class Node:
    """A unit in a column. Its numbers are None until they are computed; the ``chosen`` unit is marked. A ``symbol``
    stands for the mark of a node that is not a unit."""

    column: int
    value: Datum | None = None
    bias: Datum | None = None
    delta: Datum | None = None
    chosen: bool = False
    symbol: str = ""

    def shown(self, lines: int) -> list[Datum | None]:
        """Return what fits in so many lines: the value, and below it bias and delta, or the one of them that is
        fresh, or the last one; in one line the latest number."""
        rest: list[Datum | None] = [datum for datum in (self.bias, self.delta) if datum is not None]
        fresh: list[Datum | None] = [datum for datum in rest if datum and datum.fresh]
        if lines == 1:
            return [(fresh or [self.value])[-1]]
        return [self.value, *(rest if len(rest) < lines else (fresh or rest)[-1:])]


@dataclass(frozen=True)
class Edge:
    """A connection from a node to one of the next column, by their indices, with its ``weight``, and its
    ``gradient`` or updated value; a ``label`` stands for a weight that is fixed. The line shows ``sign`` (-1: dashes)
    and ``size`` (thickness: 0 to 1, of the largest one). ``chosen`` edges are marked."""

    source: int
    target: int
    weight: Datum | None = None
    gradient: Datum | None = None
    label: str = ""
    sign: int = 1
    size: float = 0.0
    role: str = "faint"
    chosen: bool = False

    @property
    def labeled(self) -> bool:
        """True if something is written on it."""
        return bool(self.label) or self.weight is not None


@dataclass(frozen=True)
class NodeColumn:
    """The headings over a column of nodes, and over the weights and the gradients of the edges that enter it; where
    one of the two fits, the gradients are shown, or the weights if those are ``in_use``. An ``optional`` column is
    left out where it does not fit."""

    title: Line = ()
    weights: Line = ()
    gradients: Line = ()
    in_use: bool = False
    optional: bool = False

    def shown(self, both: tuple[T, T], slots: int) -> tuple[T, ...]:
        """Return what is shown of a weight and its gradient (empty until it is computed) in so many places."""
        return both if slots > 1 else (both[0] if self.in_use or not both[1] else both[1],)


@dataclass(frozen=True)
class NodeGraph:
    """Columns from left to right, their nodes from top to bottom, and edges between neighboring columns. ``deep`` is
    the number of lines of a node with all of its numbers."""

    columns: tuple[NodeColumn, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    deep: int = 3

    def column(self, k: int) -> list[int]:
        """Return the indices of the nodes of a column."""
        return [i for i, node in enumerate(self.nodes) if node.column == k]

    def entering(self, k: int) -> list[int]:
        """Return the indices of the edges that enter a column."""
        return [i for i, edge in enumerate(self.edges) if self.nodes[edge.target].column == k]

    def without_optional(self) -> NodeGraph:
        """Return the graph without its optional columns, which are the last ones."""
        kept = tuple(column for column in self.columns if not column.optional)
        nodes = tuple(node for node in self.nodes if node.column < len(kept))
        edges = tuple(edge for edge in self.edges if edge.target < len(nodes))
        return NodeGraph(kept, nodes, edges, self.deep)
