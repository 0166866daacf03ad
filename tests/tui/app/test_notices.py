"""What a key did that is not in sight is said in the key bar for a moment: undo, redo, a bookmark."""

from __future__ import annotations

import pytest

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.session.state import Session, from_preset
from tui_backprop.tui.widgets.canvas import Canvas
from tui_backprop.tui.widgets.screen_bars import KeyBar


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_undo_and_redo_say_what_they_took_back_and_did_again(open_app, size):
    async with open_app(from_preset("xor"), size=size) as ui:
        await ui.press("T", "enter")
        await ui.press("n", "u")
        assert " undone: sample " in ui.keys
        await ui.press("u")
        assert " undone: training 100 updates " in ui.keys
        assert "? help  q quit" in ui.keys
        await ui.press("u")
        assert " undone: nothing " in ui.keys
        await ui.press("U")
        assert " redone: training 100 updates " in ui.keys


async def test_moves_of_a_cursor_that_is_not_shown_take_one_undo_and_it_is_said(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("n", "b", "down", "down", "down", "2", "u")
        assert "undone: cursor in the ranking" in ui.keys
        assert ui.app.session.inspection.rank == 0
        await ui.press("u")
        assert "undone: sample" in ui.keys
        assert ui.app.session == Session()


async def test_a_bookmark_that_is_set_says_its_number_and_its_place(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("s", "t", "t", "s")
        assert " bookmark 2 set: iteration 2, d shows it " in ui.keys
        await ui.press("u")
        assert " undone: setting bookmark 2 " in ui.keys


@pytest.mark.parametrize("context", [UTF8, ASCII])
async def test_a_notice_passes_and_the_keys_are_back(open_app, monkeypatch, context):
    async with open_app(context=context) as ui:
        monkeypatch.setattr(KeyBar, "SECONDS", 0.05)
        before = ui.keys
        await ui.pilot.press("s")
        await ui.until(lambda: "bookmark 1 set" in ui.keys, "the notice")
        await ui.until(lambda: ui.keys == before, "the notice to pass")


async def test_a_notice_repaints_the_key_bar_and_nothing_else(open_app, monkeypatch):
    async with open_app() as ui:
        painted, real = [], Canvas.refresh

        def refresh(self, *regions, **options):
            painted.append((self.id, sum(region.area for region in regions) if regions else None))
            return real(self, *regions, **options)

        monkeypatch.setattr(Canvas, "refresh", refresh)
        await ui.press("s")
        ((widget, cells),) = painted
        assert widget == "keys"
        assert cells == ui.app.size.width


async def test_escape_closes_notices_and_does_what_it_does(open_app):
    async with open_app() as ui:
        ui.app.notify("over a panel")
        await ui.press("right")
        assert len(ui.app._notifications) == 1
        await ui.press("escape")
        assert not len(ui.app._notifications)
        await ui.press("slash")
        ui.app.notify("over a dialog")
        await ui.press("escape")
        assert (len(ui.app._notifications), len(ui.app.screen_stack)) == (0, 1)
