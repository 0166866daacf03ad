"""On a slow line little is drawn: maps and emphasis are left out, and only where nobody said how much to draw."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.render.draw.context import UTF8
from tui_backprop.terminal.driver import SlowLine

MAPPED = set("░▒█≡")


def mapped(ui) -> int:
    """Lines of the walk that a map runs through."""
    return sum(len(MAPPED & set(row)) > 2 and len(row.split()) == 1 for row in ui.walk.splitlines())


def emphasized(ui) -> bool:
    view = ui.app.view("walk")
    return any(
        segment.style is not None and segment.style.bold and not segment.style.reverse
        for strip in view.render_lines(view.size.region)
        for segment in strip
    )


async def test_a_slow_line_takes_maps_and_emphasis_away_and_says_so(open_app):
    async with open_app() as ui:
        await ui.press("right")
        assert mapped(ui) > 3
        assert emphasized(ui)
        numbers = [row for row in ui.walk.splitlines() if "x[491]" in row or "norm" in row]
        ui.app.post_message(SlowLine())
        await ui.settled()
        assert mapped(ui) == 0
        assert not emphasized(ui)
        assert all(row in ui.walk for row in numbers)
        assert "--no-sparse" in ui.screen
        await ui.press("right", "right")
        assert mapped(ui) == 0
        await ui.press("b")  # a panel that is made later draws little too
        await ui.settled()
        assert ui.app.view("blame").render_context.sparse


async def test_a_view_that_is_asked_for_is_drawn_on_a_slow_line_too(open_app):
    async with open_app() as ui:
        ui.app.post_message(SlowLine())
        await ui.press("right", "v", "v")
        assert "largest (v)" in ui.walk
        assert ui.walk.count("━━") > 5


async def test_little_is_drawn_from_the_start_where_that_was_chosen(open_app):
    async with open_app(context=replace(UTF8, sparse=True)) as ui:
        await ui.press("right")
        assert mapped(ui) == 0
