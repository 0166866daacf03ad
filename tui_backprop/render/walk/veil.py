"""What is hidden while a result is to be predicted, and the lines in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.render.view_state import Snapshot, Veil

LABEL_COLUMNS = 7


def before(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot of the step before, which has nothing of a result that is hidden."""
    walk = snapshot.session.walk
    return replace(
        snapshot, session=replace(snapshot.session, walk=replace(walk, step=max(walk.step - 1, 0))), veil=None
    )


def question_lines(veil: Veil, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw what is asked, in place of the array of the step."""
    keys = (
        (context.key("guess"), "type its sign, shape or value"),
        (context.key("step_on"), "goes on without"),
        (context.key("predict"), "stops predicting"),
    )
    lines = [line(("predict ", "muted"), (veil.entry, "strong")), ()]
    for key, words in keys:
        first, *others = wrap(words, columns - LABEL_COLUMNS)
        lines.append(line((f"{key:<{LABEL_COLUMNS}}", "key"), *first))
        lines += [line(" " * LABEL_COLUMNS, *each) for each in others]
    for texts, role in (((veil.said,), "bad"), (veil.hints, "text")):
        lines += told(texts, role, columns)
    return lines[:rows]


def told(texts: Sequence[str], role: str, columns: int) -> list[Line]:
    """Return paragraphs with a blank line before the first."""
    found = [row for text in texts if text for row in wrap(text, columns, role)]
    return [(), *found] if found else []


def covered(veil: Veil, columns: int, context: RenderContext) -> list[Line]:
    """Return what a panel shows in place of its numbers."""
    words = f"hidden until you predict {veil.entry} in the walk; {{predict}} stops predicting"
    return wrap(context.words(words), columns, "muted")
