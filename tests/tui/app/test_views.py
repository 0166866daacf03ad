"""v: the array that a step makes as a map, a histogram, its largest entries, or a picture."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import ASCII
from tui_backprop.session.session_parts import VIEWS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update
from tui_backprop.support.format import format_number
from tui_backprop.tui.panels import walk as walk_panel

LARGE = Session(NetworkSpec((784, 400, 10)))  # its arrays are not looked at in a blink
ENTRY = re.compile(r"(\w+'?\[[\d,]+\]) +([+−]?[\d.]+(?:e[+−-]\d+)?) ━")


def entries(ui, name):
    """The entries of an array that are listed in the walk, below or beside its head line."""
    at = ui.walk.index("largest (v)")
    return [(place, value) for place, value in ENTRY.findall(ui.walk[at:]) if place.startswith(f"{name}[")]


async def to(ui, tensor):
    """Step to where an array is made."""
    while ui.app.snapshot.step.tensor != tensor:
        await ui.press("right")


async def test_v_goes_round_the_views_and_undo_back(open_app):
    async with open_app() as ui:
        await ui.press("right", "z")
        shown = [ui.walk]
        for view in (*VIEWS[1:], VIEWS[0]):
            await ui.press("v")
            assert ui.app.session.walk.view == view
            shown.append(ui.walk)
        assert shown[0] == shown[-1]
        assert len(set(shown)) == len(VIEWS)
        for walk in reversed(shown[:-1]):
            await ui.press("u")
            assert ui.walk == walk


async def test_v_works_from_the_panels_beside_the_walk(open_app):
    async with open_app() as ui:
        for i, panel in enumerate("ofcTdib", 1):
            await ui.press(panel, "v")
            assert ui.app.session.walk.view == VIEWS[i % len(VIEWS)]


@pytest.mark.parametrize("panel", "ofcTdib")
async def test_v_changes_nothing_where_the_walk_is_out_of_sight_and_says_whose_key_it_is(open_app, panel):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("right", panel)
        before = ui.app.session
        await ui.press("v")
        assert ui.app.session == before
        assert "v is a key of the walk; 2 shows it" in ui.keys
        await ui.pilot.press("2", "v")  # before the walk is laid out
        await ui.settled()
        assert ui.app.session.walk.view == VIEWS[1]


@pytest.mark.parametrize("name", ["z2", "δ3", "dW2"])
async def test_the_largest_entries_are_those_of_the_pass(open_app, name):
    async with open_app(having(Session(), view="largest")) as ui:
        await ui.press("z")
        await to(ui, name)
        values = ui.app.snapshot.iteration.tensor(name)
        values = values[0] if name[0] in "zδ" else values
        order = np.argsort(-np.abs(values), axis=None, kind="stable")
        listed = entries(ui, name)
        assert len(listed) >= 5
        top = [np.unravel_index(place, values.shape) for place in order[: len(listed)]]
        right = {
            f"{name}[{','.join(map(str, at))}]": format_number(float(values[at]), sign=True) for at in top
        }
        assert dict(listed) == right


async def test_after_the_update_the_largest_are_those_of_the_new_weights(open_app):
    async with open_app(having(Session(), view="largest")) as ui:
        await ui.press("z", "end")
        new = ui.app.snapshot.iteration.new["W4"]
        at = np.unravel_index(np.abs(new).argmax(), new.shape)
        (place, value), *_ = entries(ui, "W4'")
        assert (place, value) == (f"W4'[{at[0]},{at[1]}]", format_number(float(new[at]), sign=True))


@pytest.mark.parametrize("name", ["z1", "dW1", "δ2"])
async def test_the_histogram_has_the_statistics_of_the_pass(open_app, name):
    async with open_app(having(Session(), view="histogram", batch=8), size=(200, 60)) as ui:
        await ui.press("z")
        await to(ui, name)
        values = ui.app.snapshot.iteration.tensor(name).astype(float)
        text = " ".join(ui.walk.split())
        assert f"mean {format_number(float(values.mean()), sign=True)}" in text
        assert f"std dev {format_number(float(values.std()))}" in text
        assert format_number(float(values.min()), sign=True) in text
        assert format_number(float(values.max()), sign=True) in text


async def test_pictures_only_of_what_belongs_to_pixels(open_app):
    async with open_app(having(Session(), view="picture")) as ui:
        await ui.press("z")
        assert "sample 0" in ui.walk
        await to(ui, "z2")
        assert "map (v)" in ui.walk
        await to(ui, "dW1")
        assert f"unit {ui.app.snapshot.unit(1)}" in ui.walk
        assert "picture (v)" in ui.walk
    async with open_app(having(from_preset("xor"), view="picture")) as ui:
        await ui.press("z")
        assert "map (v)" in ui.walk


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_stays_as_the_walk_samples_and_training_go_on(open_app, view):
    async with open_app(having(Session(), view=view)) as ui:
        await ui.press("right", "n", "t", "]", "g", "r")
        assert ui.app.session.walk.view == view
        await ui.press("right")
        assert f"{view} (v)" in ui.walk or "map (v)" in ui.walk or view == VIEWS[0]


async def test_keys_pressed_while_entries_are_counted_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), walk_panel.PANEL.query
    slow = replace(right, find=lambda *given: gate.wait(30) and right.find(*given))
    monkeypatch.setattr(walk_panel, "PANEL", replace(walk_panel.PANEL, query=slow))
    async with open_app(LARGE) as ui:
        await ui.press("z")
        await to(ui, "dW1")
        step = ui.step
        await ui.pilot.press("v", "right", "left", "v", "down")
        assert "counting 313,600 entries …" in ui.walk
        gate.set()
        await ui.settled()
        assert (ui.step, ui.app.session.walk.view) == (step, "largest")
        values = np.abs(ui.app.snapshot.iteration.tensor("dW1"))
        at = np.unravel_index(values.argmax(), values.shape)
        assert entries(ui, "dW1")[0][0] == f"dW1[{at[0]},{at[1]}]"


async def test_a_network_chosen_while_they_are_counted_is_counted_itself(open_app, monkeypatch):
    gate, right = threading.Event(), walk_panel.PANEL.query
    async with open_app(LARGE) as ui:
        await ui.choose("preset", "xor")
        slow = replace(right, find=lambda *given: gate.wait(30) and right.find(*given))
        monkeypatch.setattr(walk_panel, "PANEL", replace(walk_panel.PANEL, query=slow))
        await ui.pilot.press("f3", "right", "v", "f2", "enter")
        gate.set()
        await ui.settled()
        await ui.press("f3", "v")
        assert ui.app.session.network == from_preset("xor").network
        assert "counting" not in ui.walk
        assert entries(ui, ui.app.snapshot.step.tensor)


async def test_counting_that_fails_is_said_once_and_the_app_goes_on(open_app, monkeypatch):
    def fail(*given):
        raise MemoryError("no room")

    right = walk_panel.PANEL.query
    monkeypatch.setattr(walk_panel, "PANEL", replace(walk_panel.PANEL, query=replace(right, find=fail)))
    async with open_app(LARGE) as ui:
        await to(ui, "dW1")
        await ui.press("v", "down")
        notes = [note.message for note in ui.app._notifications]
        assert len(notes) == 1
        assert notes[0].startswith("Could not compute the walk panel: memory ran out; ")
        assert "counting" not in ui.walk  # nobody is, any more
        monkeypatch.setattr(walk_panel, "PANEL", replace(walk_panel.PANEL, query=right))
        await ui.press("t", "v")
        assert entries(ui, "dW1")


@pytest.mark.parametrize("view", VIEWS)
async def test_a_diverged_network_is_drawn_in_every_view_and_in_ascii(open_app, view):
    session = after_update(after_update(Session(NetworkSpec((784, 16, 10)), lr=1e30)))
    async with open_app(having(session, view=view), size=(80, 24), context=ASCII) as ui:
        for _ in ui.app.snapshot.steps:
            assert ui.walk.isascii()
            assert ui.walk.strip()
            await ui.press("right")


@pytest.mark.parametrize("view", ["histogram", "largest"])
@pytest.mark.parametrize("grain", ["equation", "operation"])
async def test_no_array_however_large_is_looked_at_for_ever(open_app, view, grain):
    """Inputs and activations of a large batch, weights at their penalty, gradients without it."""
    session = having(Session(NetworkSpec((784, 400, 10), l2=0.01), batch=700), view=view, grain=grain)
    async with open_app(session) as ui:
        for step in ui.app.snapshot.steps:
            assert "counting" not in ui.walk, step.tensor
            await ui.press("right")
