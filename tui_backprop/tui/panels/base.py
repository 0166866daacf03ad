"""A panel that follows the walk: it draws a Moment, and what was found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.widgets.canvas import Canvas

if TYPE_CHECKING:  # loads numpy
    from tui_backprop.engine.training.iteration import Iteration


class Panel(Canvas, can_focus=True):
    """Subclasses say in ``picture`` what is drawn. They import their renderable there, and with it numpy: after the
    first paint."""

    NAME = ""
    GOES_ON = False  # whether there is something to see where its question has no answer

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id=f"{self.NAME}-view")
        self._snapshot: Snapshot | None = None
        self._found: object = None
        self._failed = False
        self._waiting = "running the first pass"
        self._drawn: tuple[Session, object, object, bool] | None = None

    def show(self, snapshot: Snapshot, found: object = None, failed: bool = False) -> None:
        """Draw a moment, with the answer to the panel's question (None while that is being found, and if it has
        ``failed``); if it is drawn already, nothing is done."""
        concern, before = self.concern(snapshot.session), self._drawn
        now = concern, snapshot.iteration, found, failed
        self._snapshot, self._found, self._failed, self._drawn = snapshot, found, failed, now
        if not (
            before and before[0] == concern and all(a is b for a, b in zip(before[1:], now[1:], strict=True))
        ):
            self.redraw()

    def forget(self, iteration: Iteration) -> None:
        """While it is hidden, hold on to no pass but this one; it is shown a moment before it is seen again."""
        if self._snapshot is not None and self._snapshot.iteration is not iteration:
            self._snapshot = self._found = self._drawn = None
            self._waiting = ""

    def wait(self, words: str) -> None:
        """Say what is done before there is anything to show."""
        self._waiting = words
        self.redraw()

    def concern(self, session: Session) -> Session:
        """What of the session the panel shows: all of it, or only what the walk shows."""
        return session

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._snapshot is None:
            return [line((f"{self._waiting} …", "muted"))] if self._waiting else []
        if self._failed and not self.GOES_ON:
            return [line(("This could not be found out. It is asked again for another pass.", "muted"))]
        return self.picture(self._snapshot, self._found, columns, rows)

    def picture(self, snapshot: Snapshot, found: object, columns: int, rows: int) -> Sequence[Line]:
        """The lines of the panel."""
        return ()
