"""A short description of an action, from what it changed in the session, for the notices of undo and redo."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.data.catalogue import title
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.render.session_text import network_name
from tui_backprop.session import bookmark_changes
from tui_backprop.session.state import Session
from tui_backprop.session.undo import changed
from tui_backprop.support.format import printable

Words = str | Callable[[Session, Session], str]


def action_words(before: Session, after: Session) -> str:
    """Describe what led from one session to the other, such as "training 1,000 updates" or "cursor in the ranking";
    an empty text if they are equal."""
    fields = changed(before, after)
    if fields and before.bookmarks.items and after == bookmark_changes.to_bookmark(before):
        return f"going to bookmark {before.bookmarks.cursor + 1}"
    first = next((name for name in WORDS if name in fields), "")
    words = WORDS.get(first, ", ".join(name.rpartition(".")[2] for name in fields).replace("_", " "))
    return words if isinstance(words, str) else words(before, after)


def _updates(before: Session, after: Session) -> str:
    """Describe a change of the iteration: by a step of the walk, or by training."""
    more = after.t - before.t
    if more == 1 and after.walk.step < before.walk.step:
        return "step into the next iteration"
    if more == -1 and after.walk.step > before.walk.step:
        return "step into the previous iteration"
    if more > 0:
        return f"training {more:,} update{'s' if more > 1 else ''}"
    return f"return to iteration {after.t:,}" if more else "other updates"


def _edited(before: Session, after: Session) -> str:
    edit = next((edit for edit in after.edits if edit not in before.edits), None)
    return f"edit of {_named(edit.tensor, edit.index)}" if edit else "edit of a parameter"


def _inspected(before: Session, after: Session) -> str:
    return (
        f"inspection of {_named(*after.inspection.number)}"
        if after.inspection.number
        else "inspection of a number"
    )


def _named(tensor: str, index: tuple[int, ...]) -> str:
    return entry_name(tensor, index)


def _bookmarks(before: Session, after: Session) -> str:
    more = len(after.bookmarks.items) > len(before.bookmarks.items)
    return (
        f"setting bookmark {len(after.bookmarks.items)}"
        if more
        else f"deleting bookmark {before.bookmarks.cursor + 1}"
    )


# Every field of the session. A field whose change entails others comes before those.
WORDS: dict[str, Words] = {
    "network": lambda before, after: f"network {network_name(after.network, 20)}",
    "data": lambda before, after: f"data set {title(after.data)}",
    "validation": "samples held out",
    "optimizer": lambda before, after: f"optimizer {after.optimizer.name}",
    "update_log": _updates,
    "edits": _edited,
    "lr": "learning rate",
    "batch": "batch size",
    "sample": "sample",
    "passage": lambda before, after: (
        f"walk of {printable(after.passage.title, 40)}" if after.passage else "sample"
    ),
    "text.characters": "text",
    "text.ended": "text",
    "text.series": "text",
    "text.temperature": "temperature",
    "text.letter": "cursor in the text",
    "text.kept": "text",
    "bookmarks.items": _bookmarks,
    "bookmarks.cursor": "cursor in the bookmarks",
    "bookmarks.held": "bookmark held",
    "inspection.measure": "measure of the ranking",
    "inspection.layer": "layer of the ranking",
    "inspection.rank": "cursor in the ranking",
    "inspection.number": _inspected,
    "inspection.pinned": "pair of weights",
    "inspection.pair": "one weight or two",
    "walk.grain": "grain of the walk",
    "walk.step": "step",
    "walk.view": "view of the array",
    "walk.units": "unit",
    "walk.unfolded": "fold of a block",
    "cost.decade": "cursor in the cost chart",
    "cost.lesson_clock": "clock of the cost chart",
    "cost.axis": "axis of the cost chart",
    "cost.zoom": "zoom of the cost chart",
    "cost.step_index": "step size",
    "cost.precision": "precision of the step size",
    "cost.method": "method of the race",
    "inspection.confusion": "choice of errors",
    "amount": "number of updates to run",
    "repeat": "next or same batch",
    "panel": "panel",
}
