"""The app on graphs without layers: every key of every panel does its work, or says why there is nothing to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.render.general import SESSIONS, snapshots
from tui_backprop.engine.explain.receipts import receipt_rows
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.keys.panel_table import PANELS
from tui_backprop.keys.table import ROWS, Key, bound_keys
from tui_backprop.session.validation import check
from tui_backprop.tui.app.navigation import next_unit

OTHER_PANELS = ("network", "cost")  # with tests of their own
LEFT_OUT = {"break_it", "quit", "suspend_process", "resume", "restart"}  # these end what the others are about


def keys_of(panel: str) -> list[Key]:
    """List the panel's own keys; in the walk, those for everywhere, too."""
    keys = [key for key in ROWS if key.own and panel in key.places]
    if panel == "walk":
        keys += [
            key for key in ROWS if not key.own and panel in key.places and not key.id.startswith("panel(")
        ]
    return [key for key in keys if key.id not in LEFT_OUT]


@pytest.fixture
def said(monkeypatch):
    """All that the app says in notifications and notices."""
    from tui_backprop.tui.app.app import BackpropApp

    found: list[str] = []
    for name in ("inform", "say", "warn", "fail"):
        tell = getattr(BackpropApp, name)

        def told(app, words, *more, tell=tell, name=name, **named):
            found.append(f"{name}: {words}")
            tell(app, words, *more, **named)

        monkeypatch.setattr(BackpropApp, name, told)
    return found


@pytest.mark.parametrize("name", ["arrays", "detached", "recorded"])
async def test_every_key_of_every_panel(open_app, said, name):
    async with open_app(SESSIONS[name], size=(120, 40)) as ui:
        for panel in PANELS:
            if panel in OTHER_PANELS:
                continue
            opening = bound_keys(f"panel('{panel}')")[0]
            await ui.press("right", "right")
            for key in keys_of(panel):
                away = [opening] if ui.focused != panel else []
                await ui.press(*away, key.keys.split(",")[0])
                if len(ui.app.screen_stack) > 1:  # a dialog
                    await ui.press("escape")
    no_token = f"fail: No token: {SESSIONS[name].network.no_token}"
    faults = [words for words in said if words.startswith("fail") or "Error" in words]
    assert not [words for words in faults if words != no_token]
    assert any("no samples to choose from" in words for words in said)
    assert any("Nothing is classified" in words for words in said)
    assert any("no layers to choose from" in words for words in said)


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("three-uses", "w", "w  parameter"),
        ("three-uses", "du", "u  value"),
        ("three-uses", "x", "x  fixed value"),
        ("three-uses", "dL", "L  loss"),
        ("arrays", "W[2,1]", "W[2,1]  parameter of shape (3,2)"),
        ("arrays", "y[0]", "y[0]  fixed value of shape (1,)"),
        ("arrays", "dV[0,1]", "V[0,1]  parameter of shape (1,3)"),
        ("arrays", "largest V", "V[0,1]  parameter of shape (1,3)"),  # the largest gradient
        ("arrays", "largest v2", "v2[1]  value of shape (3,)"),
    ],
)
async def test_a_number_is_found_by_its_name(open_app, name, typed, shown):
    async with open_app(SESSIONS[name], size=(80, 24)) as ui:
        await ui.press("right", "slash", *typed.replace(" ", " "), "enter")
        assert ui.focused == "number"
        assert shown in ui.screen


@pytest.mark.parametrize("name", ["arrays", "cube", "by hand"])
def test_up_and_down_in_the_walk_reach_every_entry(name):
    """Also of the gradient of a matrix, whose statement has fewer entries, and of all parameters of an update."""
    for snapshot in snapshots(SESSIONS[name]):
        step, graph = snapshot.step, snapshot.graph
        names = graph.trained if step.phase == "update" else [graph.value_of(step.tensor)]
        every = {(tensor, index) for tensor in names for index in np.ndindex(graph.by_name[tensor].shape)}
        seen = set()
        for direction in (1,) * len(every) + (-1,):
            seen.add(snapshot.number)
            rows = receipt_rows(snapshot.iteration, step, snapshot.unit(step.block))
            assert any(entry_name("", snapshot.number[1]) in row.label for row in rows if row.sign == "=")
            snapshot = replace(snapshot, session=next_unit(direction, snapshot.session, snapshot))
            check(snapshot.session)
        assert seen == every, step.formula


async def test_up_and_down_in_the_graph_stay_in_the_iteration(open_app):
    async with open_app(SESSIONS["three-uses"], size=(80, 24)) as ui:
        await ui.press("end", "o", "down", "down")
        assert (ui.app.session.t, ui.app.session.walk.step) == (0, len(ui.app.state.snapshot.steps) - 1)
        await ui.press("home", "up")
        assert (ui.app.session.t, ui.app.session.walk.step) == (0, 0)
        assert "X flip" not in ui.screen
