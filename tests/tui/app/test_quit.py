"""Leaving while something is under way: asked once, in the key bar; any other key takes the question back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.remap import remapped
from tui_backprop.render.draw.context import UTF8
from tui_backprop.session.state import Session
from tui_backprop.tui.widgets.screen_bars import KeyBar

LONG = replace(Session(), network=NetworkSpec((784, 128, 10)))  # its race lasts some seconds
SHOWN = KeyBar.SECONDS
ASKED = "a race is running: q again stops it and quits"


async def racing(ui):
    await ui.app.run_action("panel('race')")
    await ui.pilot.press("enter")
    await ui.until(lambda: ui.app.cost_lab.race.running, "the race")


def left(ui) -> bool:
    return ui.app._exit


async def test_with_nothing_under_way_one_key_quits(open_app):
    async with open_app() as ui:
        await ui.pilot.press("q")
        assert left(ui)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_a_race_is_named_and_the_second_key_quits(open_app, key):
    async with open_app(LONG) as ui:
        await racing(ui)
        await ui.pilot.press(key)
        assert ASKED in ui.keys
        assert not left(ui)
        assert ui.app.cost_lab.race.running
        await ui.pilot.press(key)
        assert left(ui)


@pytest.mark.parametrize("dialog", ["question_mark", "slash", "ctrl+p", "C"])
async def test_in_a_dialog_ctrl_q_quits_and_q_does_not(open_app, dialog):
    async with open_app() as ui:
        await ui.press(dialog)
        await ui.until(lambda: len(ui.app.screen_stack) == 2, "the dialog")
        await ui.pilot.press("q")
        assert not left(ui)
        if len(ui.app.screen_stack) < 2:  # of which q takes leave
            await ui.press(dialog)
            await ui.until(lambda: len(ui.app.screen_stack) == 2, "the dialog")
        await ui.pilot.press("ctrl+q")
        assert left(ui)


async def test_in_a_dialog_it_asks_too(open_app):
    async with open_app(LONG) as ui:
        await racing(ui)
        await ui.press("question_mark")
        await ui.pilot.press("ctrl+q")
        assert ASKED in ui.keys
        assert not left(ui)
        await ui.pilot.press("ctrl+q")
        assert left(ui)


async def test_any_other_key_takes_it_back_and_does_what_it_does(open_app):
    async with open_app(LONG) as ui:
        await racing(ui)
        await ui.pilot.press("q", "n")
        await ui.until(lambda: ui.app.session.sample == 1, "the next sample")
        assert "again" not in ui.keys
        await ui.pilot.press("q")
        assert ASKED in ui.keys
        assert not left(ui)
        await ui.pilot.press("escape")  # calls the race off, as ever
        await ui.until(lambda: not ui.app.cost_lab.race.running, "the end of the race")
        await ui.pilot.press("q")
        assert left(ui)


async def test_the_question_stays_longer_than_other_notices(open_app):
    async with open_app(LONG) as ui:
        await racing(ui)
        await ui.pilot.press("q")
        assert ASKED in ui.keys
        assert ui.app.query_one(KeyBar)._timer._interval > 2 * SHOWN


async def test_training_and_a_race_are_named_together(open_app):
    async with open_app(LONG) as ui:
        await ui.press("T", *["plus"] * 9)
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.running, "training")
        await ui.pilot.press("q")
        assert "training is running: q again stops it and quits" in ui.keys
        await racing(ui)
        await ui.pilot.press("q")
        assert "race and training running: q again stops them and quits" in ui.keys
        await ui.pilot.press("q")
        assert left(ui)


async def test_a_sweep_is_named(open_app):
    async with open_app() as ui:
        await ui.press("3", "S")
        await ui.pilot.press("q")
        assert "a sweep is running" in ui.keys
        await ui.pilot.press("S", "q")
        assert left(ui)


async def test_on_a_narrow_screen_the_question_is_shorter(open_app):
    async with open_app(LONG, size=(60, 18)) as ui:
        await racing(ui)
        await ui.pilot.press("q")
        assert "a race is running: q again quits" in ui.keys


async def test_by_name_it_is_asked_too_and_a_second_time_it_quits(open_app):
    async with open_app(LONG) as ui:
        await racing(ui)
        for times in (1, 2):
            await ui.pilot.press("ctrl+p", *"quit")
            await ui.pilot.press("enter")
            await ui.until(lambda: len(ui.app.screen_stack) == 1, "the palette to close")
            await ui.until(lambda: left(ui) or ASKED in ui.keys, "an answer")
            if times == 1:
                assert ASKED in ui.keys
                assert not left(ui)
        assert left(ui)


async def test_another_key_that_quits_is_named_and_asks(open_app):
    keys = {"quit": ("J",)}
    async with open_app(LONG, context=replace(UTF8, keys=remapped(keys))) as ui:
        ui.app.set_keymap({"quit": "J"})
        await racing(ui)
        await ui.pilot.press("q")
        assert "again" not in ui.keys
        await ui.pilot.press("J")
        assert "a race is running: J again stops it and quits" in ui.keys
        await ui.pilot.press("J")
        assert left(ui)
