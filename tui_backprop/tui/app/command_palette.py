"""Everything by name: the command palette has every action of the table of keys, from wherever it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import SystemCommand
from textual.command import CommandPalette
from textual.screen import Screen

from tui_backprop.keys.table import Key, names_of
from tui_backprop.session.state import COST_PAGES, PLACES
from tui_backprop.tui.app.panels import Panels
from tui_backprop.tui.screens.dialog import Dialog

# What a panel is called where it is not in sight.
CALLED = {
    "network": "Network", "blame": "Blame", "number": "Number", "graph": "Graph", "flow": "Flow", "curves": "Curves",
    "train": "Training", "marks": "Bookmarks", "cost": "Cost chart", "claims": "Cost", "race": "Race",
    "dial": "Step dial", "ledger": "Ledger", "reuse": "Reuse",
}  # fmt: skip


class Everything(Panels):
    """The part of the app that offers its actions by name."""

    def action_command_palette(self) -> None:
        """Open the list of commands, in place of a dialog."""
        if isinstance(self.screen, Dialog):
            self.screen.dismiss()
        if not CommandPalette.is_open(self):  # type: ignore[arg-type]  # an app that returns nothing
            self.push_screen(CommandPalette(id="--command-palette", placeholder="what to do"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own (themes, a screenshot, a panel of keys) are left out: the app has its own ways for them."""
        for action, rows in self._actions().items():
            key = rows[0]
            title = (
                f"{CALLED[key.places[0]]}: {key.name}"
                if key.own
                else self.render_context.words(key.help).rstrip(".")
            )
            places = tuple(place for row in rows for place in row.places)
            keys = self.render_context.text(names_of(key))
            yield SystemCommand(title, f"key {keys}", partial(self._run, action, places))

    def _actions(self) -> dict[str, list[Key]]:
        """The rows of each action; those for everywhere come first."""
        found: dict[str, list[Key]] = {}
        for key in self.render_context.keys:
            found.setdefault(key.id, []).append(key)
        return found

    async def _run(self, action: str, places: tuple[str, ...]) -> None:
        """Do it; where it belongs to other panels than the current one, go to the first of those before."""
        if not set(PLACES) <= set(places) and self._panel not in places:
            if places[0] in COST_PAGES:
                self._page = places[0]
            await self.action_panel(places[0])
        key = next(key for key in self.render_context.keys if key.id == action)
        await self.run_action(key.action, self.view(self._panel) if key.own else None)
