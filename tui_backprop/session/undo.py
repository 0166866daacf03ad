"""Undo and redo: the sessions that were, kept as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from tui_backprop.session.session_parts import Bookmarks, CostSettings, Inspection, WalkState
from tui_backprop.session.state import Session

PARTS = WalkState, Inspection, CostSettings, Bookmarks
MOST = 1000  # sessions, each of a few hundred bytes, that can be taken back
# Each is moved by many presses of one key; moves in a row are one action.
CURSORS = ("inspection.rank", "walk.units", "cost.decade", "cost.step_index", "bookmarks.cursor")


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


@dataclass(frozen=True)
class UndoHistory:
    """A ``now`` between its ``past`` (latest last) and a ``future`` that was taken back (next one last)."""

    now: Session
    past: tuple[Session, ...] = ()
    future: tuple[Session, ...] = ()

    def go(self, session: Session) -> UndoHistory:
        """On to another session; what was taken back before is forgotten. Moves of one cursor, as long as nothing
        comes between them, are one action: undo goes back to where it was first."""
        if session == self.now:
            return self
        if not self._moves_on(session):
            return UndoHistory(session, (*self.past[1 - MOST :], self.now))
        return UndoHistory(session, self.past[: -1 if session == self.past[-1] else None])

    def _moves_on(self, session: Session) -> bool:
        """Whether going there only moves the cursor on that the action before moved. (A cursor that is let go, at
        None or without units, is no move of it.)"""
        if not self.past or self.future:
            return False
        last, this = changed(self.past[-1], self.now), changed(self.now, session)
        return (
            last == this
            and len(this) == 1
            and this[0] in CURSORS
            and attrgetter(this[0])(session) not in (None, ())
        )

    def undo(self) -> UndoHistory:
        """One action back, if there was one."""
        if not self.past:
            return self
        return UndoHistory(self.past[-1], self.past[:-1], (*self.future, self.now))

    def redo(self) -> UndoHistory:
        """One action on again, if one was taken back."""
        if not self.future:
            return self
        return UndoHistory(self.future[-1], (*self.past, self.now), self.future[:-1])
