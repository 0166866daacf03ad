"""Dialogs: one is over the app, and a key that comes late closes nothing else."""

from __future__ import annotations

import asyncio

import pytest

from tui_backprop.tui.screens.palette import PaletteScreen
from tui_backprop.tui.widgets.screen_bars import StatusBar

DIALOGS = {
    "question_mark": "Reading the maps",
    "slash": "find a number",
    "C": "confusion matrix",
    "Q": "quiz",
}


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


@pytest.mark.parametrize(
    "keys", [(), *((key,) for key in DIALOGS), ("ctrl+p",), ("ctrl+p", "ctrl+p"), ("1",), ("1", "x")]
)
@pytest.mark.parametrize("size", [(120, 40), (40, 10)])
async def test_redrawing_and_suspending_work_everywhere(open_app, monkeypatch, keys, size):
    done = []
    async with open_app() as ui:
        for name in ("redraw", "suspend_process"):
            monkeypatch.setattr(ui.app, f"action_{name}", lambda name=name: done.append(name))
        await ui.press(*keys)
        await ui.pilot.resize_terminal(*size)
        await ui.pilot.press("ctrl+l", "ctrl+z")
        assert done == ["redraw", "suspend_process"]


async def test_they_wait_for_no_computation(open_app, monkeypatch, gate):
    done = []
    async with open_app() as ui:
        monkeypatch.setattr(ui.app, "action_redraw", lambda: done.append("redraw"))
        await ui.choose("preset", "xor")
        gate.shut()
        await ui.pilot.press("enter", "f3", "right", "right", "ctrl+l")
        await ui.until(lambda: ui.app.key_queue.waits, "a key that waits")
        assert done == ["redraw"]
        gate.open()


async def test_a_key_that_quits_does_not_wait_long_behind_another(open_app, gate):
    async with open_app() as ui:
        await ui.choose("preset", "xor")
        gate.shut()
        await ui.pilot.press("enter", "f3", "right", "right", "q")
        await ui.until(lambda: not ui.app.is_running, "the end")
        gate.open()


@pytest.mark.parametrize("key", DIALOGS)
async def test_the_panel_behind_a_dialog_keeps_its_highlight(open_app, key):
    async with open_app() as ui:
        await ui.press(key)
        await ui.press("escape")
        assert [frame.id for frame in ui.app.query(".lit")] == ["walk"]


@pytest.mark.parametrize("key", [*DIALOGS, "B", "semicolon"])
async def test_a_panel_that_is_opened_behind_a_dialog_takes_no_keys_from_it(open_app, key):
    async with open_app() as ui:
        await ui.press(key)
        dialog = ui.app.screen
        ui.app.to_panel("flow")
        await ui.settled()
        assert dialog in ui.app.focused.ancestors
        await ui.press("escape")
        assert len(ui.app.screen_stack) == 1
        assert ui.focused == "flow"


async def test_what_a_worker_finds_while_the_app_ends_is_dropped(open_app):
    async with open_app() as ui:
        called = []
        await ui.app.query_one(StatusBar).remove()
        await asyncio.to_thread(ui.app.call_from_thread, called.append, 1)
        assert not called
        await ui.app.mount(StatusBar(ui.app.render_context))
        await asyncio.to_thread(ui.app.call_from_thread, called.append, 2)
        assert called == [2]
