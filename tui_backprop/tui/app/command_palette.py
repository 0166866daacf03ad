"""The command palette: every action of the key table by name, from any panel."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import App, SystemCommand
from textual.command import CommandPalette

from tui_backprop.keys.panel_table import PANEL_ROWS, PLACES
from tui_backprop.keys.table import Key, names_of
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.panel_focus import Panels
from tui_backprop.tui.screens.dialog import Dialog


class CommandList:
    """Offer the actions by name, and run them."""

    def __init__(self, app: AppContext, screen: App[None], panels: Panels) -> None:
        self._app, self._screen, self._panels = app, screen, panels

    def action_command_palette(self) -> None:
        """Open the list of commands, in place of a dialog."""
        if isinstance(self._screen.screen, Dialog):
            self._screen.screen.dismiss()
        if not CommandPalette.is_open(self._screen):  # type: ignore[arg-type]  # an app that returns nothing
            self._screen.push_screen(CommandPalette(id="--command-palette", placeholder="search commands"))

    def commands(self) -> Iterable[SystemCommand]:
        """Yield a command for each action. Textual's own commands (themes, a screenshot, a panel of keys) are left
        out: the app has its own."""
        context = self._app.render_context
        for action, rows in self._actions().items():
            key = rows[0]
            title = context.words(key.help).rstrip(".")
            if key.own:
                title = f"{PANEL_ROWS[key.places[0]].command}: {key.name}"
            places = tuple(place for row in rows for place in row.places)
            yield SystemCommand(
                title, f"key {context.text(names_of(key))}", partial(self._run, action, places)
            )

    def _actions(self) -> dict[str, list[Key]]:
        """Return the rows of each action; those that work everywhere come first."""
        found: dict[str, list[Key]] = {}
        for key in self._app.render_context.keys:
            found.setdefault(key.id, []).append(key)
        return found

    async def _run(self, action: str, places: tuple[str, ...]) -> None:
        """Run an action; if it belongs to panels other than the current one, open the first of those before."""
        if not set(PLACES) <= set(places) and self._panels.current not in places:
            await self._panels.open(places[0])
        key = next(key for key in self._app.render_context.keys if key.id == action)
        view = self._app.view(self._panels.current) if key.own else None
        await self._screen.run_action(key.action, view)
