"""The network form as lines: a row for each field, then the parameter count or what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from tui_backprop.data.catalogue import DATASETS
from tui_backprop.engine.spec import NetworkSpec, SpecError
from tui_backprop.ui.form import FIELDS
from tui_backprop.ui.moment import Moment
from tui_backprop.ui.renderables.bars import sample_text
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, line, wrap

LABEL = 11  # columns of a label
MOST_TERMS = 7  # lines of the parameter sum, before deep networks are folded
SMALLEST_PICTURE = 7  # rows


def form(
    texts: Mapping[str, str],
    selected: int | None,
    error: SpecError | None,
    pending: bool,
    spec: NetworkSpec,
    columns: int,
    rows: int,
) -> list[Line]:
    """The whole form. ``selected`` is the row that has the keys (None: the form has not), ``pending`` says
    that the fields make a network which is not built yet."""
    lines = [
        _row(
            field.label,
            texts[field.name],
            columns,
            bool(field.choices),
            i == selected,
            error is not None and error.field == field.name,
        )
        for i, field in enumerate(FIELDS)
    ]
    note: list[Line] = []
    if error is not None:
        note = [
            *wrap(f"{error.field}: {error.message}", columns - 1, "bad"),
            line(("the last good network stays", "muted")),
        ]
    elif pending:
        note = [line(("enter", "key"), (" builds this network", "muted"))]
    if note:
        lines += [(), *note]
    room = rows - len(lines) - 1
    if room >= 3:
        lines += [(), *parameter_sum(spec, min(columns - 1, 40), min(room, MOST_TERMS + 2))]
    return lines


def sample(moment: Moment, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """The first sample of the batch as a picture with its label, where samples are pictures and one fits."""
    image = DATASETS[moment.session.data].image
    if image is None or min(rows - 2, columns // 2) < SMALLEST_PICTURE:
        return []
    from tui_backprop.ui.renderables.heatmap import picture  # numpy: after the first paint

    size = min(rows - 2, columns // 2, image[0] // 2)
    drawn = picture(moment.taken.tensor("x")[0].reshape(image), size, 2 * size, "forward", glyphs)
    return [(), line((sample_text(moment.session, moment), "muted")), *drawn]


def _row(label: str, text: str, columns: int, choice: bool, selected: bool, wrong: bool) -> Line:
    room = columns - LABEL
    role = "bad" if wrong else "strong" if selected else "muted"
    if choice and selected:
        value = (f"‹ {text:^{max(room - 4, 1)}.{max(room - 4, 1)}} ›", "field")
    else:
        shown = text if len(text) <= room else text[: room - 1] + "…"
        value = (shown, "bad" if wrong else "strong" if selected else "text")
    mark = "!" if wrong else " "
    return line((f"{label:<{LABEL - 1}}{mark}", role), value)


def parameter_sum(spec: NetworkSpec, columns: int, rows: int) -> list[Line]:
    """A line for each layer (784×256 + 256 = 200,960) and their total; the later layers of a deep net are
    added up in one line."""
    terms = [
        (f"{fan_in:,}×{fan_out:,}" + (f" + {fan_out:,}" if spec.bias else ""), size)
        for fan_in, fan_out, size in spec.parameter_sum()
    ]
    room = max(rows - 2, 1)
    if len(terms) > room:
        folded = terms[room - 1 :]
        terms = [*terms[: room - 1], (f"{len(folded)} more layers", sum(size for _, size in folded))]
    wide = len(f"{spec.parameters:,}")
    left = max(columns - wide - 1, 1)
    return [
        *(line((f"{text:<{left}.{left}} ", "muted"), f"{size:>{wide},}") for text, size in terms),
        line((" " * (left + 1), "faint"), ("─" * wide, "faint")),
        line(f"{'parameters':<{left}.{left}} ", (f"{spec.parameters:,}", "strong")),
    ]
