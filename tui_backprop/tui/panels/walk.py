"""The walk panel: the step under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView

if TYPE_CHECKING:
    from tui_backprop.session.replay import Replay


class WalkView(SnapshotView):
    """Draws the step; a map of the array remains if its histogram could not be computed."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("walk", context, partial=True, concern=lambda session: session.walked)

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.walk.walk import walk_panel

        return walk_panel(snapshot, columns, rows, self.render_context, given_up=self._failed)


def _about(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the array on the screen, if its view needs all of its entries."""
    if snapshot.session.walk.view not in ("histogram", "largest"):
        return ()
    from tui_backprop.render.walk.shown_array import shown_array

    shown = shown_array(snapshot)
    return *snapshot.session.pass_key, shown.name, shown.updated


def _distribution(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.render.walk.shown_array import shown_array

    shown = shown_array(snapshot)
    return snapshot.iteration.distribution(shown.name, updated=shown.updated)


PANEL = Panel(WalkView, Query(_about, _distribution))
