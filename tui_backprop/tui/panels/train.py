"""The training panel: the number of updates, the training curve, and what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ShownTraining:
    """What the panel shows: the training curve, the ``picture`` of a running training, the amounts to choose from,
    whether all updates ``repeat`` the same batch (None: there are no samples), the changes of settings on the way,
    and a sentence about the iterations kept."""

    learning: Learning | None = None
    picture: Plane | Fit | None = None
    amounts: Sequence[str] = ()
    chosen: int = 0
    repeat: bool | None = None
    changes: Sequence[SettingChange] = ()
    kept: str = ""


class TrainView(SnapshotView):
    """Draws the training curve, and the decision boundary if there is one."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__("train", context, partial=True)
        self._shown = ShownTraining()

    def learn(self, shown: ShownTraining) -> None:
        """Show a training."""
        if shown != self._shown:
            self._shown = shown
            self._drawn = None

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.draw.spans import wrap
        from tui_backprop.render.panels.training import amount_line, key_hint, training_panel

        shown = self._shown
        picture = shown.picture or cast("Plane | Fit | None", found)
        kept = wrap(shown.kept, columns, "muted") if rows >= 24 else []
        room = rows - 2 - len(kept)
        return [
            amount_line(shown.amounts, shown.chosen, columns, shown.repeat),
            key_hint(columns, self.render_context),
            *training_panel(
                snapshot, shown.learning, picture, columns, room, self.render_context, shown.changes
            ),
            *kept,
        ]


def _boundary(snapshot: Snapshot, replay: Replay) -> object:
    from tui_backprop.session.decision_boundary import plane_of

    return plane_of(snapshot.session, snapshot.iteration.before.parameters)


PANEL = Panel(TrainView, Query(same_iteration, _boundary))
