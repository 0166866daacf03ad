"""The session before this one: offered at the start, continued by a key."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.render.session_text import iteration_text, layers_text
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

OFFERED = 12.0  # seconds
LAYERS_COLUMNS = 24  # of the layers in the offer


class Resume:
    """Continue the session that ``text`` holds: what was saved last when the app was opened; None if that is of no
    use here."""

    def __init__(self, app: AppContext, state: AppState, text: str | None) -> None:
        self._app, self._state, self._text = app, state, text
        self._earlier: Session | None = None

    def offer(self) -> None:
        """Read the session in a worker, and offer it if it differs from the one that was opened, and something was
        done in it."""
        if self._text is not None:
            self._app.in_thread("resume", self._read, self._text)

    def _read(self, text: str) -> None:
        from tui_backprop.session.autosave import load

        try:
            session = load(text=text)
        except UserError:  # --resume says what is wrong with it
            return
        self._app.call_from_thread(self._found, session)

    def _found(self, session: Session) -> None:
        opened = self._state.session
        begun = session.t or session.edits or session.bookmarks.items
        if begun and replace(session, panel=opened.panel) != opened:
            self._earlier = session
            self._app.say(self._words(session), OFFERED)

    def _words(self, session: Session) -> str:
        layers = layers_text(session.network.layers, LAYERS_COLUMNS)
        return f"{self._app.render_context.key('resume')} continues {layers}, {iteration_text(session)}"

    def action_resume(self) -> None:
        """Go to the session before this one, and to its panel; undo returns."""
        if self._earlier is None:
            self._app.say("there is no other session to continue")
            return
        self._state.go(self._earlier)
        self._app.to_panel(self._earlier.panel)
        self._app.say(f"{self._app.render_context.key('undo')} returns to the session before")
