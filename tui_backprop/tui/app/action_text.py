"""What an action was, in a few words: told by what it changed in the Session. Undo and redo say it."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.render.panels.bars import layers_text
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session
from tui_backprop.session.undo import changed

Words = str | Callable[[Session, Session], str]


def action_words(before: Session, after: Session) -> str:
    """What led from one session to the other: training 1,000 updates; sample; cursor in the ranking. Nothing, where
    they are equal."""
    fields = changed(before, after)
    if fields and before.bookmarks.items and after == moves.to_bookmark(before):
        return f"going to bookmark {before.bookmarks.cursor + 1}"
    first = next((name for name in WORDS if name in fields), "")
    words = WORDS.get(first, ", ".join(name.rpartition(".")[2] for name in fields).replace("_", " "))
    return words if isinstance(words, str) else words(before, after)


def _updates(before: Session, after: Session) -> str:
    """Iterations on or back: by a step of the walk, or by training."""
    more = after.t - before.t
    if more == 1 and after.walk.step < before.walk.step:
        return "step into the next iteration"
    if more == -1 and after.walk.step > before.walk.step:
        return "step into the iteration before"
    if more > 0:
        return f"training {more:,} update{'s' if more > 1 else ''}"
    return f"going back to iteration {after.t:,}" if more else "other updates"


def _moved(before: Session, after: Session) -> str:
    fix = next((fix for fix in after.edits if fix not in before.edits), None)
    return f"moving {_named(fix.tensor, fix.index)} by hand" if fix else "moving a parameter by hand"


def _asked(before: Session, after: Session) -> str:
    return (
        f"look at {_named(*after.inspection.number)}" if after.inspection.number else "look at another number"
    )


def _named(tensor: str, index: tuple[int, ...]) -> str:
    return f"{tensor}[{','.join(map(str, index))}]"


def _marks(before: Session, after: Session) -> str:
    more = len(after.bookmarks.items) > len(before.bookmarks.items)
    return (
        f"setting bookmark {len(after.bookmarks.items)}"
        if more
        else f"dropping bookmark {before.bookmarks.cursor + 1}"
    )


# Every field of the Session. What changes others along with it comes before them.
WORDS: dict[str, Words] = {
    "network": lambda before, after: f"network {layers_text(after.network.layers, 20)}",
    "data": lambda before, after: f"data set {after.data}",
    "optimizer": lambda before, after: f"optimizer {after.optimizer.name}",
    "update_log": _updates,
    "edits": _moved,
    "lr": "rate α",
    "batch": "batch size",
    "sample": "sample",
    "bookmarks.items": _marks,
    "bookmarks.cursor": "cursor in the bookmarks",
    "bookmarks.held": "bookmark held",
    "inspection.measure": "measure of the ranking",
    "inspection.layer": "layer of the ranking",
    "inspection.rank": "cursor in the ranking",
    "inspection.number": _asked,
    "inspection.pinned": "pair of weights",
    "inspection.pair": "one weight or two",
    "walk.grain": "grain of the walk",
    "walk.step": "step",
    "walk.view": "view of the array",
    "walk.units": "unit",
    "cost.decade": "cursor in the cost chart",
    "cost.lesson_clock": "clock of the cost chart",
    "cost.axis": "axis of the cost chart",
    "cost.zoom": "zoom of the cost chart",
    "cost.step_index": "step h of the dial",
    "cost.precision": "precision of the dial",
    "cost.method": "method of the race",
    "inspection.confusion": "choice of errors",
    "panel": "panel",
}
