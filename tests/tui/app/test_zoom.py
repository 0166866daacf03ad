"""z: the current panel alone; and every panel of every network, in every size, zoomed and not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.engine.analysis import loss_slices as slices
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.panel_table import PANELS
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update
from tui_backprop.tui.panels import operation_times as query_times
from tui_backprop.tui.panels.base import SnapshotView
from tui_backprop.tui.widgets.canvas import Canvas

KEYS = dict(zip(PANELS[1:], "23bio7c90G", strict=True))
WAITING = (
    "counting",
    "comparing …",
    "computing the gradient",
    "evaluating the loss",
    "evaluated:",
)
LAYOUTS = {
    "wide": ((120, 40), False, UTF8),
    "zoomed": ((120, 40), True, UTF8),
    "medium": ((80, 24), False, UTF8),
    "small": ((60, 18), False, UTF8),
    "wide, ascii": ((120, 40), False, ASCII),
    "small, ascii": ((60, 18), False, ASCII),
}
ROUGH = NetworkSpec((784, 12, 12, 10), layer_norm=True, residual=True, dropout=0.3, l2=0.01)
DIVERGED = Session(NetworkSpec((784, 16, 10)), lr=1e30)
SESSIONS = {name: from_preset(name) for name in ("lesson", "xor", "sine", "vanishing")} | {
    "layer norm and all": Session(ROUGH, batch=4),
    "a batch of 32": Session(NetworkSpec((784, 20, 10)), batch=32),
    "diverged": after_update(after_update(DIVERGED)),
    "diverged in double precision": after_update(after_update(replace(from_preset("xor"), lr=1e30))),
}


def sound(ui):
    """Whether what is seen is whole: it fits, it is not empty, and nothing is still being waited for."""
    for canvas in ui.app.screen.query(Canvas):
        if canvas.size and canvas.display:
            assert canvas.text.strip(), canvas.id
            assert not any(word in canvas.text for word in WAITING), canvas.text
            assert not canvas.render_context.plain or canvas.text.isascii(), canvas.text
        if canvas.size and isinstance(canvas, SnapshotView):
            columns, rows = canvas.size
            drawn = canvas.drawn(columns, rows)
            assert len(drawn) <= rows, canvas.id
            wide = [plain(row) for row in map(canvas.render_context.fit, drawn) if width(row) > columns]
            assert not wide, f"{canvas.id}: {wide}"
    assert not ui.app._notifications
    return True


@pytest.mark.parametrize(
    ("name", "layout"), [(name, [*LAYOUTS][i % len(LAYOUTS)]) for i, name in enumerate(SESSIONS)]
)
async def test_every_panel_is_whole_all_along_the_walk(open_app, monkeypatch, name, layout):
    size, zoomed, context = LAYOUTS[layout]
    monkeypatch.setattr(query_times, "SECONDS", 0.01)
    monkeypatch.setattr(slices, "SLICE_WORK", 2e8)
    async with open_app(SESSIONS[name], size=size, context=context) as ui:
        await ui.press("s", *["z"] * zoomed)
        steps = len(ui.app.snapshot.steps)
        panels, stride = list(KEYS), 1 + steps // 10
        for i, at in enumerate(range(0, steps, stride)):
            panel = panels[i % len(panels)]
            await ui.press(KEYS[panel])
            assert (ui.focused, ui.step) == (panel, at)
            assert sound(ui), (panel, at)
            await ui.pilot.press("2", *["right"] * stride)
        await ui.settled()
        assert ui.app.session.t == SESSIONS[name].t + 1


@pytest.mark.parametrize("panel", ["number", "graph", "flow", "curves", "train", "bookmarks"])
@pytest.mark.parametrize("name", ["xor", "diverged"])
async def test_a_panel_stays_whole_through_the_walk(open_app, name, panel):
    async with open_app(SESSIONS[name]) as ui:
        await ui.press("s", KEYS[panel])
        assert sound(ui)
        await ui.press("2")  # the panel stays beside the walk
        for at in range(len(ui.app.snapshot.steps)):
            assert ui.step == at
            assert sound(ui)
            await ui.press("right")
        assert panel in ui.shown_panels


@pytest.mark.parametrize("panel", PANELS[1:])
async def test_z_shows_the_current_panel_alone_and_back(open_app, panel):
    async with open_app() as ui:
        await ui.press(KEYS[panel])
        before, width = ui.shown_panels, ui.app.query_one(f"#{panel}-view").size.width
        await ui.press("z")
        assert ui.shown_panels == [panel]
        assert ui.focused == panel
        assert ui.app.query_one(f"#{panel}-view").size.width > 2 * width
        await ui.press("z")
        assert ui.shown_panels == before


async def test_zoomed_another_panel_takes_its_place(open_app):
    async with open_app() as ui:
        await ui.press("z")
        for panel, key in KEYS.items():
            await ui.press(key)
            assert ui.shown_panels == [panel]
            assert ui.focused == panel
        await ui.press("1")
        assert ui.shown_panels == ["network"]
        await ui.press("f3", "z")
        assert ui.shown_panels == ["network", "walk", [*KEYS][-1]]


async def test_zoom_is_no_part_of_the_state(open_app):
    async with open_app() as ui:
        await ui.press("right", "z", "u")
        assert ui.step == 0
        assert ui.shown_panels == ["walk"]


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_where_one_panel_fits_zoom_changes_nothing(open_app, size):
    async with open_app(size=size) as ui:
        for key in KEYS.values():
            await ui.press(key)
            before = ui.shown_panels
            await ui.press("z")
            assert ui.shown_panels == before


async def test_zoom_stays_through_resizing_and_help(open_app):
    async with open_app() as ui:
        await ui.press("o", "z", "?", "?")
        assert ui.shown_panels == ["graph"]
        for size in ((80, 24), (59, 17), (60, 18), (120, 40)):
            await ui.resize(*size)
        assert ui.shown_panels == ["graph"]
        assert ui.focused == "graph"
        assert sound(ui)


async def test_panels_pressed_one_after_the_other_at_once(open_app):
    async with open_app(settle=False) as ui:
        await ui.pilot.press(*"iofcTd", "z", *"dTcfoi", "z", "right", "2", "right", "right")
        await ui.settled()
        assert ui.focused == "walk"
        assert ui.shown_panels == ["network", "walk", "number"]
        assert ui.step == 2
        assert sound(ui)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_zoom_hides_the_lesson_until_one_of_its_keys(open_app, size):
    async with open_app(size=size, lesson=True) as ui:
        strip = ui.app.query_one("#lesson")
        room = ui.app.query_one("#walk").size
        for key in ("z", "full_stop", "L"):
            await ui.press("z")
            assert not strip.size
            assert ui.app.query_one("#walk").size.area > room.area
            await ui.press(key)
            assert strip.size
        assert ui.app.lesson.attempt.place.number == "0.1"
