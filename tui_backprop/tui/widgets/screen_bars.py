"""The strips at the top and the bottom of the screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from textual.timer import Timer

from tui_backprop.keys.panel_row import TEXT
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line
from tui_backprop.render.panels.screen_bars import key_bar, status, tabs
from tui_backprop.render.view_state import Activity, Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.widgets.canvas import Canvas


class StatusBar(Canvas):
    """Shows the network, the sample and the loss in one line."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id="status")
        self._shown: tuple[Session, Snapshot | None, float | None] | None = None
        self._activities: Sequence[Activity] = ()

    def show(self, session: Session, snapshot: Snapshot | None, speed: float | None) -> None:
        self._shown = (session, snapshot, speed)
        self.redraw()

    def show_activities(self, activities: Sequence[Activity]) -> None:
        """Show what goes on by itself."""
        if activities != self._activities:
            self._activities = activities
            self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        if self._shown is None:
            return []
        return [status(*self._shown, columns, self.render_context, self._activities)]


class TabBar(Canvas):
    """Shows the panels and the keys that open them."""

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id="tabs")
        self._shown: tuple[str, Collection[str]] = ("walk", (TEXT,))

    def show(self, current: str, lacks: Collection[str]) -> None:
        if (current, lacks) != self._shown:
            self._shown = current, lacks
            self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        current, lacks = self._shown
        return [tabs(current, columns, self.render_context, lacks)]


class KeyBar(Canvas):
    """Shows the keys of the current panel, and for a short time a notice instead of some of them."""

    SECONDS = 2.5  # that a notice is shown

    def __init__(self, context: RenderContext) -> None:
        super().__init__(context, id="keys")
        self._pairs: Sequence[tuple[str, str]] = ()
        self._pinned: Sequence[tuple[str, str]] = ()
        self._said = ""
        self._timer: Timer | None = None

    def show(self, pairs: Sequence[tuple[str, str]], pinned: Sequence[tuple[str, str]]) -> None:
        if (pairs, pinned) != (self._pairs, self._pinned):
            self._pairs, self._pinned = pairs, pinned
            self.redraw()

    @property
    def said(self) -> str:
        """The current notice."""
        return self._said

    def say(self, words: str, seconds: float | None = None) -> None:
        """Show a notice, for SECONDS or for as many as are given."""
        self._said = words
        self.redraw()
        if self._timer is not None:
            self._timer.stop()
        seconds = self.SECONDS if seconds is None else seconds
        self._timer = self.set_timer(seconds, partial(self.say, "")) if words else None

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        return [key_bar(self._pairs, self._pinned, columns, self.render_context, self._said)]
