"""A race, a sweep and training are seen in the top line of every panel, and the key bar knows that they run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.having import having
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.panel_table import PANELS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, edit_parameter

XOR = from_preset("xor")
LONG = replace(Session(), network=NetworkSpec((784, 128, 10)))  # its race lasts some seconds


async def race(ui):
    """Start a race, and pause it once it has begun: from then on nothing depends on the clock."""
    await ui.app.run_action("panel('race')")
    await ui.press("enter")
    await ui.until(lambda: ui.app.cost_lab.race.status.evaluations > 0, "the first evaluations")
    assert "enter pause" in ui.keys
    await ui.press("enter")
    await ui.until(lambda: "paused" in ui.status, "the pause")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_race_is_in_the_top_line_of_every_panel(open_app, size):
    async with open_app(LONG, size=size) as ui:
        await race(ui)
        for panel in PANELS:
            await ui.app.run_action(f"panel('{panel}')")
            await ui.settled()
            assert re.search(r"race paused \d+%$", ui.status.strip())
        await ui.app.run_action("panel('race')")
        await ui.press("escape")
        assert "race" not in ui.status


async def test_the_key_bar_says_what_the_keys_do_to_a_race_now(open_app):
    async with open_app(LONG) as ui:
        await ui.app.run_action("panel('race')")
        await ui.settled()
        assert "enter start  m method" in ui.keys
        assert "esc" not in ui.keys
        await race(ui)
        assert "enter resume  esc cancel" in ui.keys
        assert "method" not in ui.keys
        await ui.press("escape")
        assert "enter start  m method" in ui.keys


CHANGES = {
    "samples": lambda session: having(session, sample=1),
    "iteration": after_update,
    "parameters": lambda session: edit_parameter(session, "b1", (0,), 0.01),
    "network": lambda session: XOR,
}
CHANGED = {"iteration": "parameters"}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_race_that_runs_names_what_it_is_about_and_is_stale_when_that_changes(open_app, change):
    async with open_app(LONG) as ui:
        await race(ui)
        view = ui.app.query_one("#race-view")
        assert "784·128·10 on digits" in view.text
        assert "sample 0, iteration 0" in view.text
        assert "stale" not in view.text + ui.status
        ui.app.state.go(CHANGES[change](ui.app.session))
        await ui.settled()
        assert "784·128·10 on digits" in view.text
        assert "sample 0, iteration 0" in view.text
        assert f"stale; changed since then: {CHANGED.get(change, change)}" in view.text
        assert "stale" in ui.status
        assert "of 101,770" in view.text
        await ui.press("u")
        assert "stale" not in view.text + ui.status
        await ui.press("escape")


async def test_what_does_not_change_the_gradient_leaves_a_race_as_it_is(open_app):
    async with open_app(LONG) as ui:
        await race(ui)
        lab = ui.app.cost_lab
        lab.cost_model = replace(lab.race.shown.costs)  # the machine is measured again
        lab.show()
        assert lab.race.shown.costs is not lab.cost_model
        ui.app.state.go(having(ui.app.session, lr=0.3, step=4))
        await ui.settled()
        assert "stale" not in ui.app.query_one("#race-view").text
        await ui.press("escape")


async def test_a_race_that_is_over_shows_nothing_for_another_network(open_app):
    async with open_app(XOR) as ui:
        await ui.app.run_action("panel('race')")
        await ui.press("enter")
        await ui.until(lambda: ui.app.cost_lab.race.status.state == "done", "the end of the race")
        await ui.settled()
        view = ui.app.query_one("#race-view")
        assert "cosine" in view.text
        ui.app.state.go(having(XOR, network=replace(XOR.network, layers=(2, 3, 1))))
        await ui.settled()
        assert "2·3·1 on xor" in view.text
        assert "parameter 0 of 13" in view.text
        assert "W1" not in view.text
        assert "cosine" not in view.text
        await ui.press("u")
        assert "cosine" in view.text
        ui.app.state.go(after_update(ui.app.session))
        await ui.settled()
        assert "stale" in view.text
        assert "iteration 0" in view.text


async def test_training_is_seen_and_the_panels_say_that_they_are_without_it(open_app):
    async with open_app(XOR) as ui:
        await ui.app.run_action("panel('flow')")
        await ui.press("T", *["plus"] * 3)
        assert "enter train" in ui.keys
        assert "esc" not in ui.keys
        await ui.pilot.press("enter")
        await ui.until(lambda: re.search(r"training [\d,]+", ui.status), "the training in the top line")
        assert "esc stop" in ui.keys
        assert "enter" not in ui.keys
        await ui.pilot.press("f")
        flow = ui.app.query_one("#flow-view")
        await ui.until(lambda: "no rule" in flow.text or "!" in flow.text, "the verdict")
        assert flow.text.startswith("at iteration 0, before this training")
        assert re.search(r"training [\d,]+", ui.status)
        await ui.press("T", "escape")
        assert "training" not in ui.status
        await ui.press("f")
        assert "before this training" not in flow.text


async def test_a_sweep_is_seen(open_app):
    async with open_app(XOR) as ui:
        await ui.press("3", "S")
        assert "sweep" in ui.status
        assert "S stop sweep" in ui.keys
        await ui.press("2")
        assert "sweep" in ui.status
        await ui.press("3", "S")
        assert "sweep" not in ui.status
