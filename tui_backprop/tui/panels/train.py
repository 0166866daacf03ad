"""The training panel: the number of updates, the training curve, and what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.panels.base import Panel, Query, SnapshotView, same_iteration

if TYPE_CHECKING:
    from tui_backprop.session.decision_boundary import Fit, Plane
    from tui_backprop.session.replay import Replay
    from tui_backprop.session.setting_changes import SettingChange
    from tui_backprop.session.training_curve import Learning


class TrainView(SnapshotView):
    """Draws the training curve, and the decision boundary if there is one."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("train", context, partial=True)
        self._learning: Learning | None = None
        self._picture: Plane | Fit | None = None
        self._amounts: Sequence[str] = ()
        self._chosen = 0
        self._changes: Sequence[SettingChange] = ()
        self._kept = ""

    def learn(
        self,
        learning: Learning | None,
        picture: Plane | Fit | None,
        amounts: Sequence[str],
        chosen: int,
        changes: Sequence[SettingChange],
        kept: str,
    ) -> None:
        """Show the training curve, the ``picture`` of a running training, the amounts to choose from, the changes of
        settings on the way, and a sentence about the iterations kept."""
        now = learning, picture, kept, amounts, chosen, changes
        shown = self._learning, self._picture, self._kept, self._amounts, self._chosen, self._changes
        if now != shown:
            self._learning, self._picture, self._kept, self._amounts, self._chosen, self._changes = now
            self._drawn = None

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.draw.spans import wrap
        from tui_backprop.render.panels.training import amount_line, key_hint, training_panel

        picture = self._picture or cast("Plane | Fit | None", found)
        kept = wrap(self._kept, columns, "muted") if rows >= 24 else []
        room = rows - 2 - len(kept)
        return [
            amount_line(self._amounts, self._chosen, columns),
            key_hint(columns, self.render_context),
            *training_panel(
                snapshot, self._learning, picture, columns, room, self.render_context, self._changes
            ),
            *kept,
        ]


def _boundary(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.session.decision_boundary import plane_of

    return plane_of(snapshot.session, snapshot.iteration.before.parameters)


PANEL = Panel(TrainView, Query(same_iteration, _boundary))
