"""The samples of the batch that pull a parameter up or down."""

from __future__ import annotations

from tui_backprop.engine.analysis.parameter_detail import ParameterDetail
from tui_backprop.render.draw.spans import (
    Line,
    Span,
)
from tui_backprop.render.panels.nudge_table import LABEL_COLUMNS, NUMBER_COLUMNS, table_row
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number


def pull_lines(session: Session, found: ParameterDetail, columns: int) -> list[Line]:
    """Draw how many samples pull the parameter up and how many down, and the strongest of each."""
    (name, *heads), *rows = pull_table(session, found)
    lines = [_row(name, [(head, "muted") for head in heads], columns)]
    roles = ("text", "backward", "text")
    return lines + [
        _row(direction, list(zip(cells, roles, strict=True)), columns) for direction, *cells in rows
    ]


def pull_table(session: Session, found: ParameterDetail) -> list[tuple[str, str, str, str]]:
    """Return the pulls as rows of text; the first row has the headings. A sample pulls a parameter up where gradient
    descent on its loss alone would increase it; behind the top sample, (+n) counts those with the same gradient."""
    rows = [("pull", "top sample", "gradient", "samples")]
    for direction, sign in (("up", -1), ("down", 1)):
        side = [pull for pull in found.sample_gradients if sign * pull.gradient > 0]
        ties = sum(pull.gradient == side[0].gradient for pull in side)
        more = f" (+{ties - 1})" if ties > 1 else ""
        which = f"{session.part.after(session.sample, side[0].sample)}{more}" if side else ""
        rows.append(
            (direction, which, format_number(side[0].gradient, sign=True) if side else "", f"{len(side):,}")
        )
    if found.penalty:
        rows.append(("penalty", "", format_number(found.penalty, sign=True), ""))
    return rows


def _row(label: str, cells: list[Span], columns: int) -> Line:
    """Draw a row of the table; where columns are too few for all cells, the first ones are left out."""
    fitting = cells[-max((columns - LABEL_COLUMNS) // NUMBER_COLUMNS, 1) :]
    return table_row(label, fitting, [NUMBER_COLUMNS] * len(fitting))
