"""The iteration that a report is about, in words."""

from __future__ import annotations

from tui_backprop.render.session_text import iteration_text
from tui_backprop.session.state import Session


def place_text(session: Session) -> str:
    """Name the iteration, for the end of a sentence; nothing for the initial parameters."""
    return f", {iteration_text(session)}" if session.t or session.edits else ""
