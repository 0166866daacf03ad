"""The network form as lines: a row for each field, then the parameter count or an error message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tui_backprop.data.catalogue import info
from tui_backprop.engine.network.model import Model
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, beside, cut, first_fitting, line, wrap
from tui_backprop.render.session_text import sample_text
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.form_fields import BY_NAME, FIELDS, Field, fields_in_sight, groups_in_sight
from tui_backprop.support.errors import UserError

LEAST_ASIDE = 29  # columns beside the fields
WIDE = 76  # columns from which message, sum and sample stand beside the fields, not below them
LABEL_COLUMNS = 11  # columns of a label
LABELS = {field.name: field.label.strip() for field in FIELDS}
MESSAGE_ROWS = 5  # lines reserved below the fields for a message; if too few are left, the fields scroll
MOST_LISTED = 10  # lines of what may be typed
MOST_TERM_ROWS = 7  # lines of the parameter sum, before deep networks are folded
COLUMN = re.compile(r"column (\d+):")  # at the beginning of a message
LEAST_PICTURE_ROWS = 7  # rows


@dataclass(frozen=True)
class ShownForm:
    """A form as it is shown: the ``texts`` of all fields, the ``selected`` field, if the form has the focus
    (``active``), the ``error`` in a field, and if the fields describe a network that is not built yet (``pending``):
    that ``network``, or the last one that was valid. The rest is what building it does."""

    texts: Mapping[str, str]
    selected: str
    active: bool
    error: UserError | None
    pending: bool
    network: Model
    lost: int = 0  # updates that are lost when it is built
    kept: int = 0  # updates that are kept
    changed: str = ""  # what is said of settings that change after these
    adapted: tuple[str, ...] = ()  # fields that the last choice of data or preset set besides its own
    refused: str = ""  # what was typed on a field with choices, if none begins with it
    choices: tuple[str, ...] = ()  # of that field
    to_open: bool = False  # the next enter opens a file
    opening: str = ""  # how far a file is read, while one is
    words: tuple[str, ...] = ()  # what was found in the files that were opened last
    listed: tuple[
        str, ...
    ] = ()  # what may be typed into the selected field: files and folders, or parameters
    no_fit: bool = False  # the initial parameters that were brought fit nothing

    @property
    def longest(self) -> str:
        """The longest text that is typed: of the fields that need room, and of the selected one."""
        typed = (field for field in self.fields if field.long or field.name == self.selected)
        return max((self.texts[field.name] for field in typed if not field.choices), key=len, default="")

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields in sight."""
        return fields_in_sight(self.texts)

    def layout(self, columns: int, rows: int) -> tuple[Field | None, ...]:
        """Return what is on each line of the fields: with room, all of them, and None between groups; otherwise those
        around the selected one. A line is left for the number of the others, and where the message is below the
        fields, lines are reserved for it."""
        fields = len(self.fields)
        groups = groups_in_sight(self.texts)
        reserved, roomy = (MESSAGE_ROWS, MESSAGE_ROWS + MOST_TERM_ROWS + 2) if columns < WIDE else (0, 0)
        if fields + len(groups) - 1 + roomy <= rows:
            spaced = [each for group in groups for each in (None, *group)]
            return tuple(spaced[1:])
        row = [field.name for field in self.fields].index(self.selected)
        shown = max(min(fields, rows - max(reserved, int(fields > rows))), 1)
        first = min(max(row - shown // 2, 0), fields - shown)
        return self.fields[first : first + shown]


def field_columns(columns: int, text: str = "") -> int:
    """Return how many of the columns are for the fields, more where the longest ``text`` that is typed needs them; in
    the others are the message, the sum and the sample."""
    if columns < WIDE:
        return columns
    wanted = LABEL_COLUMNS + len(text) + 2
    return min(max(WIDE // 2, wanted), columns - LEAST_ASIDE)


def form_panel(
    form: ShownForm, snapshot: Snapshot | None, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the fields; and beside them, or below them if there are too few columns, a message, the parameter sum and
    the first sample."""
    wide, fields = columns >= WIDE, field_columns(columns, form.longest)
    room = columns - fields - 3 if wide else columns - 1
    lines = _field_lines(form, fields, form.layout(columns, rows), context)
    message = message_lines(form, room if wide else fields, rows if wide else rows - len(lines) - 1, context)
    if wide:
        more = [*message, ()] if message else []
    else:
        all_seen = len(lines) >= len(form.fields)
        air = bool(message) and all_seen and len(lines) + 1 + len(message) <= rows
        more = [*lines, *[()] * air, *message, ()]
    more += parameter_lines(form.network, room, rows - len(more))
    if snapshot is not None:
        more += [(), *sample_picture(snapshot, room, rows - len(more) - 1, context)]
    return [context.fit(row) for row in (beside(lines, more, fields) if wide else more)]


def _field_lines(
    form: ShownForm, columns: int, layout: Sequence[Field | None], context: RenderContext
) -> list[Line]:
    """Draw the fields on their lines, and how many there are beyond."""
    lines = [() if field is None else _field_line(form, field, columns, context) for field in layout]
    seen = [field for field in layout if field is not None]
    above = form.fields.index(seen[0])
    below = len(form.fields) - above - len(seen)
    if above or below:
        beyond = f"{f'↑ {above} ' if above else ''}{f'↓ {below} ' if below else ''}more fields"
        lines.append(line(" " * LABEL_COLUMNS, (context.text(beyond), "muted")))
    return lines


def _field_line(form: ShownForm, field: Field, columns: int, context: RenderContext) -> Line:
    return _row(
        context.text(field.label),
        field.shown(form.texts[field.name]),
        columns,
        bool(field.choices),
        form.active and field.name == form.selected,
        form.error is not None and form.error.field == field.name,
    )


def message_lines(form: ShownForm, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw the message, and if there is room, what helps to fill the selected field in: its hint, and what may
    be typed."""
    said = _state_lines(form, columns, context)
    words = [row for text in form.words for row in wrap(context.text(text), columns - 1)]
    said += [*[()] * bool(said and words), *words]
    if not form.active or form.opening or len(said) >= rows - 1:
        return said
    field = BY_NAME[form.selected]
    hint = [] if words and field.choices else wrap(context.text(field.hint), columns - 1, "muted")
    help_lines = [
        *hint,
        *listed_lines(form.listed, columns - 1, min(rows - len(said) - len(hint) - 1, MOST_LISTED)),
    ]
    return [*said, *[()] * bool(said and help_lines), *help_lines]


def listed_lines(names: Sequence[str], columns: int, rows: int) -> list[Line]:
    """List names, one in a line; those for which there are too few ``rows`` are counted."""
    shown = names if len(names) <= rows else names[: max(rows - 1, 0)]
    lines = [line((cut(name, columns), "strong" if name.endswith("/") else "text")) for name in shown]
    if rows > 0 and len(shown) < len(names):
        lines.append(line((f"and {len(names) - len(shown):,} more", "muted")))
    return lines


def _state_lines(form: ShownForm, columns: int, context: RenderContext) -> list[Line]:
    """Draw the error message; or how far a file is read; or if the fields describe a network that is not built yet,
    the keys, what becomes of the training so far, and what was adapted."""
    if form.opening:
        return [line((f"reading {form.opening}, ", "muted"), ("esc", "key"), (" stops it", "muted"))]
    if form.error is not None:
        name = context.text(LABELS.get(form.error.field, form.error.field))
        return [
            *wrap(context.text(f"{name}: {form.error.message}"), columns - 1, "bad"),
            *pointed(form.texts.get(form.error.field, ""), form.error.message, columns - 1, context),
            *wrap("esc reverts it; nothing changes until it is valid", columns - 1, "muted"),
        ]
    refused = []
    if form.refused:
        name = context.text(LABELS[form.selected])
        words = f'{name}: no choice begins with "{form.refused}"; choose from {", ".join(form.choices)}'
        refused = wrap(context.text(words), columns - 1, "bad")
    if not (form.pending or form.to_open):
        return refused
    does = "opens it" if form.to_open else "applies it"
    keys = [
        line(("enter", "key"), (f" {does}, ", "muted"), ("esc", "key"), (" reverts", "muted")),
        line(("enter", "key"), (f" {does.split()[0]}, ", "muted"), ("esc", "key"), (" reverts", "muted")),
    ]
    said = []
    if form.lost:
        said.append(wrap(f"restarts training: {_updates(form.lost)} lost", columns - 1, "bad"))
    elif form.kept:
        said.append(wrap(f"keeps the {_updates(form.kept)} so far", columns - 1, "muted"))
        if form.changed:
            said.append(wrap(context.text(form.changed), columns - 1, "update"))
    if form.no_fit:
        said.append(wrap("the weights do not fit these layers: drawn by init", columns - 1, "bad"))
    if form.adapted:
        names = ", ".join(context.text(LABELS[name]) for name in form.adapted)
        said.append(wrap(f"also adapted: {names}", columns - 1, "muted"))
    return [*refused, first_fitting(columns, *keys), *(row for rows in said for row in rows)]


def pointed(text: str, message: str, columns: int, context: RenderContext) -> list[Line]:
    """Draw the part of a text around the column that a message names, with a mark below that column."""
    found = COLUMN.match(message)
    if not found:
        return []
    at = int(found[1]) - 1
    first = max(min(at - columns // 2, len(text) - columns + 1), 0)
    part = text[first : first + columns]
    return [line((context.text(part), "text")), line((" " * (at - first) + "^", "bad"))]


def _updates(count: int) -> str:
    return f"{count:,} update{'s' * (count != 1)}"


def parameter_lines(spec: Model, columns: int, rows: int) -> list[Line]:
    """Draw the parameter sum in at most ``rows`` lines; nothing if it does not fit."""
    return parameter_sum(spec, min(columns, 36), min(rows, MOST_TERM_ROWS + 2)) if rows >= 3 else []


def sample_picture(snapshot: Snapshot, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw the first sample of the batch with its label, if samples are pictures and one fits."""
    image = info(snapshot.session.data).image
    if image is None or min(rows - 1, columns // 2) < LEAST_PICTURE_ROWS:
        return []
    from tui_backprop.render.draw.heatmap import picture  # numpy: after the first paint

    size = min(rows - 1, columns // 2, image[0] // 2)
    drawn = picture(
        snapshot.iteration.tensor(snapshot.graph.input)[0].reshape(image), size, 2 * size, "forward", context
    )
    return [line((sample_text(snapshot.session, snapshot), "muted")), *drawn]


def value_columns(label: str, text: str, columns: int) -> int:
    """Return the columns of a value at the right end of a row: a long one extends to the left, up to its label."""
    return min(max(columns - LABEL_COLUMNS, len(text)), columns - len(label) - 1)


def _row(label: str, text: str, columns: int, choice: bool, selected: bool, wrong: bool) -> Line:
    chevrons = 4 if choice and selected else 0  # columns, with a blank inside each where there is room
    room = max(value_columns(label, text + " " * chevrons, columns), 1)
    if chevrons and len(text) > room - chevrons:
        chevrons = 2
    role = "bad" if wrong else "strong" if selected else "muted"
    if chevrons:
        wide = max(room - chevrons, 1)
        blank = " " * (chevrons // 2 - 1)
        value = (f"‹{blank}{cut(text, wide):^{wide}}{blank}›", "field")
    else:
        value = (cut(text, room), "bad" if wrong else "strong" if selected else "text")
    mark = "!" if wrong else " "
    return line((f"{label:<{columns - room - 1}}{mark}", role), value)


def parameter_sum(spec: Model, columns: int, rows: int) -> list[Line]:
    """Draw a line for each term (784×256 + 256 = 200,960) and their total; the later ones of many are summed in one
    line."""
    terms = list(spec.parameter_terms)
    room = max(rows - 2, 1)
    if len(terms) > room:
        folded = terms[room - 1 :]
        terms = [*terms[: room - 1], (f"{len(folded)} more", sum(size for _, size in folded))]
    wide = len(f"{spec.parameters:,}")
    left = max(columns - wide - 1, 1)
    return [
        *(line((f"{text:<{left}.{left}} ", "muted"), f"{size:>{wide},}") for text, size in terms),
        line((" " * (left + 1), "faint"), ("─" * wide, "faint")),
        line(f"{'parameters':<{left}.{left}} ", (f"{spec.parameters:,}", "strong")),
    ]
