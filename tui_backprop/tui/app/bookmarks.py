"""Bookmarks: set, select, compare, return to."""

from __future__ import annotations

from tui_backprop.render.view_state import Snapshot
from tui_backprop.session import bookmark_changes
from tui_backprop.session.state import Session
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState


class Bookmarks:
    """The actions on bookmarks, which are part of the session."""

    def __init__(self, app: AppContext, state: AppState) -> None:
        self._app, self._state = app, state

    def action_set_bookmark(self) -> None:
        def mark(session: Session, snapshot: Snapshot) -> Session:
            after = bookmark_changes.add_bookmark(session)
            key = self._app.render_context.key("panel('bookmarks')")
            self._app.say(
                f"bookmark {len(after.bookmarks.items)} set: iteration {session.t:,}, {key} shows it"
            )
            return after

        self._state.move(mark)

    def action_bookmark(self, direction: int) -> None:
        self._state.move(lambda session, snapshot: bookmark_changes.move_bookmark_cursor(session, direction))

    def action_hold_bookmark(self) -> None:
        self._state.move(lambda session, snapshot: bookmark_changes.hold_bookmark(session))

    def action_delete_bookmark(self) -> None:
        self._state.move(lambda session, snapshot: bookmark_changes.delete_bookmark(session))

    def action_go_to_bookmark(self) -> None:
        self._state.move(lambda session, snapshot: bookmark_changes.to_bookmark(session))
