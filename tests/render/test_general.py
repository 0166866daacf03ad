"""Panels of graphs without layers: they fit every room at every step, and their numbers are those of the complex
step."""

from __future__ import annotations

import pytest

from tests.having import having
from tests.render.general import SESSIONS, snapshots
from tests.render.room import STRICT_ASCII, faults
from tui_backprop.engine.analysis.loss_slices import slice_along
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.analysis.value_flow import value_flow
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.panels.blame import blame_panel
from tui_backprop.render.panels.curves import curves_panel
from tui_backprop.render.panels.graph import graph_panel
from tui_backprop.render.panels.number import number_panel
from tui_backprop.render.panels.value_flow import value_flow_panel
from tui_backprop.render.view_state import BlameState, Snapshot
from tui_backprop.render.walk.walk import walk_panel

ROOMS = ((38, 12), (78, 20), (130, 44))


def drawings(snapshot: Snapshot):
    """Yield each panel as a function of its room."""
    iteration = snapshot.iteration
    found = value_flow(iteration)
    yield "walk", lambda *room: walk_panel(snapshot, *room)
    yield "number", lambda *room: number_panel(snapshot, (0, 0, 1), *room)
    yield "graph", lambda *room: graph_panel(snapshot, None, *room)
    yield "flow", lambda *room: value_flow_panel(snapshot, found, *room)


def test_panels_fit_at_every_step():
    wrong = []
    for name, session in SESSIONS.items():
        for grain in ("layer", "equation"):
            for at, snapshot in enumerate(snapshots(session, grain)):
                room = ROOMS[at % len(ROOMS)]
                for panel, draw in drawings(snapshot):
                    for context in (UTF8, STRICT_ASCII):
                        try:
                            said = faults(draw(*room, context), *room, context)
                        except Exception as error:
                            raise AssertionError((name, grain, at, panel, room)) from error
                        wrong += [(name, grain, at, panel, room, each) for each in said]
    assert not wrong


@pytest.mark.parametrize("name", SESSIONS)
def test_rankings_and_curves_fit(name):
    for session in (SESSIONS[name], having(SESSIONS[name], pair=True)):
        for snapshot in snapshots(session)[::5]:
            iteration = snapshot.iteration
            last = list(slice_along(iteration, snapshot.weights, 5))[-1]
            ranked = ranking(iteration, session.inspection.measure)
            detail = parameter_detail(iteration, ranked[0]) if ranked else None
            blame = BlameState(session, iteration, ranked, detail)
            for room in ROOMS:
                for context in (UTF8, STRICT_ASCII):
                    assert not faults(curves_panel(snapshot, last, *room, context), *room, context)
                    drawn = [context.fit(row) for row in blame_panel(blame, *room, context)]
                    assert not faults(drawn, *room, context)
