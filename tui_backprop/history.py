"""Undo and redo: the sessions that were, kept as they are."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.session import Session

MOST = 1000  # sessions, each of a few hundred bytes, that can be taken back


@dataclass(frozen=True)
class History:
    """A ``now`` between its ``past`` (latest last) and a ``future`` that was taken back (next one last)."""

    now: Session
    past: tuple[Session, ...] = ()
    future: tuple[Session, ...] = ()

    def go(self, session: Session) -> History:
        """On to another session; what was taken back before is forgotten."""
        return self if session == self.now else History(session, (*self.past[1 - MOST :], self.now))

    def undo(self) -> History:
        """One action back, if there was one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.now))

    def redo(self) -> History:
        """One action on again, if one was taken back."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.now), self.future[:-1])
