"""The training panel: how much to train, how it went, and what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.tui.bindings import bindings
from tui_backprop.tui.panels.base import Panel

if TYPE_CHECKING:
    from tui_backprop.session.decision_boundary import Fit, Plane
    from tui_backprop.session.training_curve import Learning


class TrainView(Panel):
    """Its question is what the network makes of its data, where that can be drawn. How training goes, it is told."""

    NAME = "train"
    GOES_ON = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("train")

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context)
        self._learning: Learning | None = None
        self._picture: Plane | Fit | None = None
        self._amounts: Sequence[str] = ()
        self._chosen = 0
        self._kept = ""

    def learn(
        self,
        learning: Learning | None,
        picture: Plane | Fit | None,
        amounts: Sequence[str],
        chosen: int,
        kept: str,
    ) -> None:
        """How training goes, what it has come to while it does, how much can be chosen, and what is kept of it."""
        told = learning, picture, kept, amounts, chosen
        if told != (self._learning, self._picture, self._kept, self._amounts, self._chosen):
            self._learning, self._picture, self._kept, self._amounts, self._chosen = told
            self._drawn = None

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        from tui_backprop.render.draw.spans import wrap
        from tui_backprop.render.panels.training import chooser, hint, training_panel

        picture = self._picture or cast("Plane | Fit | None", found)
        kept = wrap(self._kept, columns, "muted") if rows >= 24 else []
        room = rows - 2 - len(kept)
        return [
            chooser(self._amounts, self._chosen, columns),
            hint(columns, self.render_context),
            *training_panel(snapshot, self._learning, picture, columns, room, self.render_context),
            *kept,
        ]
