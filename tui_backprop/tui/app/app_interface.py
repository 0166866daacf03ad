"""The interface that the app offers to its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from textual.screen import Screen
from textual.timer import Timer

from tui_backprop.render.draw.context import RenderContext
from tui_backprop.tui.widgets.canvas import Canvas

T = TypeVar("T")


class AppContext(Protocol):
    """The app as its parts see it. Anything else a part needs is passed to its constructor by name."""

    render_context: RenderContext

    @property
    def current_panel(self) -> str:
        """The name of the panel that has, or last had, the focus."""

    def view(self, name: str) -> Canvas | None:
        """Return the view of a panel, or None if it has not been created."""

    def show(self) -> None:
        """Pass the state to all parts of the screen."""

    def refresh_panels(self) -> None:
        """Update the visible panels."""

    def show_activities(self) -> None:
        """Update what goes on by itself, in the top line and the key bar."""

    def to_panel(self, name: str) -> None:
        """Show a panel and focus it, after the messages that are being processed."""

    def say(self, words: str, seconds: float | None = None) -> None:
        """Show a notice in the key bar for so many seconds."""

    def inform(self, message: str, title: str = "", seconds: float | None = None) -> None:
        """Show a notification."""

    def warn(self, message: str) -> None:
        """Show a notification of a warning."""

    def fail(self, message: str) -> None:
        """Show a notification of an error."""

    def in_thread(self, group: str, work: Callable[..., object], *arguments: object) -> None:
        """Run ``work`` in a worker thread of a group."""

    def busy(self, group: str) -> bool:
        """Return True while a worker of the group runs."""

    def call_from_thread(self, callback: Callable[..., T], *arguments: Any) -> T:
        """Call ``callback`` in the app's thread, from a worker, and return its result."""

    def call_soon(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call ``callback`` after the messages that are being processed."""

    def call_after_refresh(self, callback: Callable[..., Any]) -> bool:
        """Call ``callback`` once the screen has been refreshed."""

    def set_timer(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Call ``callback`` once, after ``delay`` seconds."""

    def set_interval(self, interval: float, callback: Callable[[], Any]) -> Timer:
        """Call ``callback`` every ``interval`` seconds."""

    def open_dialog(self, dialog: Screen[T], then: Callable[[T | None], object] | None = None) -> None:
        """Show a dialog over the app; call ``then`` with its result."""
