"""The command palette has every action, and does it from anywhere; one table of keys is behind the widgets' bindings,
the key bar, the help and the palette."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tui_backprop.keys.panel_table import COST_PAGES, PLACES
from tui_backprop.keys.remap import remapped
from tui_backprop.keys.table import FORM_KEYS, KEYS, PANELS_OWN, ROWS, bar, key_of, own_keys
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.tui.app.app import BackpropApp
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.registry import find_panel, view_of
from tui_backprop.tui.widgets.form_rows import Editor, FormView


def commands(app):
    return {command.callback.args[0]: command for command in app.get_system_commands(app.screen)}


def test_every_row_but_the_form_has_a_panel_in_the_file_of_its_name():
    assert all(isinstance(find_panel(name), Panel) for name in PLACES if name != "network")


def test_a_panel_s_widget_has_the_keys_of_the_table_and_no_others():
    form = FormView(lambda columns, rows: [], UTF8)
    for place in PLACES:
        view = form if place == "network" else view_of(place, UTF8)
        named = {
            (name, key.action) for key in PANELS_OWN if key.places == (place,) for name in key.keys.split(",")
        }
        assert {(each.key, each.action) for _, each in view._bindings} == named, place
    assert {(each.key, each.action) for each in BackpropApp.BINDINGS} == {(k.keys, k.action) for k in KEYS}


def test_the_editor_of_a_text_has_the_form_s_keys_but_those_that_it_needs():
    form = {
        (name, key.action) for key in PANELS_OWN if key.places == ("network",) for name in key.keys.split(",")
    }
    assert {(each.key, each.action) for each in Editor.BINDINGS} <= form


def test_in_one_panel_a_key_has_one_meaning():
    for place in PLACES:
        names = Counter(n for key in PANELS_OWN if key.places == (place,) for n in key.keys.split(","))
        assert [name for name, times in names.items() if times > 1] == [], place


def test_every_row_has_a_name_for_the_palette():
    for key in PANELS_OWN:
        assert key.name or key.id in {each.id for each in KEYS}
    for action, _, _ in FORM_KEYS:
        assert key_of(action)


def test_the_key_bar_names_no_key_twice():
    for place in PLACES:
        names = Counter(name for shown, _ in bar(place) for name in shown.split())
        assert [name for name, times in names.items() if times > 1] == [], place


async def test_every_action_is_offered_once_by_its_name_and_keys(open_app):
    async with open_app() as ui:
        offered = list(ui.app.get_system_commands(ui.app.screen))
        assert {each.callback.args[0] for each in offered} == {key.id for key in ROWS}
        titles = Counter(each.title for each in offered)
        assert [title for title, times in titles.items() if times > 1] == []
        found = commands(ui.app)
        assert found["sweep"].title == "Cost chart: start or stop a sweep"
        assert found["sweep"].help == "key S"
        assert found["step_on"].help == "key → l"
        assert found["start_training"].title == "Training: start training"


@pytest.mark.parametrize("place", [place for place in PLACES if place != "walk"])
async def test_a_panel_s_action_goes_to_the_panel_first(open_app, place):
    row = next((key for key in PANELS_OWN if key.places == (place,) and key.name), None)
    row = next(
        (key for key in PANELS_OWN if key.places == (place,) and "page" not in key.id and key.name), row
    )
    if row is None or "page" in row.id or row.id.startswith("step"):
        pytest.skip("it has none of its own")
    async with open_app() as ui:
        await commands(ui.app)[row.id].callback()
        await ui.settled()
        assert ui.focused == place


async def test_actions_by_name_do_what_they_say(open_app):
    async with open_app() as ui:
        found = commands(ui.app)
        await found["axis"].callback()
        assert ui.app.session.cost.axis == "passes"
        assert ui.app.current_panel == "cost"
        await found["change_step(1)"].callback()
        assert ui.app.session.cost.step_index == 13
        assert ui.app.current_panel == "step_size"
        await found["page(1)"].callback()  # from where one is
        assert ui.app.current_panel == COST_PAGES[COST_PAGES.index("step_size") + 1]
        await ui.settled()
        await found["scroll_ledger(1)"].callback()  # the panel's own
        assert ui.app.view("ledger")._first == 1
        await found["turn(1)"].callback()
        await ui.settled()
        assert ui.focused == "network"
        await found["view"].callback()
        await ui.settled()
        assert ui.focused == "walk"
        assert ui.app.session.walk.view == "histogram"
        await found["train"].callback()  # for everywhere: the panel stays
        await ui.settled()
        assert ui.focused == "walk"
        assert ui.app.session.t == 1


async def test_the_palette_shows_nothing_that_a_plain_terminal_does_not(open_app):
    async with open_app(context=ASCII) as ui:
        await ui.pilot.press("ctrl+p")
        await ui.until(lambda: len(ui.app.screen_stack) == 2, "the palette")
        await ui.pilot.press(*"sweep")
        await ui.until(lambda: "Cost chart: start or stop a sweep" in ui.screen, "what is called so")
        assert ui.screen.isascii()
        first = next(row for row in ui.screen.splitlines() if "key " in row)
        assert first.split() == ["key", "S"]  # and not the key that quits


async def test_textual_s_own_commands_are_left_out(open_app):
    async with open_app() as ui:
        titles = {each.title.lower() for each in ui.app.get_system_commands(ui.app.screen)}
        assert not titles & {"theme", "screenshot", "maximize", "minimize", "keys"}


OTHER = {
    "view": ("w",), "undo": ("ctrl+u",), "panel('walk')": ("W", "f3"), "sweep": ("M",), "stop_training": ("f11",),
    "page(1)": ("P",), "help": ("f1", "H"), "panel('train')": ("K",), "race": ("f9",), "restart": ("R",),
}  # fmt: skip


@pytest.fixture
def other_keys(open_app):
    """The app with OTHER keys, as the command line hands them on."""
    context = replace(UTF8, keys=remapped(OTHER))

    def opened(*given, **more):
        return open_app(*given, context=context, **more)

    return opened


async def keymapped(ui):
    ui.app.set_keymap({action: ",".join(keys) for action, keys in OTHER.items()})


async def test_other_keys_work_and_are_named_wherever_keys_are(other_keys):
    async with other_keys() as ui:
        await keymapped(ui)
        await ui.press("w")
        assert ui.app.session.walk.view == "histogram"
        assert "(w)" in ui.walk
        assert "(v)" not in ui.walk
        assert " w view" in ui.keys
        assert " W walk" in ui.tabs.replace("  ", " ")
        assert commands(ui.app)["sweep"].help == "key M"
        await ui.press("H")
        text = " ".join(ui.app.screen.query_one("HelpPage").text.split())
        assert "ctrl+u undoes it" in text
        assert "F1 H This page" in text
        await ui.press("H")
        assert len(ui.app.screen_stack) == 1
        await ui.press("3")
        assert "P page" in ui.keys
        assert "M sweep" in ui.keys
        await ui.press("P")
        assert ui.focused == "claims"
        await ui.press("P")
        assert "F9 starts it" in ui.screen
        await ui.press("b", "down", "x")
        assert "ctrl+u undoes it" in ui.screen


async def test_a_key_that_was_given_away_does_nothing_any_more(other_keys):
    async with other_keys() as ui:
        await keymapped(ui)
        before = ui.app.session
        await ui.press("v", "t", "u")
        assert ui.app.session.walk.view == "map"
        assert ui.app.session != before  # u undoes nothing


def test_the_form_names_keys_that_can_be_pressed_there():
    assert ("F3", "walk", "Back to the walk.") in own_keys("network")
    rows = remapped({"panel('walk')": ("W", "f3"), "quit": ("Q",)})
    assert ("F3", "walk", "Back to the walk.") in own_keys("network", rows)
    assert "quit" not in [word for _, word, _ in own_keys("network", rows)]
