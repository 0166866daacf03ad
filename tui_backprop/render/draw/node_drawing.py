"""A small network drawn as nodes and edges. Lines of negative weights are dashed, those of large weights thicker:
sign and size are visible without color, and the numbers stand beside the lines."""

from __future__ import annotations

from math import isfinite

from tui_backprop.render.draw.cells import DASHED, DOTTED, SOLID, Cells
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.node_graph import Datum, NodeGraph
from tui_backprop.render.draw.node_layout import INTO_NODE, MARK, SYMBOL_COLUMNS, NodeLayout, layout
from tui_backprop.render.draw.spans import Line, cut, line, pad
from tui_backprop.support.format import MINUS, format_fixed, format_number

HEADING_ROWS = 1
THICK_FROM = (0.35, 0.7)  # of the largest size: lines of two and of three dots
MOST_LINES = 24  # lines into a column, above which those without labels are dotted
UNIT, CHOSEN_UNIT, CHOSEN_EDGE = "○", "●", "▸"


def node_drawing(graph: NodeGraph, columns: int, rows: int, context: RenderContext) -> list[Line] | None:
    """Draw a graph in at most so many columns and rows: headings, then nodes and edges. None if it does not fit."""
    plan = layout(graph, columns, rows)
    if plan is None:
        return None
    cells = Cells(plan.left[-1] + plan.node_columns, HEADING_ROWS + plan.height, context.plain)
    order = sorted(range(len(plan.graph.edges)), key=lambda i: (plan.graph.edges[i].chosen, i in plan.port))
    for i in order:
        _line(cells, plan, i, context)
    for i in sorted(plan.port):
        _label(cells, plan, i, context)
    for i in range(len(plan.graph.nodes)):
        _node(cells, plan, i, context)
    _headings(cells, plan, context)
    return cells.lines()


def fitted_number(value: float, columns: int) -> str:
    """Format a value with a sign in at most ``columns`` >= 5 characters: with fixed decimals, so that points are in
    one column, or else with as many digits as fit: +0.579, +12.3, +2e-5, −tiny."""
    texts = [format_number(value, digits, sign=True) for digits in (3, 2, 1)]
    if 10.0 ** (3 - columns) <= abs(value) < 10:
        texts.insert(0, format_fixed(value, columns - 3))
    if value and isfinite(value) and (abs(value) < 10.0 ** (3 - columns) or abs(value) >= 1e4):
        mantissa, _, exponent = f"{value:+.0e}".partition("e")
        texts.insert(0, f"{mantissa.replace('-', MINUS)}e{int(exponent)}")
    beyond = f"{MINUS if value < 0 else '+'}{'tiny' if abs(value) < 1 else 'huge'}"
    return next((text for text in texts if len(text) <= columns), beyond)


def _line(cells: Cells, plan: NodeLayout, i: int, context: RenderContext) -> None:
    """Draw the line of an edge: to its label and on to its node, or straight to the node."""
    edge = plan.graph.edges[i]
    k = plan.graph.nodes[edge.target].column
    thick = 1 + sum(edge.size >= least for least in THICK_FROM)
    dashes = DASHED if edge.sign < 0 else SOLID
    start, end = plan.left[k - 1] + plan.node_columns + 1, plan.left[k] - 2
    source, target = HEADING_ROWS + plan.row[edge.source], HEADING_ROWS + plan.row[edge.target]
    if i in plan.port:
        port = HEADING_ROWS + plan.port[i]
        cells.connect((start, plan.label_at(k) - MARK - 1), (source, port), edge.role, thick, dashes)
        shown = plan.graph.columns[k].shown((edge.weight, edge.gradient), plan.slots)
        written = plan.label_at(k) + (sum(map(bool, shown)) or 1) * (plan.digits + 1)
        cells.connect((written, plan.left[k] - INTO_NODE - 1), (port, port), edge.role)
        cells.connect((plan.left[k] - INTO_NODE, end), (port, target), edge.role)
    elif len(plan.graph.entering(k)) > MOST_LINES and not edge.chosen:
        cells.connect((start, end), (source, target), edge.role, dashes=DOTTED)
    else:
        cells.connect((start, end), (source, target), edge.role, thick, dashes)
        mark = context.text(CHOSEN_EDGE) if edge.chosen else ""
        cells.text((start + end) // 2, (source + target) // 2, mark, "strong")


def _label(cells: Cells, plan: NodeLayout, i: int, context: RenderContext) -> None:
    """Write the numbers of an edge on it, the chosen one with a mark."""
    edge = plan.graph.edges[i]
    x, y = plan.label_at(plan.graph.nodes[edge.target].column), HEADING_ROWS + plan.port[i]
    cells.text(x - MARK, y, context.text(CHOSEN_EDGE) if edge.chosen else " ", "strong")
    if edge.label:
        cells.text(x, y, cut(edge.label, plan.label_columns).rjust(plan.digits), edge.role)
    column = plan.graph.columns[plan.graph.nodes[edge.target].column]
    for n, datum in enumerate(column.shown((edge.weight, edge.gradient), plan.slots)):
        if datum is None:
            continue
        number = fitted_number(datum.value, plan.digits).rjust(plan.digits)
        cells.text(
            x + n * (plan.digits + 1), y, context.text(number), "strong" if edge.chosen else _role(datum)
        )


def _node(cells: Cells, plan: NodeLayout, i: int, context: RenderContext) -> None:
    """Write the numbers of a node below each other, as many as it has lines, and its mark where the lines end."""
    node, x = plan.graph.nodes[i], plan.left[plan.graph.nodes[i].column]
    y = HEADING_ROWS + plan.row[i]
    mark = node.symbol or (CHOSEN_UNIT if node.chosen else UNIT)
    for n, datum in enumerate(node.shown(plan.deep)):
        number = context.zero if datum is None else context.text(fitted_number(datum.value, plan.digits))
        role = "faint" if datum is None else _role(datum)
        cells.text(plan.number_at(node.column), y + n, number.rjust(plan.digits), role)
        if n and datum is not None:
            cells.text(x, y + n, datum.symbol.replace("δ", context.delta).ljust(SYMBOL_COLUMNS), "muted")
    cells.text(plan.mark_at(node.column), y, context.text(mark), "strong" if node.chosen else "muted")


def _role(datum: Datum) -> str:
    return "strong" if datum.fresh else datum.role


def _headings(cells: Cells, plan: NodeLayout, context: RenderContext) -> None:
    """Write the headings, each over the numbers that it names."""
    for k, column in enumerate(plan.graph.columns):
        places = [(plan.number_at(k), column.title)]
        if k and column.weights and plan.slots:
            shown = column.shown((column.weights, column.gradients), plan.slots)
            places += [(plan.label_at(k) + n * (plan.digits + 1), row) for n, row in enumerate(shown)]
        for x, heading in places:
            narrow = line(*((text.replace("δ", context.delta), role) for text, role in heading))
            for text, role in pad(narrow, plan.digits, ">"):
                cells.text(x, 0, context.text(text), role)
                x += len(text)
