"""The nudge table: how the loss and the prediction change when one parameter is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.analysis.parameter_detail import Nudge, ParameterDetail
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    first_fitting,
    line,
    wrap,
)
from tui_backprop.support.format import format_number

NUMBER_COLUMNS, LABEL_COLUMNS = 10, 7  # columns of a number, and of a row's label
# Columns of the table: a heading, a role, and the cell of a nudge, with so many digits, given the current loss.
Cell = Callable[[Nudge, int, float], str]
NUDGE_COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("by", "text", lambda nudge, digits, loss: format_number(nudge.by, digits, sign=True)),
    (
        "1st-order",
        "muted",
        lambda nudge, digits, loss: format_number(nudge.predicted_change, digits, sign=True),
    ),
    ("actual", "", lambda nudge, digits, loss: format_number(nudge.actual_change, digits, sign=True)),
    ("loss", "loss", lambda nudge, digits, loss: format_number(loss + nudge.actual_change, 4)),
)
# Digits, and which columns; the first that fits is used.
NUDGE_LAYOUTS = ((3, (0, 1, 2, 3)), (3, (0, 1, 2)), (2, (0, 1, 2)), (3, (0, 2)), (2, (0, 2)))


def nudge_lines(found: ParameterDetail, columns: int, most: int, loss: float) -> list[Line]:
    """The nudge table: how far the parameter is moved, the change in the ``loss`` to first order (by its gradient),
    the actual change and, where there is room, the loss that results. Numbers are never cut: columns are left out."""
    heading = first_fitting(
        columns,
        line((f"change in the loss, now {format_number(loss, 4)}", "muted")),
        line(("change in the loss", "muted")),
    )
    nudges = found.nudges[:most]
    fields: list[int] = []
    for digits, which in NUDGE_LAYOUTS:
        shown = [NUDGE_COLUMNS[i] for i in which]
        cells = [[cell(nudge, digits, loss) for _, _, cell in shown] for nudge in nudges]
        heads = [head for head, _, _ in shown]
        fields = [1 + max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        if LABEL_COLUMNS + sum(fields) <= columns:
            break
    if LABEL_COLUMNS + sum(max(field, NUMBER_COLUMNS) for field in fields) <= columns:
        fields = [max(field, NUMBER_COLUMNS) for field in fields]
    lines = [heading, table_row("moved", [(head, "muted") for head in heads], fields)]
    for nudge, texts in zip(nudges, cells, strict=True):
        roles = [role or ("good" if nudge.actual_change < 0 else "bad") for _, role, _ in shown]
        lines.append(table_row(nudge.name, list(zip(texts, roles, strict=True)), fields))
    return lines


def table_row(label: str, cells: Sequence[Span], fields: Sequence[int]) -> Line:
    """Draw a row of a table, each cell as wide as its field."""
    role = "muted" if all(look == "muted" for _, look in cells) else "text"
    texts = ((f"{text:>{field}}", look) for (text, look), field in zip(cells, fields, strict=True))
    return line((f"{label:<{LABEL_COLUMNS}}", role), *texts)


def turn_lines(found: ParameterDetail, columns: int) -> list[Line]:
    """The prediction for the first sample after each nudge, and the change of this parameter alone that alters it."""
    turn = found.turn
    if turn is None:
        return []
    flips = [
        f"{nudge.name}: predicted {nudge.predicted_class}"
        for nudge in found.nudges
        if nudge.predicted_class != turn.predicted_class
    ]
    here = "; ".join(flips) if flips else f"still predicted {turn.predicted_class} after each"
    if turn.by is not None:
        there = f"{format_number(turn.by, sign=True)} alone would flip it to {turn.then}"
    else:
        there = "no change up to 1,024 alters that" if turn.sought else ""
    return wrap(f"{here}; {there}." if there else f"{here}.", columns, "muted")
