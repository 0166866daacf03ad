"""The values of an expression: numbers as the walk reaches them, gradients once all their terms are there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.data.catalogue import GIVEN
from tui_backprop.engine.frontends.expression.presets import EXPRESSIONS
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.value_caption import value_caption
from tui_backprop.render.walk.value_table import value_rows, value_table
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import GRAINS, VIEWS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import at_step
from tui_backprop.session.walk_steps import steps_of

CUBE = Session(
    ExpressionSpec("h = tanh(W)\nL = sum(h[0] * h[1])", "W=[[[1,2],[3,-1]],[[.5,.5],[2,1]]]"), GIVEN
)
SESSIONS = {name: from_preset(name) for name in EXPRESSIONS} | {"cube": CUBE}


def snapshots(session):
    steps, iteration = steps_of(session), Replay().take(session)
    return [Snapshot(at_step(session, step.index), steps, iteration) for step in steps]


def cells(snapshot, name):
    """The number and the gradient of a value, each with its role."""
    lines = value_table(snapshot, 60, 40, UTF8)
    found = next(row for row in lines if plain(row).startswith(f"{name} "))
    return [(text.strip(), role) for text, role in found[-2:]]


def test_a_gradient_is_muted_until_its_last_term():
    """u = tanh(w), w = 0.5; L = u x + u² + sin(u), x = 2: du = 2 + 2 u + cos(u)."""
    shown = [cells(each, "u") for each in snapshots(SESSIONS["three-uses"])]
    assert shown[0] == [("", "forward"), ("", "backward")]
    assert shown[1][0] == ("+0.462", "forward")
    assert [gradient for _, gradient in shown[11:14]] == [
        ("+2.00 …", "muted"),
        ("+2.92 …", "muted"),
        ("+3.82", "backward"),
    ]


def test_the_update_keeps_the_numbers_that_the_gradients_are_made_of():
    last = snapshots(SESSIONS["three-uses"])[-1]
    lines = value_table(last, 60, 40, UTF8)
    assert plain(lines[0]).split() == ["value", "gradient", "after"]
    rows = {plain(row).split()[0]: [(text.strip(), role) for text, role in row[-3:]] for row in lines}
    assert rows["w"] == [("+0.500", "forward"), ("+3.00", "backward"), ("+0.200", "update")]
    assert [row[-1][0] for name, row in rows.items() if name not in ("w", "value")] == [""] * (len(rows) - 2)


def test_arrays_are_shown_by_their_norm_and_single_entries_as_they_are():
    last = snapshots(CUBE)[-1]
    assert cells(last, "W")[1][0].startswith("|")
    assert cells(last, "L")[0][0].startswith("+")


@pytest.mark.parametrize("rows", [2, 5, 9, 30])
def test_the_step_is_in_sight_and_the_head_counts_the_others(rows):
    for snapshot in snapshots(SESSIONS["micrograd"]):
        head, *lines = map(plain, value_table(snapshot, 50, rows, UTF8))
        total = len(value_rows(snapshot.graph))
        counts = [int(word) for word in head.split() if word.isdigit()]
        assert sum(counts) == total - len(lines)
        now = snapshot.graph.value_of(snapshot.step.tensor)
        assert any(line.startswith(f"{now} ") for line in lines)


@pytest.mark.parametrize("name", SESSIONS)
def test_the_walk_of_an_expression_fits_its_room_at_every_step(name):
    for grain in GRAINS:
        for i, snapshot in enumerate(
            snapshots(replace(SESSIONS[name], walk=replace(Session().walk, grain=grain)))
        ):
            view = replace(snapshot.session.walk, view=VIEWS[i % len(VIEWS)])
            snapshot = replace(snapshot, session=replace(snapshot.session, walk=view))
            caption = value_caption(snapshot) if snapshot.step.kind != "update" else ""
            assert "{" not in caption
            for (columns, rows), context in (((38, 14), ASCII), ((80, 20), UTF8), ((110, 50), UTF8)):
                lines = walk_panel(snapshot, columns, rows, context)
                assert len(lines) <= rows
                assert max(map(len, map(plain, lines))) <= columns


def test_what_a_sample_brings_is_named_by_its_part():
    words = {row.name: row.formula for row in value_rows(from_preset("lenet").network.graph)}
    assert (words["x"], words["t"], words["W1"]) == ("input", "label", "parameter")
    assert {row.formula for row in value_rows(CUBE.network.graph) if row.given} == {"parameter"}
