"""Transitions of bookmarks: pure functions, each from one Session to the next."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.session.session_parts import Bookmarks
from tui_backprop.session.state import Session


def add_bookmark(session: Session) -> Session:
    """Add a bookmark here; the cursor goes to the previous one, so that the two can be compared."""
    items = session.bookmarks.items
    here = replace(session, bookmarks=Bookmarks())
    kept = replace(session.bookmarks, items=(*items, here), cursor=max(len(items) - 1, 0))
    return replace(session, bookmarks=kept)


def move_bookmark_cursor(session: Session, direction: int) -> Session:
    """Move the cursor to the next bookmark, or the previous one."""
    marks = session.bookmarks
    cursor = min(max(marks.cursor + direction, 0), max(len(marks.items) - 1, 0))
    return replace(session, bookmarks=replace(marks, cursor=cursor))


def delete_bookmark(session: Session) -> Session:
    """Delete the bookmark under the cursor."""
    items, cursor = session.bookmarks.items, session.bookmarks.cursor
    left = items[:cursor] + items[cursor + 1 :]
    return replace(session, bookmarks=Bookmarks(left, min(cursor, max(len(left) - 1, 0))))


def hold_bookmark(session: Session) -> Session:
    """Make the bookmark under the cursor the base of comparisons; if it is already, the current session."""
    marks = session.bookmarks
    held = None if marks.held == marks.cursor else marks.cursor
    return replace(session, bookmarks=replace(marks, held=held))


def to_bookmark(session: Session) -> Session:
    """Go to the bookmark under the cursor; the bookmarks stay."""
    marks = session.bookmarks
    return replace(marks.items[marks.cursor], bookmarks=marks) if marks.items else session
