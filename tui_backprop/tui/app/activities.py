"""What goes on by itself (a race, a sweep, training, a replay), for the top line and the key bar of every panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from tui_backprop.render.view_state import Activity
from tui_backprop.tui.widgets.screen_bars import StatusBar

Source = Callable[[], Activity | None]


class Activities:
    """Show the activities that ``sources`` return; None while there is none."""

    def __init__(self, screen: App[None], sources: Sequence[Source], changed: Callable[[], None]) -> None:
        self._screen, self._sources, self._changed = screen, sources, changed

    @property
    def going(self) -> tuple[Activity, ...]:
        """The activities that go on now."""
        return tuple(found for source in self._sources if (found := source()) is not None)

    def state_of(self, place: str) -> str:
        """Return the state of a panel's activity; empty if it has none."""
        return next((each.state for each in self.going if each.place == place), "")

    def show(self) -> None:
        """Show them in the top line, and have the key bar updated."""
        for bar in self._screen.screen_stack[0].query(StatusBar):
            bar.show_activities(self.going)
        self._changed()
