"""The nudge table: how the loss and the prediction change when one parameter is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_backprop.engine.analysis.parameter_detail import Nudge, ParameterDetail
from tui_backprop.engine.analysis.prediction_flips import FLIP_DIGITS, Flip, FlipSearch
from tui_backprop.render.draw.spans import (
    Line,
    Span,
    first_fitting,
    line,
    wrap,
)
from tui_backprop.support.format import format_number

NUMBER_COLUMNS, LABEL_COLUMNS = 10, 7  # columns of a number, and of a row's label
NO_PREDICTION = "no prediction: outputs are not finite"
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


def nudge_lines(found: ParameterDetail, columns: int, by_hand: bool = False) -> list[Line]:
    """Draw the nudge table, of all nudges or of those ``by_hand`` alone: how far the parameter alone is moved, the
    change in the loss to first order, the actual one, and, where there is room, the loss that results. Numbers are
    never cut: columns are left out."""
    loss = found.base_loss
    headings = (
        f"change in the loss from it alone, in double precision, now {format_number(loss, 4)}",
        f"float64 loss change from it alone, now {format_number(loss, 4)}",
        f"loss change from it alone, now {format_number(loss, 4)}",
        "loss change from it alone",
    )
    heading = first_fitting(columns, *(line((text, "muted")) for text in headings))
    nudges = [nudge for nudge in found.nudges if nudge.by_hand or not by_hand]
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
        roles = [role or _role(nudge.actual_change) for _, role, _ in shown]
        lines.append(table_row(nudge.name, list(zip(texts, roles, strict=True)), fields))
    return lines


def _role(change: float) -> str:
    """Choose the role of a change of the loss; NaN is neither good nor bad."""
    return "good" if change < 0 else "bad" if change > 0 else "text"


def table_row(label: str, cells: Sequence[Span], fields: Sequence[int]) -> Line:
    """Draw a row of a table, each cell as wide as its field."""
    role = "muted" if all(look == "muted" for _, look in cells) else "text"
    texts = ((f"{text:>{field}}", look) for (text, look), field in zip(cells, fields, strict=True))
    return line((f"{label:<{LABEL_COLUMNS}}", role), *texts)


def flip_lines(
    found: ParameterDetail, columns: int, brief: bool = False, names: Sequence[str] = ()
) -> list[Line]:
    """Draw the prediction for the first sample after each nudge, and the changes of this parameter alone that were
    found to flip it."""
    return wrap(flip_sentence(found, brief, names), columns, "muted") if found.flips else []


def flip_sentence(found: ParameterDetail, brief: bool = False, names: Sequence[str] = ()) -> str:
    """Say what each nudge does to the prediction, and which flips were found; in fewer words where ``brief``. Classes
    are called by their ``names``, if they have any."""
    search = found.flips
    if search is None:
        return ""
    if search.predicted_class is None:
        return f"{NO_PREDICTION}."
    now = class_name(search.predicted_class, names)
    own = f"in double precision predicted {now}; " if search.network_class != search.predicted_class else ""
    flipped = [nudge for nudge in found.nudges if nudge.predicted_class != search.predicted_class]
    nudged = "; ".join(f"{nudge.name}: {_prediction(nudge.predicted_class, names)}" for nudge in flipped)
    return f"{own}{nudged or f'still predicted {now} after each'}; {flips_found(search, brief, names)}."


def class_name(number: int, names: Sequence[str]) -> str:
    """Name a class; one without a name by its number."""
    return names[number] if names else str(number)


def _prediction(predicted_class: int | None, names: Sequence[str]) -> str:
    return "no prediction" if predicted_class is None else f"predicted {class_name(predicted_class, names)}"


def flips_found(search: FlipSearch, brief: bool = False, names: Sequence[str] = ()) -> str:
    """Say which flips a search found, nearest first, and how finely it searched, in few words where ``brief``."""
    if search.predicted_class is None:
        return NO_PREDICTION
    if not search.searched:
        return f"no flip was searched for: {search.untried}"
    low, high = (format_number(end, 4) for end in (-search.reach, search.reach))
    found = [flip for flip in (search.up, search.down, search.correction) if flip]
    parts = [
        _flip(flip, search, names) for flip in sorted(dict.fromkeys(found), key=lambda flip: abs(flip.by))
    ]
    sides = (search.up, f"up to {high}"), (search.down, f"down to {low}")
    missing = [words for flip, words in sides if not flip]
    if missing:
        parts.append(f"no flip found {missing[0] if found else f'from {low} to {high}'}")
    if found and not brief and search.predicted_class != search.label and not search.correction:
        parts.append(f"none found to the label, {class_name(search.label, names)}")
    step = f"{search.ratio - 1:.1%}"
    if brief:
        return f"{'; '.join(parts)} ({step} steps, may miss some)"
    return "; ".join([*parts, f"searched in steps of {step}; flips between them may be missed"])


def _flip(flip: Flip, search: FlipSearch, names: Sequence[str]) -> str:
    correct = " (correct)" if flip.predicted_class == search.label else ""
    by, to = format_number(flip.by, FLIP_DIGITS, sign=True), class_name(flip.predicted_class, names)
    return f"{by} flips it to {to}{correct}"
