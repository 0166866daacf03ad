"""The panel of bookmarks: which there are, and what is different between one of them and another place."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.engine.difference import Change, Difference
from tui_backprop.session import Session
from tui_backprop.ui.moment import Moment, steps_of
from tui_backprop.ui.renderables.bars import layers_text
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.renderables.spans import Line, clip, cut, line, wrap

EMPTY = (
    "s sets a bookmark at the place where you are: this network, these samples, this step.",
    "Then train, or change something, and see here what is different: by how much each tensor moved, and which"
    " number in it the most.",
)
LABEL, FIELD = 6, 10


def marks_panel(
    moment: Moment, found: Difference | None, columns: int, rows: int, glyphs: Glyphs
) -> list[Line]:
    """The bookmarks, and the difference from the one under the cursor to the one held against it, or to now."""
    session = moment.session
    if not session.marks:
        lines = [*wrap(EMPTY[0], columns, "strong"), (), *wrap(EMPTY[1], columns, "muted")]
        return [glyphs.fit(row) for row in lines[:rows]]
    most = max(min(len(session.marks), rows // 3), 1)
    lines = [*_list(session, columns, most, glyphs), ()]
    lines += _difference(session, found, columns, rows - len(lines), glyphs)
    return [glyphs.fit(clip(row, columns)) for row in lines[:rows]]


def _list(session: Session, columns: int, most: int, glyphs: Glyphs) -> list[Line]:
    """As many bookmarks as fit, the one under the cursor among them; and now."""
    at = session.marked
    first = min(at // most * most, len(session.marks) - most)
    lines = []
    for i, mark in enumerate(session.marks[first : first + most], first):
        held = "=" if i == session.held else " "
        name = (f"{i + 1:>3}{held}", "cursor" if i == at else "strong")
        lines.append(line(name, " ", (place_text(mark, columns - 5, glyphs), "text")))
    return [*lines, line((" now ", "muted"), (place_text(session, columns - 5, glyphs), "muted"))]


def place_text(session: Session, columns: int, glyphs: Glyphs) -> str:
    """Where a session stands: iteration, step, samples, network; as much as fits."""
    steps = steps_of(session)
    step = steps[min(session.step, len(steps) - 1)]
    samples = f"{session.data} {session.sample}" + (f"+{session.batch - 1:,}" if session.batch > 1 else "")
    parts = [
        f"iteration {session.iteration:,}",
        f"{step.phase} {step.tensor}",
        samples,
        layers_text(session.network.layers, 20),
    ]
    text = parts[0]
    for part in map(glyphs.text, parts[1:]):
        text = f"{text}, {part}" if len(text) + 2 + len(part) <= columns else text
    return cut(text, columns)


def _difference(
    session: Session, found: Difference | None, columns: int, rows: int, glyphs: Glyphs
) -> list[Line]:
    one = session.marks[session.marked]
    other = session if session.held is None else session.marks[session.held]
    to = "now" if session.held is None else f"bookmark {session.held + 1}"
    head = line(("from ", "muted"), (f"bookmark {session.marked + 1}", "strong"), (f" to {to}", "muted"))
    if found is None:
        return [head, line(("comparing …", "muted"))]
    lines = [head, *(_setting(*row, columns, glyphs) for row in settings(one, other))]
    before, after = found.losses
    change = number(after - before, sign=True)
    lines.append(
        line(
            (f"{'loss':<{LABEL}}", "muted"),
            (f"{number(before, 4)} {glyphs.on} {number(after, 4)}", "loss"),
            (f"  {change}", "muted"),
        )
    )
    if (one.data, one.sample, one.batch) != (other.data, other.sample, other.batch):
        lines += wrap("Other samples: loss, z, δ and gradients are of those.", columns, "muted")
    if not found.unlike and not any(each.moved for each in found.changes):
        return [*lines, line(("every number is the same", "good"))]
    if found.changes:
        table = _table(found.changes, columns, glyphs)
        room = rows - len(lines) - 1
        left = len(table) - 1 - room
        lines += [(), *table] if left <= 0 else [(), *table[:room], line((f"{left + 1} more", "muted"))]
    if found.unlike and len(lines) < rows:
        names = ", ".join(map(glyphs.text, found.unlike))
        lines.append(line((cut(f"not in both, or of another shape: {names}", columns), "muted")))
    return lines


def settings(one: Session, other: Session) -> list[tuple[str, str, str]]:
    """The choices in which two sessions differ: name, and both values."""
    pairs = [
        (name, getattr(one.network, name), getattr(other.network, name))
        for name in one.network.__dataclass_fields__
    ]
    pairs += [(name, getattr(one, name), getattr(other, name)) for name in ("data", "sample", "batch", "lr")]
    pairs += [
        (name, getattr(one.optimiser, name), getattr(other.optimiser, name))
        for name in one.optimiser.__dataclass_fields__
    ]
    pairs.append(("iteration", one.iteration, other.iteration))
    return [(name.replace("_", " "), _text(a), _text(b)) for name, a, b in pairs if a != b]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return layers_text(value, 30)
    return (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _setting(name: str, one: str, other: str, columns: int, glyphs: Glyphs) -> Line:
    change = glyphs.text(f"{one} → {other}")
    return line((f"{name} ", "muted"), (cut(change, max(columns - len(name) - 1, 1)), "text"))


def _table(changes: Sequence[Change], columns: int, glyphs: Glyphs) -> list[Line]:
    """A row for each tensor: how far it moved, the share of its norm, and the entry that moved most."""
    names = [glyphs.text(each.name) for each in changes]
    places = [f"{name}[{','.join(map(str, each.index))}]" for name, each in zip(names, changes, strict=True)]
    label, wide = max(LABEL, 1 + max(map(len, names))), max(map(len, places))
    entry = label + 2 * FIELD + 2 + wide + 2 * FIELD <= columns
    share = columns >= label + 2 * FIELD
    heads = ["moved"] + ["of norm"] * share
    head = line((" " * label + "".join(f"{word:>{FIELD}}" for word in heads), "muted"))
    if entry:
        head = line(*head, (f"  {'most':<{wide}}{'from':>{FIELD}}{'to':>{FIELD}}", "muted"))
    lines = [head]
    for each, name, place in zip(changes, names, places, strict=True):
        role = "backward" if each.name[0] in "dδ" else "text"
        row = line((f"{name:<{label}}", role), (f"{number(each.moved):>{FIELD}}", "text"))
        if share:
            row = line(*row, (f"{_percent(each.share):>{FIELD}}", "muted"))
        if entry:
            values = (f"{number(v, sign=True):>{FIELD}}" for v in (each.before, each.after))
            row = line(*row, (f"  {place:<{wide}}", "text"), ("".join(values), "muted"))
        lines.append(row)
    return lines


def _percent(share: float) -> str:
    return "from 0" if share == float("inf") else f"{number(100 * share)}%"
