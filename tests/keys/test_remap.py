"""Other keys: what is called how, which clash, and what the key bar calls them then."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.binding import Binding
from textual.keys import _character_to_key

from tui_backprop.cli.settings import Settings
from tui_backprop.keys.key_names import shown_key
from tui_backprop.keys.remap import ACTIONS, checked_keys, read_key, remapped
from tui_backprop.keys.table import KEYS, ROWS
from tui_backprop.support.errors import UserError


def shown(other, action):
    return next(key.shown for key in remapped(other) if key.action == action)


@pytest.mark.parametrize("character", [chr(code) for code in range(32, 127)])
def test_characters_have_the_names_that_textual_gives_them(character):
    assert read_key(character) == _character_to_key(character)
    assert read_key(read_key(character)) == read_key(character)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.action)
def test_every_key_there_is_is_known(key):
    for name in key.keys.split(","):
        assert read_key(name) == name


@pytest.mark.parametrize(
    "text", ["", "  ", "rihgt", "ctrl", "ctrl+", "+ctrl", "strg+x", "f99", "a,b", "\x1b", 1, None, []]
)
def test_what_is_no_key_is_none(text):
    assert read_key(text) is None


@pytest.mark.parametrize(
    "text", ["ctrl+x", "ctrl+shift+left", "f12", "pageup", "question_mark", "less_than_sign", "é"]
)
def test_what_is_a_key_is_one(text):
    assert read_key(text) == text


def test_the_table_as_it_is_has_no_clash():
    assert checked_keys({action: key.keys.split(",") for action, key in ACTIONS.items()}) == {
        action: tuple(key.keys.split(",")) for action, key in ACTIONS.items()
    }


def test_an_action_has_the_same_keys_wherever_it_works():
    for key in ROWS:
        assert ACTIONS.get(key.id, key).keys == key.keys, key.id


def test_two_may_change_places():
    assert checked_keys({"view": ["g"], "grain": ["v"]}) == {"view": ("g",), "grain": ("v",)}


def test_one_key_may_do_two_things_in_two_places():
    (clock,) = [key for key in KEYS if key.action == "clock"]
    assert "walk" not in clock.places
    assert checked_keys({"view": [clock.keys]}) == {"view": (clock.keys,)}


@pytest.mark.parametrize("table", [{"view": ["g"]}, {"view": ["w"], "grain": ["w"]}, {"quit": ["?"]}])
def test_one_key_may_not_do_two_things_in_one_place(table):
    with pytest.raises(UserError, match=r"is already a key of \S+; choose another"):
        checked_keys(table)


def test_nothing_chosen_leaves_the_table_as_it_is():
    assert remapped({}) == ROWS
    assert remapped({action: tuple(key.keys.split(",")) for action, key in ACTIONS.items()}) == ROWS


def test_the_key_bar_names_the_keys_that_were_chosen():
    assert shown({"view": ("w", "f8")}, "view") == "w"
    assert shown({"help": ("ctrl+question_mark",)}, "help") == "ctrl+?"
    assert shown({"step_on": ("full_stop",), "step_back": ("comma",)}, "step_on") == ", ."
    assert shown({"step_back": ("comma",)}, "step_on") == ", →"
    assert shown({"unit(1)": ("J",)}, "unit(-1)") == "↑ J"
    assert shown({"layer(-1)": ("left_curly_bracket",)}, "layer(1)") == "{ ]"
    assert shown({"redo": ("ctrl+y",)}, "redo") == ""
    assert shown_key("pagedown") == "page down"


async def test_textual_takes_the_keymap_as_it_is():
    done = []

    class Small(App[None]):
        BINDINGS = [Binding(key.keys, f"note('{i}')", id=key.action) for i, key in enumerate(KEYS)]  # noqa: RUF012

        def action_note(self, which: str) -> None:
            done.append(KEYS[int(which)].action)

    app = Small()
    async with app.run_test() as pilot:
        app.set_keymap(Settings(keys=checked_keys({"view": ["w", "%"], "unit(1)": ["é"]})).keymap)
        await pilot.press("w", "%", "é", "v", "j", "g")
    assert done == ["view", "view", "unit(1)", "grain"]
