"""Predict, then reveal: by keys alone, with nothing of the number on the screen."""

from __future__ import annotations

import pytest

from tui_backprop.engine.mutants.answers import Answers
from tui_backprop.lesson.prediction import number_of
from tui_backprop.render.walk.equation import format_number
from tui_backprop.session.state import from_preset

SIZES = [(80, 24), (120, 40), (200, 60)]
XOR, MICROGRAD = from_preset("xor"), from_preset("micrograd")


def asked(ui):
    return ui.app.snapshot.veil.entry


def number(ui):
    """The number that is asked for."""
    snapshot, hidden = ui.app.snapshot, ui.app.predicting._asked
    return number_of(Answers(snapshot.iteration), hidden.step, hidden.index)


async def type_in(ui, text):
    names = {"-": "minus", "+": "plus", ".": "full_stop"}
    await ui.press("ctrl+e", "ctrl+u", *(names.get(each, each) for each in text), "enter")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("session", [XOR, MICROGRAD], ids=["xor", "micrograd"])
async def test_the_number_is_nowhere_until_it_is_predicted(open_app, session, size):
    async with open_app(session, size=size) as ui:
        await ui.press("P", *["right"] * 2)
        last = len(ui.app.snapshot.steps) - 1
        for _ in range(min(last - 2, 8)):
            await ui.press("right")
            text = format_number(abs(number(ui)), 3)
            walk = ui.walk
            assert f"predict {asked(ui)}" in walk
            below = walk[walk.index(asked(ui)) :]
            assert "?" in below
            for panel in ("i", "b", "o", "f", "c", "T", "d"):
                if size == (120, 40) and len(text) > 4:
                    await ui.press(panel)
                    assert "hidden until you" in " ".join(ui.screen.split())
            await ui.press("2")
        await ui.press("enter")
        assert f"predict {asked(ui)}" in ui.screen


@pytest.mark.parametrize("size", SIZES[:2])
async def test_a_wrong_value_is_diagnosed_and_a_right_one_shows_the_result(open_app, size):
    async with open_app(XOR, size=size) as ui:
        await ui.press("P", *["right"] * 6)
        value = number(ui)
        await ui.press("enter")
        await type_in(ui, format(-value, ".3g"))
        assert ui.app.snapshot.veil.said
        assert ui.app.snapshot.hidden
        await type_in(ui, format(value, ".3g"))
        assert len(ui.app.screen_stack) == 1
        assert not ui.app.snapshot.hidden
        assert format_number(value, 3)[1:] in ui.walk
        assert "predicting 1 of" in ui.status
        assert "right" in ui.keys


async def test_a_sign_or_a_shape_will_do(open_app):
    async with open_app(XOR) as ui:
        await ui.press("P", "right", "enter")
        await type_in(ui, "+" if number(ui) > 0 else "-")
        assert "predicting 1 of 1" in ui.status
        await ui.press("right", "enter")
        await type_in(ui, "4x2")
        assert "predicting 2 of 2" in ui.status


async def test_hints_come_in_three_grades_and_the_last_one_earns_nothing(open_app):
    async with open_app(XOR) as ui:
        await ui.press("P", "right", "right", "enter", "question_mark")
        assert "Look at" in ui.screen
        assert "2 left" in ui.screen
        await ui.press("question_mark")
        assert "a1 =" in ui.screen
        assert "shows the number" in ui.screen
        await ui.press("question_mark")
        assert len(ui.app.screen_stack) == 1
        assert not ui.app.snapshot.hidden
        assert "predicting 0 of 2" in ui.status


async def test_half_typed_and_other_text_lose_nothing(open_app):
    async with open_app(XOR, size=(80, 24)) as ui:
        await ui.press("P", "right", "enter")
        await type_in(ui, "0.0x")
        assert "is no prediction" in ui.screen
        assert ui.app.predicting._now.current.tries == 0
        await ui.resize(60, 18)
        assert "is no prediction" in ui.screen
        await ui.press("escape", "escape")
        assert ui.app.snapshot.hidden


async def test_the_loss_is_hidden_until_it_is_computed_and_all_is_shown_when_it_stops(open_app):
    async with open_app(XOR) as ui:
        loss = format_number(ui.app.snapshot.iteration.loss, 4)
        await ui.press("P", "right")
        assert loss not in ui.screen
        while ui.app.snapshot.step.kind != "loss":
            await ui.press("right")
        assert loss not in ui.screen
        await ui.press("right")
        assert loss in ui.status
        await ui.press("P", "left", "left")
        assert "predicting is over" in ui.keys
        assert not ui.app.snapshot.hidden


async def test_the_session_is_the_same_with_and_without(open_app):
    async with open_app(XOR) as ui:
        await ui.press("P", "right", "P")
        there = ui.app.session
        await ui.press("left", "right")
        assert ui.app.session == there


async def test_enter_says_what_it_needs(open_app):
    async with open_app(XOR) as ui:
        await ui.press("enter")
        assert "P begins to predict" in ui.keys
        await ui.press("P", "enter")
        assert "nothing to predict here" in ui.keys
