"""What is read as what: from the table to a sample, and on among those of its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.data.samples import load
from tui_backprop.engine.initialise import initial_parameters
from tui_backprop.mistakes import confusion
from tui_backprop.session import Session, from_preset
from tui_backprop.ui.renderables.confusion import Confusion
from tui_backprop.ui.renderables.glyphs import UTF8
from tui_backprop.ui.screens.confusion import ConfusionScreen


def readings(ui):
    """(class, what it is read as) of the sample that is shown."""
    taken = ui.app.moment.taken
    return int(taken.tensor("t")[0]), int(taken.tensor(f"z{taken.spec.depth}")[0].argmax())


@pytest.mark.parametrize("size", [(60, 18), (120, 40)])
async def test_a_7_that_is_read_as_a_4_is_found_and_then_the_next_one(open_app, size):
    counts = confusion(Session(), initial_parameters(Session().network))
    async with open_app(size=size) as ui:
        await ui.pilot.press("C")
        assert "reading 4,000 samples" in ui.keys
        await ui.settled()
        assert "what is read as what" in ui.screen
        table = ui.app.screen.query_one("#confusion-table")
        t, s = table.confusion.cursor
        assert counts[t, s] == max(counts[a, b] for a in range(10) for b in range(10) if a != b)
        await ui.press(*["down"] * 9, "up", "up", *["left"] * 9, *["right"] * 4)
        assert f"7, read as 4: {counts[7, 4]} samples" in ui.screen
        await ui.press("enter")
        first = ui.app.session.sample
        assert readings(ui) == (7, 4)
        await ui.press("e")
        assert readings(ui) == (7, 4)
        assert ui.app.session.sample != first
        await ui.press("E")
        assert ui.app.session.sample == first
        await ui.press("C")
        await ui.press("e")
        assert ui.app.session.sought is None
        assert readings(ui)[0] != readings(ui)[1]


async def test_escape_leaves_everything_as_it_was_and_u_takes_a_choice_back(open_app):
    async with open_app(from_preset("xor")) as ui:
        before = ui.app.session
        await ui.press("C", "down", "escape")
        assert ui.app.session == before
        await ui.press("C", "enter")
        assert ui.app.session.sought is not None
        label = load("xor", 0).target[ui.app.session.sample]
        assert label == ui.app.session.sought[0]
        await ui.press("u", "u")
        assert ui.app.session == before


async def test_two_digits_jump_to_a_cell(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("C")
        await ui.press("7", "1")
        assert "7, read as 1: " in ui.screen
        assert "72 jump" in ui.screen
        await ui.press("enter")
        assert readings(ui) == (7, 1)
        assert "7 read as 1" in ui.status


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 29)])
async def test_no_letters_of_the_panel_behind_stand_beside_it_where_it_is_narrow(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("C")
        box = ui.app.screen.query_one("#confusion").region
        assert (box.x, box.width) == (0, size[0])


async def test_what_is_not_there_is_said(open_app):
    async with open_app(from_preset("sine")) as ui:
        await ui.press("C")
        assert [note.message for note in ui.app._notifications] == ["These samples have no classes."]
    counts = confusion(Session(), initial_parameters(Session().network))
    assert counts[0, 0] == 0
    async with open_app() as ui:
        await ui.press("C")
        t, s = ui.app.screen.query_one("#confusion-table").confusion.cursor
        await ui.press(*["up"] * t, *["left"] * s, "enter")
        assert "0, read as 0: none yet: esc, train (9), then look again" in ui.screen
        assert not ui.app._notifications
        await ui.press("right", "enter")  # it stays open for another choice
        assert readings(ui) == (0, 1)


def test_a_key_that_comes_before_the_table_is_on_the_screen_moves_it():
    counts = confusion(Session(), initial_parameters(Session().network))
    screen = ConfusionScreen(Confusion(counts), UTF8)
    before = screen._table.confusion
    screen.action_move(1, 0)
    assert screen._table.confusion == before.moved(1, 0)


async def test_what_was_looked_for_goes_with_its_data(open_app):
    """Other data has fewer classes: the table of what is read as what would have its cursor outside."""
    async with open_app(replace(Session(), sought=(7, 4))) as ui:
        await ui.choose("data", "circles")
        await ui.press("enter")
        assert (ui.app.session.data, ui.app.session.sought) == ("circles", None)
        await ui.press("f3", "C", "enter")
        assert "what is read as what" not in ui.screen or ui.app.screen.query("#confusion-table")
