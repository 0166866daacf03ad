"""The bookmarks panel: states to return to, and the difference between two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.session.update_log import shared
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView

if TYPE_CHECKING:
    from tui_backprop.engine.analysis.comparison import Difference
    from tui_backprop.engine.training.iteration import Iteration
    from tui_backprop.session.replay import Replay

SCROLLED = 3  # tensors that a key scrolls by; at most those visible on the smallest screen


class BookmarksView(SnapshotView):
    """Draws the bookmarks and what differs between two; the list of tensors scrolls."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("bookmarks", context)
        self._first = 0  # the tensor at the top of the list

    def action_scroll_tensors(self, direction: int) -> None:
        found = cast("Difference | None", self._found)
        if found is not None:
            self._first = min(max(self._first + direction * SCROLLED, 0), max(len(found.changes) - 1, 0))
            self.redraw()

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.panels.bookmarks import bookmarks_panel

        difference = cast("Difference | None", found)
        return bookmarks_panel(snapshot, difference, columns, rows, self.render_context, self._first)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the two states that are compared."""
    if not snapshot.session.bookmarks.items:
        return ()
    from tui_backprop.render.panels.bookmarks import compared

    return tuple(place.pass_key for _, place in compared(snapshot.session))


def _difference(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.engine.analysis.comparison import difference
    from tui_backprop.render.panels.bookmarks import compared
    from tui_backprop.session.replay import Replay

    session = snapshot.session

    def iteration(mark: Session) -> Iteration:
        on_the_way = mark.training_key == session.training_key and (
            shared(mark.update_log, session.update_log) == mark.t
        )
        return replay.kept(mark) or (replay if on_the_way else Replay(0)).take(mark)

    one, other = (
        snapshot.iteration if place is session else iteration(place) for _, place in compared(session)
    )
    return difference(one, other)


PANEL = Panel(BookmarksView, Query(_about, _difference))
