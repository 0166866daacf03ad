"""The walk panel: one step with its timeline, diagram, equation and tensor."""

from __future__ import annotations

from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.node_drawing import node_drawing
from tui_backprop.render.draw.spans import Line, beside
from tui_backprop.render.view_state import Snapshot, Veil
from tui_backprop.render.walk.explanation import explanation
from tui_backprop.render.walk.iteration_graph import drawable, graph_of
from tui_backprop.render.walk.network_diagram import diagram
from tui_backprop.render.walk.shown_array import shown_array
from tui_backprop.render.walk.tensor import array_rows, tensor_view
from tui_backprop.render.walk.timeline import timeline
from tui_backprop.render.walk.value_table import value_table
from tui_backprop.render.walk.veil import before, question_lines

TENSOR_ROWS = 8  # lines for the tensor below the equation, where there is room
ROOMY_ROWS = 18  # lines below the diagram from which lines are reserved for the tensor
PICTURE_ROWS = 17  # lines for a sheet of pictures, with what the marked entry is made of
TALL_ROWS = 30  # lines below the diagram from which so many are reserved for it
LEAST_ROWS_OF_BOTH = 16  # lines for the values and, below them, a sheet
LEAST_TABLE_ROWS = 6  # lines of the values above what is asked
LEAST_ABOVE_MAP = 4  # and above an array with labels
REST_ROWS = 12  # lines above and below the nodes and edges of a small network
FEW_UNITS = 8  # largest width of layers that are drawn in a single line
SIDE_BY_SIDE_COLUMNS = 72  # columns from which the tensor is beside the equation, not below it


def walk_panel(
    snapshot: Snapshot, columns: int, rows: int, context: RenderContext, given_up: bool = False
) -> list[Line]:
    """Render at most ``rows`` lines: timeline, network, equation, receipt and cost, tensor. ``given_up``: counting
    the entries of a large array failed."""
    top = [*timeline(snapshot.steps, snapshot.session.walk.step, columns, context), *_blank(rows >= 20)]
    if snapshot.graph.layered:
        known = before(snapshot) if snapshot.hidden else snapshot
        top += [*_network(known, columns, rows, context), *_blank(rows >= 30)]
    left = rows - len(top)
    if columns >= SIDE_BY_SIDE_COLUMNS:
        text_columns = min(max(48, columns * 11 // 20), 64) if snapshot.graph.layered else columns // 2
        text = [context.fit(row) for row in explanation(snapshot, text_columns, left, context)]
        tensor = _beside(snapshot, columns - text_columns - 2, min(left, 32), context, given_up)
        lower = beside(text, tensor, text_columns)
    else:
        kept = (
            PICTURE_ROWS if _pictures(snapshot) and left >= TALL_ROWS else _table_and_array(snapshot, columns)
        )
        lower = explanation(snapshot, columns, left, context, kept if left >= ROOMY_ROWS else 0)
        if left - len(lower) > TENSOR_ROWS // 2:
            lower = [*lower, (), *_beside(snapshot, columns, left - len(lower) - 1, context, given_up)]
    return fitted([*top, *lower], columns, rows, context)


def _table_and_array(snapshot: Snapshot, columns: int) -> int:
    """Return the lines to leave below the equation: for the array, and the values above one with labels."""
    shown = shown_array(snapshot)
    return array_rows(snapshot, shown, columns) + LEAST_ABOVE_MAP + 1 if shown.axes else TENSOR_ROWS


def _beside(
    snapshot: Snapshot, columns: int, rows: int, context: RenderContext, given_up: bool
) -> list[Line]:
    """Draw the array of the step; of a graph without layers, all values, and below them that array, unless it is a
    single number."""
    if snapshot.veil and snapshot.hidden:
        return _question(snapshot, snapshot.veil, columns, rows, context)
    if snapshot.graph.layered:
        return tensor_view(snapshot, columns, rows, context, given_up)
    shown = shown_array(snapshot)
    if shown.sheet and (_pictures(snapshot) or rows < LEAST_ROWS_OF_BOTH):
        return tensor_view(snapshot, columns, rows, context, given_up)  # images take all the room
    single = shown.values.ndim == 0
    least = LEAST_ABOVE_MAP if shown.axes else rows // 2
    wanted = array_rows(snapshot, shown, columns) if shown.axes else TENSOR_ROWS
    table = value_table(snapshot, columns, rows if single else max(rows - wanted, least), context)
    if single or rows - len(table) < 3:
        return table
    return [*table, (), *tensor_view(snapshot, columns, rows - len(table) - 1, context, given_up)]


def _pictures(snapshot: Snapshot) -> bool:
    """Return True if a sheet of pictures is asked for."""
    return snapshot.session.walk.view == "picture" and shown_array(snapshot).sheet


def _question(snapshot: Snapshot, veil: Veil, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Ask for the result of the step; of a graph without layers, below the values that are known before."""
    asked = question_lines(veil, columns, rows, context)
    if snapshot.graph.layered or rows - len(asked) < LEAST_TABLE_ROWS:
        return asked
    return [*value_table(before(snapshot), columns, rows - len(asked) - 1, context), (), *asked]


def _network(snapshot: Snapshot, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw a small network as nodes and edges; one that does not fit so as a row of layers."""
    if drawable(snapshot):
        drawn = node_drawing(graph_of(snapshot), columns, rows - REST_ROWS, context)
        if drawn is not None:
            return drawn
    map_rows = min(max((rows - 14) // 6, 1 + (rows >= 22)), 8)
    if max(snapshot.graph.widths) <= FEW_UNITS or context.sparse:
        map_rows = 1
    return diagram(snapshot, columns, map_rows, context, norms=rows >= 20)


def _blank(wanted: bool) -> list[Line]:
    return [()] if wanted else []
