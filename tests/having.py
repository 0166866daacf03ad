"""Sessions with other values in their parts."""

from __future__ import annotations

from dataclasses import fields, replace

from tui_backprop.session.session_parts import Bookmarks, CostSettings, GeneratedText, Inspection, WalkState
from tui_backprop.session.state import Session

PARTS = {
    "walk": WalkState, "cost": CostSettings, "inspection": Inspection, "text": GeneratedText, "bookmarks": Bookmarks,
}  # fmt: skip
PART_OF = {field.name: part for part, kind in PARTS.items() for field in fields(kind)}


def having(session: Session, **changes) -> Session:
    """Return the session with other fields, in whichever part they are: ``having(session, step=3, batch=8)``."""
    for name, value in changes.items():
        if part := PART_OF.get(name):
            session = replace(session, **{part: replace(getattr(session, part), **{name: value})})
        else:
            session = replace(session, **{name: value})
    return session
