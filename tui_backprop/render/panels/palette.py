"""The list of commands: what was found, with keys, and a sentence about the selected one."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.keys.search import Command
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, line, wrap

HELP_ROWS = 2  # lines for the sentence, with a blank one above
LEAST_LIST_ROWS = 4  # lines of the list below which the sentence is left out
NOTHING = "no {what} matches; esc closes"


def shown_range(count: int, at: int, rows: int) -> range:
    """Return which entries of a list are visible in so many rows, with the selected one among them."""
    first = min(max(at - rows // 2, 0), max(count - rows, 0))
    return range(first, min(first + rows, count))


def palette_lines(
    found: Sequence[Command], at: int, columns: int, rows: int, context: RenderContext, what: str = "command"
) -> list[Line]:
    """Draw the commands around the selected one, and below them what its sentence says beyond its title, where
    there is room."""
    if not found:
        return [context.fit(row) for row in wrap(NOTHING.format(what=what), columns, "muted")[:rows]]
    about = wrap(context.text(found[at].more), columns - 1, "muted")[:HELP_ROWS]
    room = rows - HELP_ROWS - 1
    if room < LEAST_LIST_ROWS:
        about, room = [], rows
    entries = [_entry(found[i], i == at, columns, context) for i in shown_range(len(found), at, max(room, 1))]
    gap: list[Line] = [()] * (room + 1 - len(entries)) if about else []
    return [context.fit(row) for row in (*entries, *gap, *(line(" ", *row) for row in about))][:rows]


def _entry(command: Command, selected: bool, columns: int, context: RenderContext) -> Line:
    """Draw a command over the whole width: its title, and its key on the right."""
    key = context.text(command.key)
    room = max(columns - 2 - (len(key) + 2 if key else 0), 1)
    title = f" {cut(context.text(command.title), room):<{room}} "
    if selected:
        return line((f"{title} {key} " if key else title, "cursor"))
    return line(title, (f" {key} ", "key") if key else "")
