"""Keys of the app as a whole: help, redrawing."""

from __future__ import annotations

from textual.app import App

from tui_backprop.tui.app.app_interface import AppContext


class General:
    """Actions that belong to no panel."""

    def __init__(self, app: AppContext, screen: App[None]) -> None:
        self._app, self._screen = app, screen

    def action_help(self) -> None:
        from tui_backprop.tui.screens.help import HelpScreen

        self._app.open_dialog(HelpScreen(self._app.render_context, self._app.current_panel))

    def action_redraw(self) -> None:
        """Redraw the whole screen, whatever is on it."""
        redraw = getattr(self._screen._driver, "redraw", self._screen.refresh)  # the driver of tests has none
        redraw()
