"""The help, and the table of keys that it is made from."""

from __future__ import annotations

from collections import Counter

import pytest

from tui_backprop.keys.panel_table import PLACES
from tui_backprop.keys.table import (
    KEYS,
    PANELS_OWN,
    ROWS,
    bar,
    everywhere,
    names_of,
    own_keys,
    worded,
)
from tui_backprop.lesson.glossary import GLOSSARY
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.session.state import Session
from tui_backprop.tui.app.app import BackpropApp
from tui_backprop.tui.panels.registry import view_of
from tui_backprop.tui.screens.help import WORD, HelpPage, help_lines

APP = BackpropApp(Session(), UTF8)


def test_every_key_is_in_the_table_once():
    names = Counter(name for key in KEYS for name in key.keys.split(","))
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("key", KEYS, ids=[key.keys for key in KEYS])
def test_every_action_in_the_table_is_one_of_the_app(key):
    assert callable(getattr(APP, f"action_{key.action.partition('(')[0]}"))


@pytest.mark.parametrize("panel", ["walk", "cost", "network"])
def test_the_key_bar_names_only_keys_that_work_in_its_panel(panel):
    words = dict(pair for pairs in bar(panel) for pair in pairs)
    assert words
    own = {shown for shown, _, _ in own_keys(panel)}
    for shown in set(words) - own:
        assert any(key.shown == shown and panel in key.places for key in KEYS)


async def test_help_opens_with_a_question_mark_and_closes_with_any_of_its_keys(open_app):
    async with open_app() as ui:
        before = ui.screen
        for key in ("?", "enter", "escape", "f1", "ctrl+g"):
            await ui.press("?")
            assert "Reading the maps" in ui.screen
            await ui.press(key)
            assert ui.app.is_running
            assert ui.screen == before


async def test_help_lists_every_key(open_app):
    async with open_app() as ui:
        await ui.press("?")
        text = " ".join(ui.app.screen.query_one(HelpPage).text.split())
        for key in ROWS:
            assert worded(key.help) in text


@pytest.mark.parametrize("size", [(60, 18), (120, 40)])
async def test_help_can_be_read_to_its_end(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("?")
        page = ui.app.screen.query_one("#help-scroll")
        for key in ["pagedown"] * (page.max_scroll_y // page.size.height + 1):
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
        assert "In the bookmarks panel" not in ui.screen  # further down


async def test_every_key_is_in_the_command_palette(open_app):
    async with open_app() as ui:
        offered = {command.help for command in ui.app.commands.find("")}
        assert {worded(key.help) for key in KEYS} - offered == {"Search all commands, pages and words."}


def test_no_key_that_a_panel_has_for_itself_is_among_those_that_work_everywhere():
    for panel in set(PLACES) - {"network"}:
        own = {binding.key: binding.action for _, binding in view_of(panel, UTF8)._bindings}
        for key in everywhere(panel):
            names = key.keys.split(",")
            assert own.get(names[0], key.action).removeprefix("app.") == key.action, (panel, names)


def test_a_key_means_one_thing_in_the_part_of_the_help_that_is_about_a_panel():
    for panel in PLACES:
        text = [plain(row) for row in help_lines(UTF8, 74, panel)]
        rest = next(i for i, row in enumerate(text) if i > 30 and row.startswith("In the "))
        text = text[:rest]
        if "Reading the maps" in text:
            start = text.index("Reading the maps")
            text = [*text[:start], *text[text.index("", start) :]]
        names = [name for row in text if row.startswith("  ") for name in row[2:12].split()]
        twice = [name for name, times in Counter(names).items() if times > 1]
        assert not set(twice) - {"F1", "F3", "ctrl+q"}, (panel, twice)
        assert sum(row.startswith("  m ") for row in text) <= 1


def test_keys_that_work_in_few_panels_stand_with_those():
    text = "\n".join(plain(row) for row in help_lines(UTF8, 74, "blame"))
    assert "Switch the clock" not in text[: text.index("In the cost panel")]
    assert text.count("Switch the clock: ") == 2  # the chart and the claims
    assert names_of(KEYS[0]) == "→ l"


@pytest.mark.parametrize("place", PLACES)
async def test_every_panel_and_page_has_its_own_help_first_and_says_how_the_lesson_is_found(open_app, place):
    async with open_app() as ui:
        await ui.app.panels.action_panel(place)
        await ui.settled()
        await ui.press("f1")
        text = ui.app.screen.query_one(HelpPage).text.splitlines()
        assert text[0] == f"In the {place.replace('_', ' ')} panel"
        first = " ".join(" ".join(text[: text.index("")]).split())
        assert all(worded(key.help) in first for key in PANELS_OWN if key.places == (place,))
        assert any(row.split()[:4] == ["L", "Show", "the", "lesson,"] for row in text)
        assert any("Search all commands" in row for row in text)


async def test_typing_filters_the_help(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("3", "?", *"spsa")
        page = ui.app.screen.query_one(HelpPage)
        assert page.text.splitlines()[0] == "Words of the cost panel"
        assert "Simultaneous perturbation" in page.text
        assert "scroll" not in page.text.lower()
        await ui.press(*["backspace"] * 4, *"qqq")
        assert page.text == "nothing in the help has this"
        await ui.press("ctrl+u")
        assert "In the cost panel" in page.text
        await ui.press("?")
        assert len(ui.app.screen_stack) == 1


JARGON = {
    "cost": ("SPSA", "±", "letter", "naive", "batched", "P"), "race": ("SPSA", "epsilon, h"), "step_size": ("kink",),
    "walk": ("sign",), "flow": ("stuck", "dead unit", "saturated", "twin units", "rms"), "train": ("loss",),
    "blame": ("1st-order", "w×dW", "pull"),
}  # fmt: skip


@pytest.mark.parametrize("panel", JARGON)
def test_the_words_of_a_panel_are_explained_in_its_help(panel):
    text = [plain(row) for row in help_lines(UTF8, 74, panel)]
    start = text.index(f"Words of the {panel.replace('_', ' ')} panel")
    assert start < next(i for i, row in enumerate(text) if row.startswith("Everywhere"))
    for word in JARGON[panel]:
        assert any(row[2:].startswith(word + " ") for row in text[start:]), word


def test_no_word_is_explained_twice_and_each_fits_its_column():
    words = Counter(term.word for term in GLOSSARY)
    assert max(words.values()) == 1
    assert max(map(len, words)) < WORD - 2
    assert all(term.meaning.endswith(".") and {*term.panels} <= {*PLACES} for term in GLOSSARY)
