"""The walk panel: the backward trace, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.panels.base import Panel


class WalkView(Panel):
    """The step under the cursor."""

    NAME = "walk"
    GOES_ON = True

    def concern(self, session: Session) -> Session:
        return session.walked

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.walk.walk import walk_panel

        return walk_panel(snapshot, columns, rows, self.render_context, given_up=self._failed)
