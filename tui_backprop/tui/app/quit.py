"""Quitting: immediately, or after a question if something is running that would be lost."""

from __future__ import annotations

from textual import events
from textual.app import App

from tui_backprop.keys.table import bound_keys
from tui_backprop.tui.app.activities import Activities
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.widgets.screen_bars import KeyBar

SECONDS = 30.0  # that the question is shown
WIDE = 80  # columns from which all of it fits


class Quit:
    """Ask once before quitting while any of the ``activities`` goes on.

    The question is a notice in the key bar: while it is shown, a second press quits, and any other key withdraws the
    question. In a dialog, which has its own keys, only quit keys that type no character work."""

    def __init__(self, app: AppContext, screen: App[None], activities: Activities) -> None:
        self._app, self._screen, self._activities = app, screen, activities
        self._question = ""

    async def handles(self, event: events.Key) -> bool:
        """Process a key before all others; return True if it was handled."""
        if self._asking and not self._confirms(event.key):
            self._app.say("")
        if len(self._screen.screen_stack) > 1 and self.quits(event):
            self.action_quit()
            return True
        return False

    def quits(self, event: events.Key) -> bool:
        """Return True for a key that quits here: in a dialog, a character is text."""
        return event.key in self._keys and not (len(self._screen.screen_stack) > 1 and event.is_printable)

    def action_quit(self) -> None:
        """Quit, or ask."""
        question = self.question()
        if not question or self._asking:
            self._screen.exit()
            return
        self._question = question
        self._screen.query_one(KeyBar).say(question, SECONDS)

    def question(self) -> str:
        """Return what is running and what another press does to it; an empty text if nothing is running."""
        names = [activity.name for activity in self._activities.going]
        if not names:
            return ""
        if len(names) == 1:
            what, them = "training is" if names == ["training"] else f"a {names[0]} is", "it"
        else:
            what, them = f"{', '.join(names[:-1])} and {names[-1]}", "them"
        stops = f"stops {them} and quits" if self._screen.size.width >= WIDE else "quits"
        return f"{what} running: {self._app.render_context.key('quit')} again {stops}"

    @property
    def _asking(self) -> bool:
        return bool(self._question) and self._screen.query_one(KeyBar).said == self._question

    def _confirms(self, key: str) -> bool:
        """Return True for a key that quits, or opens a way to quit by name."""
        by_name = bound_keys("command_palette", self._app.render_context.keys)
        return len(self._screen.screen_stack) > 1 or key in (*self._keys, "ctrl+q", *by_name)

    @property
    def _keys(self) -> list[str]:
        return bound_keys("quit", self._app.render_context.keys)
