"""The help, and the table of keys that it is made from."""

from __future__ import annotations

from collections import Counter

import pytest

from tui_backprop.ui.app import BackpropApp
from tui_backprop.ui.keys import KEYS, PANEL_KEYS, bar
from tui_backprop.ui.screens.help import HelpPage


def test_every_key_is_in_the_table_once():
    names = Counter(name for key in KEYS for name in key.keys.split(","))
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("key", KEYS, ids=[key.keys for key in KEYS])
def test_every_action_in_the_table_is_one_of_the_app(key):
    assert callable(getattr(BackpropApp, f"action_{key.action.partition('(')[0]}"))


@pytest.mark.parametrize("panel", ["walk", "cost", "network"])
def test_the_key_bar_names_only_keys_that_work_in_its_panel(panel):
    words = dict(bar(panel))
    assert words
    own = {shown for shown, _, _ in PANEL_KEYS[panel]}
    for shown in set(words) - own:
        assert any(key.shown == shown and panel in key.places for key in KEYS)


async def test_help_opens_with_a_question_mark_and_closes_with_any_of_its_keys(open_app):
    async with open_app() as ui:
        before = ui.screen
        for key in ("?", "q", "escape", "f1"):
            await ui.press("?")
            assert "Reading the maps" in ui.screen
            await ui.press(key)
            assert ui.app.is_running
            assert ui.screen == before


async def test_help_lists_every_key(open_app):
    async with open_app() as ui:
        await ui.press("?")
        text = " ".join(ui.app.screen.query_one(HelpPage).text.split())
        for key in KEYS:
            assert key.help in text
        for rows in PANEL_KEYS.values():
            for _, _, words in rows:
                assert words in text


@pytest.mark.parametrize("size", [(60, 18), (120, 40)])
async def test_help_can_be_read_to_its_end(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("?")
        page = ui.app.screen.query_one("#help")
        for key in ["down"] * (page.max_scroll_y + 1):
            await ui.press(key)
        assert page.is_vertical_scroll_end
        assert "count from 0" in ui.screen


async def test_keys_behind_the_help_do_not_step(open_app):
    async with open_app() as ui:
        await ui.press("?", "right", "t", "n", "?")
        assert ui.app.session == type(ui.app.session)()


async def test_f1_opens_the_help_from_a_text_field(open_app):
    async with open_app() as ui:
        await ui.press("f2", "f1")
        assert "In the network panel" in ui.screen


async def test_the_help_begins_with_the_panel_that_has_the_keys(open_app):
    async with open_app() as ui:
        await ui.press("b", "question_mark")
        assert "In the blame panel" in ui.screen
        assert "In the marks panel" not in ui.screen  # further down


async def test_every_key_is_in_the_command_palette(open_app):
    async with open_app() as ui:
        offered = {command.title for command in ui.app.get_system_commands(ui.app.screen)}
        assert {key.help.rstrip(".") for key in KEYS} <= offered
