"""The array that a step makes: as numbers where they fit, else as a picture or a map, with its statistics."""

from __future__ import annotations

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.summary import Summary, summarise
from tui_backprop.engine.trace import per_sample
from tui_backprop.engine.worked import penalties
from tui_backprop.session import AUTOMATIC
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.equation import shape_text
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.heatmap import heatmap, picture
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.renderables.spans import Line, beside, line, merge, width

FIELD = 10  # columns of one number in a table


def tensor_view(moment: Moment, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """The current step's array in ``rows`` lines, of the batch's first sample where it has one row for each."""
    step, session = moment.step, moment.session
    name, notes = _shown(moment)
    updated = step.kind == "update"
    values = moment.taken.new[name] if updated else moment.taken.tensor(name)
    samples = per_sample(name)
    role = step.phase
    unit = -1 if step.kind == "penalty" else moment.unit(step.layer)
    head = line((name + ("'" if updated else ""), role), (f" {shape_text(values.shape)}", "muted"))
    several = (f"  first of {len(values)} samples", f"  first of {len(values)}")
    for choices in (several if samples and len(values) > 1 else (), notes):
        note = next((note for note in choices if width(head) + len(note) <= columns), "")
        head = line(*head, (note, "muted"))
    row = values[0] if samples else values
    room = max(rows - 2, 1)
    image = DATASETS[session.data].image
    if row.ndim == 2 and row.shape[1] == 1:
        row, unit = row[:, 0], -1
    if name == "x" and image and room >= 5:
        body = picture(row.reshape(image), room, min(columns, 2 * room), role, glyphs)
    elif row.ndim == 2 and row.shape[1] * FIELD <= columns and row.shape[0] <= room:
        body = [_numbers(r, unit, role) for r in row]
    elif row.ndim == 1 and -(-len(row) // _per_line(columns)) <= room:
        body = _listed(row, columns, unit, role)
    else:
        small = moment.taken.summary(name, updated=updated).small if row.ndim == 2 else row
        body = heatmap(small, room, columns, role, glyphs, unit if unit >= 0 else None, row.shape[-1])
    summary = summarise(row) if row.ndim == 1 else moment.taken.summary(name, updated=updated)
    lines = [head, *body, line((statistics(summary, columns), "muted"))]
    return [*lines, *all_parameters(moment, columns, rows - len(lines))]


def _shown(moment: Moment) -> tuple[str, tuple[str, ...]]:
    """The array that stands for the step, and what is to be said of it, at length and in brief."""
    step = moment.step
    if step.kind == "input":
        return step.tensor, ()
    if step.kind == "loss":
        return "p" if "p =" in step.formula else f"z{step.layer}", ()
    if step.kind == "penalty":
        return f"W{int(penalties(moment.taken).argmax()) + 1}", ("  the largest penalty",)
    return step.tensor, _which(moment, moment.unit(step.layer))


def _which(moment: Moment, unit: int) -> tuple[str, ...]:
    """Which unit is marked, and why it is."""
    chosen = moment.session.unit(moment.step.layer) != AUTOMATIC
    whys = (" (a: the most to blame)",) if chosen else (", the largest |δ|", ", largest |δ|")
    return tuple(f"  unit {unit}{why}" for why in (*whys, ""))


def all_parameters(moment: Moment, columns: int, rows: int) -> list[Line]:
    """Every parameter of the network as a number, where all of them fit: those of each layer, and their
    gradients once the walk has them."""
    taken, lines = moment.taken, []
    for k, (_, fan_out) in enumerate(moment.session.network.fans, 1):
        if fan_out * FIELD > columns:
            return []
        updated = moment.reached("update", k, "update")
        left, right = [], []
        for name in (name for name in taken.new if int(name[1:]) == k):
            values = taken.new[name] if updated else taken.tensor(name)
            left += _table(name + ("'" if updated else ""), values, "update" if updated else "text")
            if moment.reached("backward", k, "weights" if name[0] in "Wb" else "gains"):
                right += _table(f"d{name}", taken.tensor(f"d{name}"), "backward")
        wide = max(width(row) for row in left)
        lines += [(), *(beside(left, right, wide, 4) if 2 * wide + 4 <= columns else left)]
    return lines if len(lines) <= rows else []


def _table(name: str, values: Array, role: str) -> list[Line]:
    """A matrix or a vector as rows of numbers, named in front of the first."""
    table = values if values.ndim == 2 else values[None]
    return [
        line(
            (f"{name if i == 0 else '':<4}", "muted"),
            *((f"{number(float(v), sign=True):>{FIELD}}", role) for v in row),
        )
        for i, row in enumerate(table)
    ]


def statistics(summary: Summary, columns: int) -> str:
    """Range, norm, share of zeros and mean, as many of them as fit; or how many entries are no number."""
    if summary.bad:
        return f"{summary.bad:,} of {summary.size:,} NaN or infinite"
    parts = [
        f"{number(summary.low, sign=True)} to {number(summary.high, sign=True)}",
        f"norm {number(summary.norm)}",
        f"{summary.zeros:.0%} zero" if summary.zeros else "",
        f"mean {number(summary.mean, sign=True)}",
    ]
    text = ""
    for part in filter(None, parts):
        longer = f"{text}  {part}" if text else part
        if len(longer) > columns:
            break
        text = longer
    return text


def _per_line(columns: int) -> int:
    return max(columns // (FIELD + 5), 1)


def _numbers(values: Array, unit: int, role: str) -> Line:
    """One row of a matrix as numbers; the selected unit's column stands out."""
    return merge(
        (f"{number(float(v), sign=True):>{FIELD}}", role if j == unit else "text")
        for j, v in enumerate(values)
    )


def _listed(values: Array, columns: int, unit: int, role: str) -> list[Line]:
    """A vector with the index of each entry, a few to a line, read down the columns."""
    each = min(_per_line(columns), len(values))
    rows = -(-len(values) // each)
    lines = []
    for y in range(rows):
        spans = []
        for i in range(y, len(values), rows):
            spans.append((f"{i:>4}", "cursor" if i == unit else "faint"))
            spans.append((f"{number(float(values[i]), sign=True):>{FIELD}} ", role if i == unit else "text"))
        lines.append(merge(spans))
    return lines
