"""What every part of the app knows of the others: there is a state, and it can be moved."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.screen import Screen

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.state import Session
from tui_backprop.tui.textual_fixes import steady

Change = Callable[[Session, Snapshot], Session]


class Base(App[None]):
    """The app is made of parts, each with keys of its own; this is what they share."""

    snapshot: Snapshot | None = None  # the last one whose numbers are there
    render_context: RenderContext
    _computing = False  # a pass

    def get_default_screen(self) -> Screen[object]:
        return steady(super().get_default_screen())

    def push_screen(self, screen: Any, *given: Any, **named: Any) -> Any:
        """Show a screen over the others; like the first one it draws every change of its layout."""
        return super().push_screen(steady(screen), *given, **named)

    @property
    @abstractmethod
    def session(self) -> Session:
        """The state of the app."""

    @abstractmethod
    def go(self, session: Session) -> None:
        """Make ``session`` the state of the app."""

    @abstractmethod
    def keep(self) -> None:
        """Have the session kept for later, though nothing of it may have changed."""

    @abstractmethod
    def move(self, change: Change) -> None:
        """Go to what ``change`` makes of the session; while its network has no pass yet, as soon as it has."""

    @abstractmethod
    def show(self) -> None:
        """Hand every part of the screen its part of the state."""

    @abstractmethod
    def refresh_panels(self) -> None:
        """Bring what is seen up to date."""

    @abstractmethod
    def say(self, words: str) -> None:
        """Say for a moment, in the key bar, what a key has done that may not be in sight."""

    @property
    @abstractmethod
    def last_iteration(self) -> int:
        """The last iteration that can be gone to; the first one is 0."""

    @abstractmethod
    def to_iteration(self, t: int) -> None:
        """To an iteration of what was trained, or to the nearest there is."""

    @abstractmethod
    def to_panel(self, name: str) -> None:
        """Show a panel and give it the keys, after what is going on now."""
