"""Bad values in the network form: said at once, with what would be right, and nothing is lost."""

from __future__ import annotations

import re

import pytest

from tui_backprop.data.catalogue import GIVEN
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.session.form_fields import FIELDS
from tui_backprop.session.state import Session, from_preset

LABELS = {field.name: field.label for field in FIELDS}
BAD = [
    ("layers", "abc", '"abc" is not a positive whole number'),
    ("layers", "784,x,10", '"x" is not a positive whole number'),
    ("layers", "784,-5,10", '"-5" is not a positive whole number'),
    ("layers", "784,0,10", '"0" is not a positive whole number'),
    ("layers", "784,2.5,10", '"2.5" is not a positive whole number'),
    ("layers", "784", "needs at least two sizes"),
    ("layers", "", "no sizes given"),
    ("layers", "100,10", "digits has 784 inputs per sample, but the network takes 100; write 784,10"),
    ("layers", "2,8", "digits has 784 inputs per sample, but the network takes 2; write 784,10"),
    ("layers", "784,32,7", "digits has 10 classes, but the network has 7 outputs; write 784,32,10"),
    ("sample", "4000", "4000 is out of range; digits has samples 0 to 3999"),
    ("sample", "-1", "is not a whole number, 0 or more"),
    ("batch", "0", "is not a positive whole number"),
    ("lr", "-1", "is not a positive number, such as 0.1"),
    ("lr", "nan", "is not a positive number, such as 0.1"),
    ("lr", "much", "is not a positive number, such as 0.1"),
    ("seed", "pi", "is not a whole number, 0 or more"),
    ("dropout", "1", "is not a number between 0 and 1 (1 excluded)"),
    ("dropout", "-0.1", "is not 0 or a positive number"),
    ("dropout", "half", "is not 0 or a positive number"),
    ("l2", "-1", "is not 0 or a positive number"),
    ("l2", "", "is not 0 or a positive number"),
    ("weight-decay", "-1", "is not 0 or a positive number"),
    ("weight-decay", "nan", "is not 0 or a positive number"),
]


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _, _ in BAD))
async def test_a_bad_value_is_named_while_it_is_typed_and_the_last_good_network_stays(open_app, name):
    async with open_app() as ui:
        await ui.press("right")
        session, walk, status = ui.app.session, ui.walk, ui.status
        await ui.to_field(name)
        for text, said in ((text, said) for field, text, said in BAD if field == name):
            await ui.type(text)
            assert ui.message.startswith(f"{LABELS[name]}: ")
            assert said in ui.message
            assert "nothing changes until it is valid" in ui.message
            await ui.press("enter")
            assert ui.app.session == session
            assert (ui.walk, ui.status) == (walk, status)
            assert re.search(rf"^{LABELS[name]} *!", ui.form, re.MULTILINE)


async def test_a_billion_units_get_both_figures_of_memory(open_app):
    async with open_app() as ui:
        await ui.to_field("layers")
        await ui.type("784,1000000000,10")
        figures = re.search(r"need ([\d.,]+) (\w+) of memory; ([\d.,]+) (\w+) is free", ui.message)
        assert figures, ui.message
        assert figures[2] in ("TB", "PB")
        await ui.press("enter")
        assert "784·256·256·256·10" in ui.status


async def test_a_corrected_value_takes_the_message_away(open_app):
    async with open_app() as ui:
        clean = ui.form
        await ui.to_field("layers")
        await ui.type("784,256,256,256")
        assert "layers: " in ui.message
        await ui.type("784,256,256,256,10")
        assert "layers: " not in ui.message
        await ui.press("f3")
        assert ui.form == clean


async def test_label_losses_are_refused_for_real_valued_data(open_app):
    async with open_app() as ui:
        await ui.choose("data", "sine")
        await ui.choose("loss", "cross-entropy")
        assert "loss: cross-entropy needs class labels" in ui.message
        assert "choose mse or half-squares" in ui.message


async def test_what_looks_like_markup_is_shown_as_it_was_typed(open_app):
    async with open_app() as ui:
        await ui.to_field("seed")
        for text in ("[red]x[/red]", "[", "[/]", "[bold", "\\[x]"):
            await ui.type(text)
            assert f'"{text}" is not a whole number' in ui.message
            assert text in ui.field("seed")
            assert text in ui.screen


async def test_a_bad_field_does_not_keep_the_choices_from_turning(open_app):
    async with open_app() as ui:
        await ui.to_field("layers")
        await ui.type("oops")
        await ui.to_field("data")
        await ui.press("right")
        assert "xor" in ui.field("data")
        assert "oops" in ui.field("layers")


async def test_a_list_of_activations_that_does_not_fit_the_layers_is_told(open_app):
    async with open_app(Session(NetworkSpec((784, 30, 20, 10), "relu,tanh"))) as ui:
        await ui.to_field("layers")
        await ui.type("784,30,10")
        assert "activation: 2 names for 1 hidden layers" in ui.message
        await ui.choose("activation", "gelu")
        assert "activation: " not in ui.message
        await ui.press("enter")
        assert ui.app.session.network == NetworkSpec((784, 30, 10), "gelu")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_a_broken_value_says_how_it_is_taken_back_also_when_one_comes_back(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("1", "4")  # a digit is text in a field
        assert "F5 blame" in ui.tabs
        await ui.press("f5")
        assert ui.focused == "blame"
        assert " 4 blame " in ui.tabs
        await ui.press("f2")
        beside = 38 if size[0] == 80 else 0  # columns of the fields, where the message stands beside them
        assert re.search(r"^layers +!4\b", ui.form, re.MULTILINE)
        text = " ".join(" ".join(row[beside:] for row in ui.form.splitlines()).split())
        assert "needs at least two sizes" in text
        assert "esc reverts it" in text
        await ui.press("escape")
        assert ui.field("layers").startswith("784,256")
        assert "reverts it" not in ui.form


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_escape_leads_back_to_the_walk_once_nothing_is_left_to_revert(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("1", "4", "escape")
        assert ui.focused == "network"
        await ui.press("escape")
        assert ui.focused == "walk"


@pytest.mark.parametrize(
    ("key", "panel"),
    [
        ("f6", "number"),
        ("f7", "graph"),
        ("f8", "flow"),
        ("f9", "curves"),
        ("f10", "train"),
        ("f12", "bookmarks"),
    ],
)
async def test_every_panel_is_reached_from_a_field(open_app, key, panel):
    async with open_app(size=(80, 24)) as ui:
        await ui.to_field("seed")
        await ui.press(key)
        assert ui.focused == panel


async def test_what_is_not_built_yet_says_how_it_is_taken_back(open_app):
    async with open_app() as ui:
        await ui.to_field("seed")
        await ui.type("5")
        assert "enter applies it, esc reverts" in ui.message


async def test_the_column_of_an_error_is_marked_and_a_long_formula_is_whole(open_app):
    long = "u = a*b; v = a+c; L = u*v + sin(u)"
    session = Session(ExpressionSpec(long, "a=2, b=-1, c=3"), GIVEN)
    async with open_app(session, size=(80, 24)) as ui:
        await ui.press("1")
        assert long in ui.screen
        await ui.press(*"(a*b", "backspace", *"c + 1")
        lines = ui.screen.splitlines()
        (at,) = [n for n, row in enumerate(lines) if row.rstrip().endswith("^")]
        assert lines[at - 1][len(lines[at].rstrip()) - 1] == "("


async def test_typing_and_space_on_a_choice_change_nothing_and_tab_goes_on(open_app):
    async with open_app(from_preset("three-uses"), size=(80, 24)) as ui:
        before = ui.app.session.network
        await ui.press("1", "up", "space", "space", "enter")
        assert ui.app.session.network == before
        await ui.press("tab", "tab", *"w=2, x:=1", "enter")
        assert ui.app.session.network.let == "w=2, x:=1"
