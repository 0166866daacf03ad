"""The panel of bookmarks: which there are, and what is different between one of them and another place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import isfinite

from tui_backprop.data.catalogue import title
from tui_backprop.engine.analysis.comparison import Change, Difference
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.spans import Line, cut, line, merge, wrap
from tui_backprop.render.session_text import layers_text, network_name, sample_range
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.support.format import format_number, format_relative

NO_BOOKMARKS = (
    "s sets a bookmark: this network, these samples, this step.",
    "Then train, or change something: here you see what differs, how far each tensor moved, and which of its"
    " entries moved most.",
)
OTHER_SAMPLES_NOTE = "Different samples: loss, z, δ and gradients would differ even with equal weights."
HELD_NOTE = "= is the base: ↑ ↓ choose what to compare with it"
LEAST_TABLE_ROWS = 6  # lines of the table, for which the notes above it give way
LABEL_COLUMNS = 6  # columns of what stands before the losses


def bookmarks_panel(
    snapshot: Snapshot,
    found: Difference | None,
    columns: int,
    rows: int,
    context: RenderContext,
    first: int = 0,
) -> list[Line]:
    """The bookmarks, and the difference between the one under the cursor and the one held against it, or now. Of the
    tensors, where not all fit, those from ``first`` on are shown."""
    session = snapshot.session
    if not session.bookmarks.items:
        lines = [*wrap(NO_BOOKMARKS[0], columns, "strong"), (), *wrap(NO_BOOKMARKS[1], columns, "muted")]
        return fitted(lines, columns, rows, context)
    most = max(min(len(session.bookmarks.items), rows // 3), 1)
    lines = [*_list(session, columns, most, context), ()]
    lines += _difference(session, found, columns, rows - len(lines), first, context)
    return fitted(lines, columns, rows, context)


def _list(session: Session, columns: int, most: int, context: RenderContext) -> list[Line]:
    """As many bookmarks as fit, the one under the cursor among them; and now."""
    at = session.bookmarks.cursor
    first = min(at // most * most, len(session.bookmarks.items) - most)
    lines = []
    for i, mark in enumerate(session.bookmarks.items[first : first + most], first):
        held = "=" if i == session.bookmarks.held else " "
        name = (f"{i + 1:>3}{held}", "cursor" if i == at else "strong")
        lines.append(line(name, " ", (place_text(mark, columns - 5, context), "text")))
    return [*lines, line((" now ", "muted"), (place_text(session, columns - 5, context), "muted"))]


def place_text(session: Session, columns: int, context: RenderContext) -> str:
    """The place of a session: iteration, step, samples, network; as much as fits."""
    steps = steps_of(session)
    step = steps[min(session.walk.step, len(steps) - 1)]
    samples = f"{title(session.data)} {sample_range(session)}"
    parts = [
        f"iteration {session.t:,}",
        f"{step.phase} {step.tensor}",
        samples,
        network_name(session.network, 20),
    ]
    text = parts[0]
    for part in map(context.text, parts[1:]):
        text = f"{text}, {part}" if len(text) + 2 + len(part) <= columns else text
    return cut(text, columns)


def compared(session: Session) -> tuple[tuple[str, Session], tuple[str, Session]]:
    """The two places that are compared, the earlier one first: by iteration, where both are of one training, else in
    the order in which they were set. The one under the cursor is compared with the one that is held, or with now."""
    marks, at = session.bookmarks.items, session.bookmarks.cursor
    held = None if session.bookmarks.held == at else session.bookmarks.held
    places = [(at, marks[at]), (len(marks), session) if held is None else (held, marks[held])]
    together = places[0][1].training_key == places[1][1].training_key
    places.sort(key=lambda place: (place[1].t if together else 0, place[0]))
    one, other = ((f"bookmark {i + 1}" if i < len(marks) else "now", place) for i, place in places)
    return one, other


def _difference(
    session: Session, found: Difference | None, columns: int, rows: int, first: int, context: RenderContext
) -> list[Line]:
    (name, one), (to, other) = compared(session)
    lines = [line(("from ", "muted"), (name, "strong"), (" to ", "muted"), (to, "strong"))]
    notes = (
        [wrap(context.text(HELD_NOTE), columns, "muted")]
        if session.bookmarks.held == session.bookmarks.cursor
        else []
    )
    if found is None:
        return [*lines, line(("comparing …", "muted"))]
    lines += [_setting(*row, columns, context) for row in settings(one, other)]
    before, after = found.losses
    change = format_number(after - before, sign=True) if isfinite(after - before) else ""
    lines.append(
        line(
            (f"{'loss':<{LABEL_COLUMNS}}", "muted"),
            (f"{format_number(before, 4)} {context.on} {format_number(after, 4)}", "loss"),
            (f"  {change}", "muted"),
        )
    )
    if (one.data, one.sample, one.batch, one.passage) != (
        other.data,
        other.sample,
        other.batch,
        other.passage,
    ):
        notes.append(wrap(context.text(OTHER_SAMPLES_NOTE), columns, "muted"))
    if not found.unlike and not any(each.moved for each in found.changes):
        return [*lines, *chain(*notes), line(("every number is the same", "good"))]
    unlike = [_unlike(found.unlike, columns, context)] if found.unlike else []
    while notes and rows - len(lines) - sum(map(len, notes)) - len(unlike) < min(
        LEAST_TABLE_ROWS, len(found.changes) + 2
    ):
        notes.pop()
    lines += chain(*notes)
    if found.changes:
        table = _table(one.network.graph, found.changes, columns, context)
        lines += [(), *_scrolled(table, rows - len(lines) - len(unlike) - 1, first)]
    return [*lines, *unlike]


def _unlike(names: Sequence[str], columns: int, context: RenderContext) -> Line:
    text = f"in only one, or of another shape: {', '.join(map(context.text, names))}"
    return line((cut(text, columns), "muted"))


def _scrolled(table: list[Line], rows: int, first: int) -> list[Line]:
    """The head of a table, and of its rows those from ``first`` on that fit; which they are, where not all do."""
    head, *body = table
    if len(body) < rows:
        return table
    fitting = max(rows - 2, 1)
    first = min(first, len(body) - fitting)
    which = f"{first + 1} to {first + fitting} of {len(body)} tensors; [ ] scroll"
    return [head, *body[first : first + fitting], line((which, "muted"))]


def settings(one: Session, other: Session) -> list[tuple[str, str, str]]:
    """The choices in which two sessions differ: name, and both values."""
    mine, others = one.network.settings, other.network.settings
    pairs = [(name, mine[name], others[name]) for name in mine if name in others]
    if one.network.frontend != other.network.frontend:
        pairs = [("network", one.network.title, other.network.title)]
    pairs.append(("data", title(one.data), title(other.data)))
    pairs += [(name, getattr(one, name), getattr(other, name)) for name in ("sample", "batch", "lr")]
    pairs += [
        ({"name": "optimizer"}.get(name, name), getattr(one.optimizer, name), getattr(other.optimizer, name))
        for name in one.optimizer.__dataclass_fields__
    ]
    pairs.append(("iteration", one.t, other.t))
    return [(name.replace("_", " "), _text(a), _text(b)) for name, a, b in pairs if a != b]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return layers_text(value, 30)
    return (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _setting(name: str, one: str, other: str, columns: int, context: RenderContext) -> Line:
    change = context.text(f"{one} → {other}")
    return line((f"{name} ", "muted"), (cut(change, max(columns - len(name) - 1, 1)), "text"))


# What the table tells of a tensor, at length (with a blank more between columns) or in brief; the first that fits.
TABLE_LAYOUTS = (
    (True, ("moved", "share", "most", "from", "to")),
    (False, ("share", "most", "from", "to")),
    (False, ("percent", "most", "from", "to")),
    (False, ("most", "from", "to")),
    (True, ("moved", "share")),
)


def _table(graph: Graph, changes: Sequence[Change], columns: int, context: RenderContext) -> list[Line]:
    """A row for each tensor: how far it moved, the share of its norm, and the entry that moved most, with its
    values before and after; the least important columns are left out where that is too wide."""
    for long, kinds in TABLE_LAYOUTS:
        every = _columns(changes, long, context)
        shown = [every[kind] for kind in ("name", *kinds)]
        if sum(len(column[0]) for column in shown) <= columns:
            break
    lines = [line(("".join(column[0] for column in shown), "muted"))]
    for i, each in enumerate(changes, 1):
        roles = (
            "backward" if graph.is_gradient(each.name) else "text",
            *(CELL_ROLES.get(kind, "muted") for kind in kinds),
        )
        lines.append(merge(zip((column[i] for column in shown), roles, strict=True)))
    return lines


CELL_ROLES = {"moved": "text", "most": "text"}  # roles


def _columns(changes: Sequence[Change], long: bool, context: RenderContext) -> dict[str, list[str]]:
    """Every column: its head and its cells, all equally wide."""
    digits = 3 if long else 2
    names = [context.text(each.name) for each in changes]
    places = [entry_name("", each.index) for each in changes]
    percents = [_percent(each, digits) for each in changes]
    ends = [_ends(each, digits) for each in changes]
    cells = {
        "name": ["", *names],
        "moved": [
            "moved",
            *(format_number(each.moved, digits) if each.finite else "n/a" for each in changes),
        ],
        "share": ["moved %", *percents],
        "percent": ["moved", *percents],  # the same with a narrower head
        "most": ["entry", *(map(str.__add__, names, places) if long else places)],
        "from": ["from", *(before for before, _ in ends)],
        "to": ["to", *(after for _, after in ends)],
    }
    aligned = {}
    for kind, texts in cells.items():
        wide = max(map(len, texts))
        gap = "" if kind == "name" else " " * (1 + long)
        aligned[kind] = [
            gap + (f"{t:<{wide}}" if kind in ("name", "most") else f"{t:>{wide}}") for t in texts
        ]
    return aligned


def _percent(change: Change, digits: int) -> str:
    """The share of the norm that a tensor moved by; there is none where a number is NaN or infinite."""
    if not change.finite:
        return "n/a"
    return "was 0" if change.share == float("inf") else format_relative(change.share, digits)


def _ends(change: Change, digits: int) -> tuple[str, str]:
    """The values of an entry before and after: in more digits, up to three times as many, where the two would look
    equal."""
    for more in range(digits, 3 * digits + 1):
        before, after = (format_number(value, more, sign=True) for value in (change.before, change.after))
        if before != after or change.before == change.after:
            break
    return before, after
