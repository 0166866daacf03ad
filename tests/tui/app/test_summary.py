"""On a large screen, the panels that are not shown have a card each, with what they would say."""

from __future__ import annotations

import pytest

from tui_backprop.session.state import from_preset
from tui_backprop.tui.widgets.summary import Summary

XOR = from_preset("xor")
LARGE = (200, 60)


def summary_of(ui) -> str:
    return ui.app.query_one(Summary).text


async def test_each_panel_out_of_sight_says_what_it_would_and_the_one_in_sight_has_no_card(open_app):
    async with open_app(XOR, size=LARGE) as ui:
        await ui.press("right")
        cards = summary_of(ui)
        for title in ("4 most to blame", "7 gradient flow", "5 one number", "9 training"):
            assert title in cards
        assert "3 cost" not in cards
        await ui.press("b")
        assert "most to blame" not in summary_of(ui)
        assert "3 cost of one gradient" in summary_of(ui)
        first = next(row for row in cards.splitlines() if "1 W2[1,0]" in row)
        blame = ui.app.view("blame").text
        assert " ".join(first.split()[:4]) in " ".join(blame.split())


async def test_the_cards_follow_the_walk_and_training(open_app):
    async with open_app(XOR, size=LARGE) as ui:
        await ui.press("right")
        assert "z1[" in summary_of(ui)
        await ui.press("right", "right")
        assert "z2[0]" in summary_of(ui)
        assert "Not trained yet" in summary_of(ui)
        await ui.press("t")
        assert "1 update" in summary_of(ui)


@pytest.mark.parametrize("size", [(159, 60), (200, 49), (120, 40)])
async def test_smaller_screens_have_none(open_app, size):
    async with open_app(XOR, size=size) as ui:
        assert not ui.app.query(Summary)


async def test_it_comes_and_goes_with_the_size(open_app):
    async with open_app(XOR, size=(120, 40)) as ui:
        await ui.pilot.resize_terminal(*LARGE)
        await ui.press("right")
        assert "gradient flow" in summary_of(ui)
        await ui.pilot.resize_terminal(120, 40)
        await ui.press("right")
        assert not ui.app.query_one(Summary).size
