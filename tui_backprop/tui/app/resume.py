"""The session before this one: offered at the start, continued by a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from tui_backprop.keys.panel_row import EARLIER
from tui_backprop.session.state import Session
from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState

Earlier = Callable[[], Iterable[str]]  # returns the texts of the sessions before, the last one first


class Resume:
    """Continue a session that was saved before the app was opened: one of those that ``read_earlier`` reads. The key
    bar names the key until something is done in this session; ``show_keys`` has it updated."""

    def __init__(
        self,
        app: AppContext,
        state: AppState,
        read_earlier: Earlier | None,
        show_keys: Callable[[], None],
    ) -> None:
        self._app, self._state, self._read_earlier, self._show_keys = app, state, read_earlier, show_keys
        self._earlier: Session | None = None

    def offer(self) -> None:
        """Read the sessions in a worker, and offer the first one in which something was done, if it differs from the
        one that was opened."""
        if self._read_earlier is not None:
            self._app.in_thread("resume", partial(self._read, self._read_earlier))

    def _read(self, read_earlier: Earlier) -> None:
        from tui_backprop.session.autosave import load

        for text in read_earlier():
            with suppress(UserError):  # --resume says what is wrong with it
                session = load(text=text)
                if session.begun:
                    self._app.call_from_thread(self._found, session)
                    return

    def _found(self, session: Session) -> None:
        opened = self._state.session
        if replace(session, panel=opened.panel) != opened:
            self._earlier = session
            self._show_keys()

    @property
    def lacks(self) -> tuple[str, ...]:
        """Name what the key needs, unless there is a session to continue."""
        return () if self._earlier is not None and not self._state.session.begun else (EARLIER,)

    def action_resume(self) -> None:
        """Go to the session before this one, and to its panel; undo returns."""
        if self._earlier is None:
            self._app.say("there is no other session to continue")
            return
        self._state.go(self._earlier)
        self._app.to_panel(self._earlier.panel)
        self._app.say(f"{self._app.render_context.key('undo')} returns to the session before")
