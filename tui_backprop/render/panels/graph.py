"""The recorded computation graph: the program's operations, the values that flow between them, and what is known
of each by now."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.cost.accounting.operation_times import Timing
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, clip, line
from tui_backprop.render.panels.graph_rows import (
    GraphRow,
    fold_above,
    fold_below,
    graph_rows,
    page,
)
from tui_backprop.render.panels.graph_table import GraphState, fit_cached, graph_table
from tui_backprop.render.panels.operation_detail import (
    operation_lines,
)
from tui_backprop.render.panels.value_graph import ValueGraphState, fold, one_line_each, value_graph_table
from tui_backprop.render.view_state import Snapshot
from tui_backprop.support.format import format_duration, format_times

DETAILED_ROWS, LEAST_DETAIL_ROWS = (
    16,
    5,
)  # rows of the panel from which there are details, and rows of these at least
TIMING = "timing each operation on this machine …"
LEGENDS = (
    "○ not reached   ● forward pass   ◆ backward pass   |..| Euclidean norm",
    "○ not reached  ● forward  ◆ backward  |..| norm",
    "○ not reached ● forward ◆ backward",
)


def _current_row(look: GraphState, rows: Sequence[GraphRow]) -> int:
    """The row of the cursor; an update has none, and stands at its layer."""
    places = [i for i, row in enumerate(rows) if look.here(row)]
    places += [i for i, row in enumerate(rows) if row.op and row.op.block == look.snapshot.step.block]
    return places[0]


def graph_panel(
    snapshot: Snapshot, timing: Timing | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """At most ``rows`` lines: the graph from the input down to the loss, or the part around the cursor, and where
    there is room the operations at the cursor in full. ``timing`` is None while they are not timed."""
    look = GraphState(snapshot, timing, context)
    draw = _layers if snapshot.graph.layered else _values
    lines = draw(look, columns, rows)
    left = rows - len(lines)
    if left >= LEAST_DETAIL_ROWS:
        lines += _totals(look, columns)[: left - LEAST_DETAIL_ROWS - 1]
        lines += [
            (),
            *operation_lines(snapshot, timing, look.current, columns, rows - len(lines) - 1, context),
        ]
    return [fit_cached(clip(fit_cached(each, context), columns), context) for each in lines[:rows]]


def _room(total: int, rows: int) -> int:
    """Lines for the rows of the graph, ``total`` in all; some are left for details."""
    room = rows - 1
    if rows >= DETAILED_ROWS and total > room - LEAST_DETAIL_ROWS - 1:
        room -= max(rows // 3, LEAST_DETAIL_ROWS + 1)
    return room


def _layers(look: GraphState, columns: int, rows: int) -> list[Line]:
    """A line for each operation of a network of layers."""
    all_rows = graph_rows(look.snapshot.graph)
    start, end = page(_current_row(look, all_rows), len(all_rows), _room(len(all_rows), rows))
    head, *table = graph_table(look, all_rows[start:end], columns)
    above = [fold_above(all_rows[:start])] if start else []
    below = [fold_below(all_rows[end:])] if end < len(all_rows) else []
    return [head, *above, *table, *below]


def _values(look: GraphState, columns: int, rows: int) -> list[Line]:
    """A line for each value of any other graph."""
    state = ValueGraphState(look.snapshot, look.context)
    all_rows = state.rows
    formulas = sum(row.op is not None for row in all_rows)
    tall = len(all_rows) + formulas < rows and not one_line_each(state, columns)
    start, end = page(state.cursor(all_rows), len(all_rows), rows - 1 if tall else _room(len(all_rows), rows))
    head, *table = value_graph_table(state, all_rows[start:end], columns, tall)
    above = [fold(all_rows[:start], all_rows[start].above, "above", columns)] if start else []
    below = [fold(all_rows[end:], all_rows[end - 1].below, "below", columns)] if end < len(all_rows) else []
    return [head, *above, *table, *below]


def _totals(look: GraphState, columns: int) -> list[Line]:
    """The meaning of the marks, and the times of all operations together."""
    lines = [_first_that_fits(LEGENDS, columns)]
    if look.timing:
        forward, backward = look.timing.forward(), look.timing.backward()
        total = f"forward {format_duration(forward)}, backward {format_duration(backward)}"
        ratio = f"{total}: {format_times(backward / forward)}x" if forward else total
        whole = f"measured: {ratio} (medians of {look.timing.rounds} runs)"
        lines.append(_first_that_fits((whole, f"measured: {ratio}", f"measured: {total}", total), columns))
    else:
        lines.append(_first_that_fits((TIMING, "timing …"), columns))
    return lines


def _first_that_fits(texts: Sequence[str], columns: int) -> Line:
    """The first of some texts that fits."""
    return line((next((text for text in texts if len(text) <= columns), texts[-1]), "muted"))
