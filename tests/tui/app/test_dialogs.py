"""Dialogs: one is over the app, and a key that comes late closes nothing else."""

from __future__ import annotations

import pytest

from tui_backprop.tui.screens.palette import PaletteScreen

DIALOGS = {"question_mark": "Reading the maps", "slash": "find a number", "C": "confusion matrix"}


@pytest.mark.parametrize("key", DIALOGS)
async def test_the_commands_take_the_place_of_a_dialog(open_app, key):
    async with open_app() as ui:
        before = ui.app.session
        await ui.press(key)
        assert DIALOGS[key] in ui.screen
        await ui.pilot.press("ctrl+p")
        await ui.until(lambda: "search commands" in ui.screen, "the commands")
        assert DIALOGS[key] not in ui.screen
        await ui.pilot.press("escape")
        await ui.until(lambda: len(ui.app.screen_stack) == 1, "the walk")
        assert ui.app.session == before


@pytest.mark.parametrize("key", DIALOGS)
async def test_a_key_for_a_dialog_that_was_left_does_not_close_the_commands(open_app, key):
    async with open_app() as ui:
        await ui.press(key)
        dialog = ui.app.screen
        ui.app.commands.action_command_palette()  # need not wait for what the dialog still has to read
        await dialog.action_dismiss()
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, PaletteScreen)
