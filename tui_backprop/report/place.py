"""The iteration that a report is about, in words."""

from __future__ import annotations

from tui_backprop.session.state import Session


def iteration_text(session: Session) -> str:
    """Name the iteration, for the end of a sentence; nothing for the initial parameters."""
    edited = ", with edits" if session.edits else ""
    return f", iteration {session.t:,}{edited}" if session.t or edited else ""
