"""Undo and redo, by keeping earlier sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from tui_backprop.session.session_parts import Bookmarks, CostSettings, GeneratedText, Inspection, WalkState
from tui_backprop.session.state import Session

PARTS = WalkState, Inspection, CostSettings, GeneratedText, Bookmarks
MOST = 1000  # sessions that can be undone, each of a few hundred bytes
# Cursors that one key moves repeatedly, and what a move releases; consecutive moves are one action.
CURSORS: dict[str, tuple[str, ...]] = {
    "text.letter": ("inspection.rank", "inspection.number"),
    "inspection.rank": ("inspection.number",),
    "walk.units": (),
    "cost.decade": (),
    "cost.step_index": (),
    "bookmarks.cursor": (),
    "amount": (),
}


def changed(before: Session, after: Session) -> tuple[str, ...]:
    """Return the names of the fields in which two sessions differ; those of parts as ``part.field``."""
    return tuple(_changed(before, after))


def _changed(before: Any, after: Any, prefix: str = "") -> Iterator[str]:
    for f in fields(after):
        old, new = getattr(before, f.name), getattr(after, f.name)
        if old == new:
            continue
        if isinstance(new, PARTS):
            yield from _changed(old, new, f"{f.name}.")
        else:
            yield prefix + f.name


def _moved(before: Session, after: Session) -> str | None:
    """Return the cursor whose move is all that leads from one session to the other, None if there is more to it."""
    fields = {*changed(before, after)}
    cursor = next((each for each in CURSORS if each in fields), "")
    others = fields - {cursor}
    releases = others <= {*CURSORS.get(cursor, ())} and not any(attrgetter(each)(after) for each in others)
    return cursor if cursor and releases else None


@dataclass(frozen=True)
class UndoHistory:
    """A session ``now`` between its ``past`` (latest last) and the ``future`` that was undone (next one last)."""

    now: Session
    past: tuple[Session, ...] = ()
    future: tuple[Session, ...] = ()

    def go(self, session: Session) -> UndoHistory:
        """Go to another session; forget what was undone. Consecutive moves of one cursor are one action: undo returns
        to its first position."""
        if session == self.now:
            return self
        if not self._moves_on(session):
            return UndoHistory(session, (*self.past[1 - MOST :], self.now))
        return UndoHistory(session, self.past[: -1 if session == self.past[-1] else None])

    def _moves_on(self, session: Session) -> bool:
        """Return True if the transition only continues the previous cursor move. (Releasing a cursor, to None or to
        no units, is not a move.)"""
        if not self.past or self.future:
            return False
        cursor = _moved(self.now, session)
        return (
            cursor is not None
            and cursor == _moved(self.past[-1], self.now)
            and attrgetter(cursor)(session) not in (None, ())
        )

    def undo(self) -> UndoHistory:
        """Undo one action, if there is one."""
        if not self.past:
            return self
        return UndoHistory(self.past[-1], self.past[:-1], (*self.future, self.now))

    def redo(self) -> UndoHistory:
        """Redo one action, if one was undone."""
        if not self.future:
            return self
        return UndoHistory(self.future[-1], (*self.past, self.now), self.future[:-1])
