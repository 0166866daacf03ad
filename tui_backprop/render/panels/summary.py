"""What the panels that are not on a large screen would say: a card for each, in its own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui_backprop.engine.analysis.value_flow import GraphFlow
from tui_backprop.keys.panel_table import PANEL_ROWS
from tui_backprop.keys.table import panel_key
from tui_backprop.render.cost.cost import comparison
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.spans import Line, beside, line
from tui_backprop.render.panels.blame import prediction_lines, ranking_table
from tui_backprop.render.panels.flow_verdict import verdict
from tui_backprop.render.panels.number import brief_figures
from tui_backprop.render.panels.training import figures, progress, untrained
from tui_backprop.render.panels.value_flow import value_verdict
from tui_backprop.render.view_state import Findings, Snapshot
from tui_backprop.render.walk.veil import covered
from tui_backprop.session.session_parts import Inspection

LEAST_CARD_COLUMNS, GAP = 40, 3  # columns of a card at least, and between two
LEAST_CARD_ROWS = 5  # rows of a card at least, with its title
MOST_CARDS = 4
PLAIN = {"cursor": "text"}  # roles in a card: no cursor of another panel stands in it


def summary_lines(findings: Findings, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw at most ``rows`` lines: cards side by side and below each other, as many as fit."""
    snapshot = findings.snapshot
    if snapshot is None:
        return []
    across = min(max((columns + GAP) // (LEAST_CARD_COLUMNS + GAP), 1), MOST_CARDS)
    down = min(max(rows // (LEAST_CARD_ROWS + 1), 1), -(-MOST_CARDS // across))
    wide, high = (columns + GAP) // across - GAP, rows // down - 1
    names = [name for name in CARDS if name != findings.aside][: min(across * down, MOST_CARDS)]
    lines: list[Line] = [line((context.left * columns, "grid"))]
    for first in range(0, len(names), across):
        row: list[Line] = []
        for n, name in enumerate(names[first : first + across]):
            card = _card(name, findings, snapshot, wide, high, context)
            row = beside(row, card, n * (wide + GAP) - GAP, GAP) if n else card
        lines += [*([()] if first else []), *row, *[()] * (high - len(row))]
    return fitted(lines, columns, rows, context)


def _card(
    name: str, findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw a card: the key and the title of its panel, and what that says, or that it is being computed."""
    title = line((panel_key(name, context.keys), "key"), (f" {PANEL_ROWS[name].title}", "title"))
    hidden = snapshot.hidden and PANEL_ROWS[name].hidden_while_predicting
    if snapshot.veil and hidden:
        return [title, *covered(snapshot.veil, columns, context)][:rows]
    body = CARDS[name](findings, snapshot, columns, rows - 1, context)
    return [title, *(body or [line(("computing …", "muted"))])[: rows - 1]]


def _blame(
    findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the prediction, and the first of the ranking."""
    state = findings.blame
    if state is None or state.ranked is None or state.iteration is not snapshot.iteration:
        return []
    inspected = state.session.inspection
    first = replace(state.session, inspection=Inspection(inspected.measure, inspected.layer))
    head = prediction_lines(state.session, state.iteration, columns, context)
    table = ranking_table(replace(state, session=first), columns, rows - len(head), context)
    return [*head, *(tuple((text, PLAIN.get(role, role)) for text, role in row) for row in table)]


def _flow(
    findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the verdict on the gradient."""
    if findings.flow is None:
        return []
    if isinstance(findings.flow, GraphFlow):
        return value_verdict(findings.flow, columns, context)[:rows]
    return [row for row in verdict(findings.flow, columns, rows + 1, 0, context) if row][:rows]


def _number(
    findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the number that is selected, its gradient and its updated value."""
    return brief_figures(snapshot, columns, context)


def _train(
    findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the progress of training and its figures."""
    learning = findings.learning
    if learning is None or not (learning.done or learning.going):
        return untrained(snapshot, columns)
    return [*progress(learning, columns, context), *figures(snapshot, learning, columns)]


def _cost(
    findings: Findings, snapshot: Snapshot, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw what a gradient costs by the naive method and by backprop."""
    return comparison(findings.costs, columns) if findings.costs else []


Card = Callable[[Findings, Snapshot, int, int, RenderContext], list[Line]]
CARDS: dict[str, Card] = {
    "blame": _blame,
    "flow": _flow,
    "number": _number,
    "train": _train,
    "cost": _cost,
}
