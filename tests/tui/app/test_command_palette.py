"""The command palette has every action, and does it from anywhere; one table of keys is behind the widgets' bindings,
the key bar, the help and the palette."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from textual._compositor import Compositor

from tui_backprop.keys.panel_table import COST_PAGES, PLACES
from tui_backprop.keys.remap import remapped
from tui_backprop.keys.search_words import PAGE_COMMANDS, SEARCH_WORDS
from tui_backprop.keys.table import FORM_KEYS, KEYS, PANELS_OWN, ROWS, bar, key_of, own_keys
from tui_backprop.lesson.glossary import GLOSSARY
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.tui.app import screenshot
from tui_backprop.tui.app.app import BackpropApp
from tui_backprop.tui.panels.base import Panel
from tui_backprop.tui.panels.registry import find_panel, view_of
from tui_backprop.tui.screens.palette import PaletteScreen
from tui_backprop.tui.widgets.form_rows import Editor, FormView


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
    own = {(name, each.action) for each in Editor.BINDINGS for name in each.key.split(",")}
    assert own - form == {
        ("tab", "complete")
    }  # which goes to the next field where nothing is to be completed


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
        names = Counter(name for pairs in bar(place) for shown, _ in pairs for name in shown.split())
        assert [name for name, times in names.items() if times > 1] == [], place


FULL_UPDATE = Compositor.render_full_update  # tests draw without it


def offered(ui, query=""):
    return [command.id for command in ui.app.commands.find(query)]


def command(ui, name):
    return ui.app.commands.commands()[name][0]


async def test_every_action_page_and_word_is_offered_once_by_its_name_and_keys(open_app):
    async with open_app() as ui:
        found = ui.app.commands.find("")
        assert {each.id for each in found} >= {key.id for key in ROWS} - {"command_palette"}
        assert {*PAGE_COMMANDS, *(f"word('{term.word}')" for term in GLOSSARY)} <= {each.id for each in found}
        for names in (Counter(each.title for each in found), Counter(each.id for each in found)):
            assert [name for name, times in names.items() if times > 1] == []
        assert command(ui, "sweep").title == "Cost chart: start or stop a sweep"
        assert command(ui, "sweep").key == "S"
        assert command(ui, "step_on").key == "→ l"
        assert command(ui, "start_training").title == "Training: start training"


def test_search_words_are_of_commands_that_exist():
    assert {*SEARCH_WORDS} <= {*(key.id for key in ROWS), *PAGE_COMMANDS, "theme", "screenshot"}


# What people type, and what comes first.
TYPED = {
    "naive": "page('race')", "numerical": "page('race')", "perturb": "page('race')", "epsilon": "page('step_size')",
    "finite difference": "page('race')", "step size": "page('step_size')", "chain rule": "word('chain rule')",
    "autodiff": "panel('graph')", "derivative": "panel('curves')", "check": "page('race')", "race": "page('race')",
    "ledger": "page('ledger')", "claims": "page('claims')", "reuse": "page('reuse')", "accuracy": "panel('train')",
    "save": "token", "resume": "resume", "restart": "restart", "help": "help",
    "zero_grad": "panel('graph')", "detach": "panel('graph')", "no_grad": "panel('graph')", "stuck": "panel('flow')",
    "dead": "panel('flow')", "NaN": "panel('flow')", "memory": "page('ledger')", "kink": "page('step_size')",
    "dark": "theme('dark')", "theme": "theme('dark')", "quit": "quit", "undo": "undo", "bookmark": "set_bookmark",
    "how to restart": "restart",
}  # fmt: skip


async def test_what_people_type_finds_what_they_mean_and_the_best_match_is_first(open_app):
    async with open_app(theme="light") as ui:
        assert {typed: offered(ui, typed)[:1] for typed in TYPED} == {
            typed: [best] for typed, best in TYPED.items()
        }
        assert "word('zero_grad')" in offered(ui, "zero_grad")
        assert offered(ui, "xyzzy") == []


async def test_without_a_query_the_panel_s_own_come_first_and_no_token_does(open_app):
    async with open_app() as ui:
        assert offered(ui)[0] == "step_on"
        await ui.press("b")
        assert offered(ui)[0] == "rank(-1)"


async def test_among_equals_what_was_used_comes_first(open_app):
    async with open_app() as ui:
        before = offered(ui, "zoom")
        assert before.index("zoom_chart(1)") < before.index("zoom_chart(-1)")
        await ui.app.commands.run("zoom_chart(-1)")
        assert offered(ui, "zoom").index("zoom_chart(-1)") < offered(ui, "zoom").index("zoom_chart(1)")


async def test_a_page_opens_by_name_and_a_word_is_explained_in_the_help(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("ctrl+p", *"reuse", "enter")
        assert ui.focused == "reuse"
        await ui.press("ctrl+p", *"zero_grad", "down", "down", "enter")
        assert "Not needed here" in ui.screen
        assert ui.app.screen.query_one("Input").value == "zero_grad"


async def test_the_theme_is_switched_and_the_current_one_is_not_offered(open_app):
    async with open_app(theme="dark") as ui:
        assert not {"theme('dark')", "theme('colorless')"} & {*offered(ui)}
        await ui.press("ctrl+p", *"theme light", "enter")
        assert ui.app.theme == "light"
        assert "theme('dark')" in offered(ui)
    async with open_app(themes=()) as ui:
        assert not [name for name in offered(ui) if name.startswith("theme")]


async def test_a_screenshot_is_of_what_is_under_the_palette_and_names_no_address(
    open_app, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    async with open_app() as ui:
        monkeypatch.setattr(Compositor, "render_full_update", FULL_UPDATE)
        await ui.press("ctrl+p", *"screenshot", "enter")
        (file,) = tmp_path.glob("*.svg")
        text = file.read_text("utf-8").replace("&#160;", " ")
        assert "backprop-tui" in text
        assert "search commands" not in text
        assert not re.findall(r"https?://(?!www.w3.org/)", text)


async def test_a_screenshot_that_cannot_be_written_is_one_line(open_app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with open_app() as ui:
        monkeypatch.setattr(screenshot, "Path", lambda name: Path("nowhere") / name)
        await ui.press("ctrl+p", *"screenshot", "enter")
        (said,) = ui.app._notifications
        assert said.message.startswith("No screenshot: nowhere/backprop-tui-")
        assert said.message.endswith(".svg: No such file or directory")


@pytest.mark.parametrize("size", [(120, 40), (60, 18), (20, 5), (1, 1)])
async def test_the_palette_is_dismissed_once_at_any_size(open_app, size):
    """Two escapes in one read, and a key that opens and closes it."""
    async with open_app(size=size) as ui:
        await ui.press("ctrl+p")
        palette = ui.app.screen
        assert isinstance(palette, PaletteScreen)
        await ui.press("s", "down", "pagedown", "pageup", "backspace")
        palette.dismiss()
        palette.dismiss()
        await ui.settled()
        assert len(ui.app.screen_stack) == 1
        await ui.press("ctrl+p", "ctrl+p")
        assert len(ui.app.screen_stack) == 1


@pytest.mark.parametrize("place", [place for place in PLACES if place != "walk"])
async def test_a_panel_s_action_goes_to_the_panel_first(open_app, place):
    elsewhere = {key.id for key in PANELS_OWN if key.places != (place,)}
    own = [key for key in PANELS_OWN if key.places == (place,) and key.name and key.id not in elsewhere]
    row = next((key for key in own if "page" not in key.id), own[0] if own else None)
    if row is None or "page" in row.id or row.id.startswith("step"):
        pytest.skip("it has none of its own")
    async with open_app() as ui:
        await ui.app.commands.run(row.id)
        await ui.settled()
        assert ui.focused == place


async def test_actions_by_name_do_what_they_say(open_app):
    async with open_app() as ui:
        run = ui.app.commands.run
        await run("axis")
        assert ui.app.session.cost.axis == "passes"
        assert ui.app.current_panel == "cost"
        await run("change_step(1)")
        assert ui.app.session.cost.step_index == 13
        assert ui.app.current_panel == "step_size"
        await run("page(1)")  # from where one is
        assert ui.app.current_panel == COST_PAGES[COST_PAGES.index("step_size") + 1]
        await ui.settled()
        await run("scroll_ledger(1)")  # the panel's own
        assert ui.app.view("ledger")._first == 1
        await run("turn(1)")
        await ui.settled()
        assert ui.focused == "network"
        await run("view")
        await ui.settled()
        assert ui.focused == "walk"
        assert ui.app.session.walk.view == "histogram"
        await run("train")  # for everywhere: the panel stays
        await ui.settled()
        assert ui.focused == "walk"
        assert ui.app.session.t == 1


async def test_the_palette_shows_nothing_that_a_plain_terminal_does_not(open_app):
    async with open_app(context=ASCII) as ui:
        await ui.press("ctrl+p", *"sweep")
        assert ui.screen.isascii()
        first = next(row for row in ui.screen.splitlines() if "a sweep" in row)
        assert re.search(r"\|  Cost chart: start or stop a sweep {9,}S  \|", first)


OTHER = {
    "view": ("w",), "undo": ("ctrl+u",), "panel('walk')": ("W", "f3"), "sweep": ("M",), "stop_training": ("f11",),
    "page(1)": ("P",), "help": ("f1", "H"), "panel('train')": ("K",), "race": ("f9",), "restart": ("R",),
    "resume": ("Z",),
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
        assert command(ui, "sweep").key == "M"
        await ui.press("H")
        text = " ".join(ui.app.screen.query_one("HelpPage").text.split())
        assert "ctrl+u undoes it" in text
        assert "F1 H This help" in text
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
    rows = remapped({"panel('walk')": ("W", "f3"), "quit": ("J",)})
    assert ("F3", "walk", "Back to the walk.") in own_keys("network", rows)
    assert "quit" not in [word for _, word, _ in own_keys("network", rows)]
