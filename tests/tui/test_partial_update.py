"""Of what changed, the pieces in front are drawn, and no widget that none of them shows."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Static

from tui_backprop.tui.partial_update import pieces_in
from tui_backprop.tui.textual_fixes import steady

COLUMNS, ROWS = 30, 8
WHOLE = [(y, 0, COLUMNS) for y in range(ROWS)]
SPANS = [WHOLE, [(2, 5, 17), (2, 20, 25), (3, 0, 9), (6, 29, 30)], [(1, 3, 4)]]


class Layers(App[None]):
    """A widget in front of two others, of which one reaches beyond its container."""

    CSS = """
    Screen { layers: below above; }
    #box { width: 12; height: 4; border: solid red; }
    #wide { width: 40; height: 5; background: blue; }
    #front { layer: above; offset: 4 2; width: 9; height: 3; border: round green; }
    """

    def get_default_screen(self):
        return steady(super().get_default_screen())

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static("wide " * 30, id="wide")
        yield Static("below " * 20, id="below")
        yield Static("front " * 3, id="front")


@pytest.mark.parametrize("spans", SPANS)
async def test_the_pieces_of_a_part_of_the_screen_are_what_the_whole_screen_shows_there(spans):
    async with Layers().run_test(size=(COLUMNS, ROWS)) as pilot:
        compositor = pilot.app.screen._compositor
        whole = compositor.render_strips()
        pieces = sorted(pieces_in(spans, compositor.visible_widgets), key=lambda piece: (piece[1], piece[0]))
        for y, start, end in spans:
            there = [(x, strip) for x, row, strip in pieces if row == y and start <= x < end]
            assert next(x for x, _ in there) == start
            assert (
                Strip.join([strip for _, strip in there]).simplify() == whole[y].crop(start, end).simplify()
            )


async def test_an_update_draws_each_widget_once_and_none_that_is_not_seen_in_it():
    async with Layers().run_test(size=(COLUMNS, ROWS)) as pilot:
        screen, drawn = pilot.app.screen, []
        compositor = screen._compositor
        for widget in compositor.visible_widgets:
            real = widget.render_lines
            widget.render_lines = lambda crop, real=real, name=widget.id: drawn.append(name) or real(crop)
        compositor._dirty_regions = {Region(5, 2, 7, 2), Region(5, 4, 2, 1)}  # behind, and in, the front one
        update = compositor.render_partial_update()
        assert drawn == ["front"]
        assert {y for _, y, _ in update.pieces} == {2, 3, 4}
        assert compositor.render_partial_update() is None
