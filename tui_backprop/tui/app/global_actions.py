"""Keys of the app as a whole: help, token, redrawing."""

from __future__ import annotations

from textual.app import App

from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.state import AppState
from tui_backprop.tui.app.tour import Tour


class General:
    """Actions that belong to no panel."""

    def __init__(self, app: AppContext, screen: App[None], state: AppState, tour: Tour) -> None:
        self._app, self._screen, self._state, self._tour = app, screen, state, tour

    def action_token(self) -> None:
        """Show a token of what is on the screen, and copy it to the clipboard."""
        from tui_backprop.session.share_token import encode

        try:
            token = encode(self._state.placed)
        except UserError as error:
            self._app.fail(f"No token: {error.message}")
            return
        self._screen.copy_to_clipboard(token)
        self._app.inform(token, "copied, if the terminal allows it; for --open (esc closes this)", 20)

    def action_help(self) -> None:
        from tui_backprop.tui.screens.help import HelpScreen

        self._app.open_dialog(HelpScreen(self._app.render_context, self._app.current_panel))
        self._tour.follow(helped=True)

    def action_redraw(self) -> None:
        """Redraw the whole screen, whatever is on it."""
        redraw = getattr(self._screen._driver, "redraw", self._screen.refresh)  # the driver of tests has none
        redraw()
