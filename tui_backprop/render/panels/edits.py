"""The parameters edited by hand, in words."""

from __future__ import annotations

from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, cut, line
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

MOST_NAMED = 2  # that are named


def edit_lines(session: Session, columns: int, context: RenderContext = UTF8) -> list[Line]:
    """Return a line that names the edits, the latest first; no line without edits."""
    if not session.edits:
        return []
    latest = session.edits[::-1]
    named = [
        f"{entry_name(edit.tensor, edit.index)} by {format_number(edit.by, sign=True)}"
        for edit in latest[:MOST_NAMED]
    ]
    named += [f"{len(latest) - MOST_NAMED} more"] if len(latest) > MOST_NAMED else []
    texts = [f"{', '.join(named)}; {context.key('undo')} undoes the last change", ", ".join(named), named[0]]
    text = next((text for text in texts if len("edited: ") + len(text) <= columns), texts[-1])
    return [line(("edited: ", "muted"), (cut(text, columns - len("edited: ")), "update"))]
