"""The computation graph as rows, laid out as version control draws history: one line to an operation, and beside
the main line a lane for every value that is read again further down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.render.draw.spans import Line, line

NODE_MARK = "o"  # in ``lanes``: where the mark of an operation goes
LEAVING = str.maketrans({NODE_MARK: "│", "├": "│", "╮": "│", "╯": " ", "─": " ", "┼": "│"})  # below a row
COMING = str.maketrans({NODE_MARK: "│", "├": "│", "╮": " ", "╯": "│", "─": " ", "┼": "│"})  # above it


@dataclass(frozen=True)
class GraphRow:
    """An operation that computes ``value`` (None: an input), with the name of its ``gradient``, and the parameters
    that enter here as ``leaves``; or, where there are several ``readers``, the place where a value branches to them,
    and where on the backward pass the ``terms`` of its gradient are added."""

    value: str
    gradient: str
    op: Op | None
    lanes: str
    leaves: tuple[str, ...] = ()
    readers: tuple[Op, ...] = ()
    terms: tuple[Visit, ...] = ()


@lru_cache(maxsize=16)
def graph_rows(graph: Graph) -> tuple[GraphRow, ...]:
    """All rows, from the input down to the loss."""
    ops, parameters = graph.ops, graph.parameters
    readers: dict[str, list[int]] = {}
    for i, op in enumerate(ops):
        for name in op.inputs:
            readers.setdefault(name, []).append(i)
    terms: dict[str, list[Visit]] = {}
    for visit in graph.backward_visits:
        terms.setdefault(visit.writes, []).append(visit)

    rows: list[GraphRow] = []
    open_lanes: dict[int, int] = {}  # the column of a lane, and the operation that it leads to
    for i, maker in ((-1, None), *enumerate(ops)):
        value = maker.output if maker else graph.input
        ends = [lane for lane, reader in open_lanes.items() if reader == i]
        leaves = tuple(
            name for name in (maker.inputs if maker else ()) if name in parameters and readers[name][0] == i
        )
        lanes = _lanes(NODE_MARK, open_lanes, ends, "╯")
        rows.append(GraphRow(value, graph.gradient_of(value), maker, lanes, leaves))
        for lane in ends:
            del open_lanes[lane]
        for name in (*leaves, value):
            if len(readers.get(name, ())) > 1:
                later = [r for r in readers[name] if r > i + 1 and name == value]  # leaves come from aside
                begins = list(islice((c for c in count(1) if c not in open_lanes), len(later)))
                open_lanes.update(zip(begins, later, strict=True))
                drawn = _lanes("├" if begins else "│", open_lanes, begins, "╮")
                read_by = tuple(ops[r] for r in readers[name])
                added = tuple(terms.get(name, ()))
                rows.append(GraphRow(name, graph.gradient_of(name), None, drawn, (), read_by, added))
    return tuple(rows)


def _lanes(first: str, lanes: Collection[int], turning: Collection[int], corner: str) -> str:
    """The main line and the lanes beside it, of which some turn off from it or into it here."""
    last, text = max(turning, default=0), first
    for column in range(1, max(lanes, default=0) + 1):
        through = column in lanes
        if column in turning:
            text += "─" + corner
        elif column < last:
            text += "─┼" if through else "──"
        else:
            text += " │" if through else "  "
    return text


# --- where there are more rows than lines ------------------------------------------------------------------


def page(at: int, total: int, room: int) -> tuple[int, int]:
    """The part (from, to) of ``total`` rows that fits ``room`` lines and has row ``at`` in it; a line is left for
    each side on which others are. It goes by pages: in most steps no line moves."""
    room = max(room, 3)
    if total <= room:
        return 0, total
    if at < room - 1:
        return 0, room - 1
    start = room - 1 + (at - room + 1) // (room - 2) * (room - 2)
    return (start, start + room - 2) if start + room - 1 < total else (total - room + 1, total)


def fold_above(hidden: Sequence[GraphRow]) -> Line:
    """The line in place of the rows before those shown, with the lanes that cross it."""
    return _fold(hidden, hidden[-1].lanes.translate(LEAVING), "above")


def fold_below(hidden: Sequence[GraphRow]) -> Line:
    """The line in place of the rows after those shown, with the lanes that cross it."""
    return _fold(hidden, hidden[0].lanes.translate(COMING), "below")


def _fold(hidden: Sequence[GraphRow], lanes: str, where: str) -> Line:
    operations = sum(not row.readers for row in hidden)
    return line(
        (f" {lanes} ", "muted"), (f"… {operations} operation{'s' * (operations != 1)} {where}", "muted")
    )
