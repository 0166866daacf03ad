"""Panels of graphs without layers: they fit every room at every step, and their numbers are those of the complex
step."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from tests.engine.frontends.expressions import problem
from tests.engine.frontends.test_any_shape import each_mutant
from tests.having import having
from tests.render.general import SESSIONS, given, snapshots
from tests.render.room import STRICT_ASCII, faults
from tui_backprop.engine.analysis.loss_slices import slice_along
from tui_backprop.engine.analysis.parameter_detail import parameter_detail
from tui_backprop.engine.analysis.ranking import ranking
from tui_backprop.engine.analysis.value_flow import value_flow
from tui_backprop.engine.analysis.visit_norms import written
from tui_backprop.engine.explain.number import number_of
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.gradients.methods import METHODS
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.blame import blame_panel
from tui_backprop.render.panels.curves import curves_panel
from tui_backprop.render.panels.graph import graph_panel
from tui_backprop.render.panels.graph_rows import NODE_MARK
from tui_backprop.render.panels.number import number_panel
from tui_backprop.render.panels.value_flow import value_flow_panel
from tui_backprop.render.panels.value_graph import ValueGraphState
from tui_backprop.render.panels.value_graph_rows import value_graph_rows
from tui_backprop.render.view_state import BlameState, Snapshot
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.report.place import step_heading
from tui_backprop.session.state import Session
from tui_backprop.support.format import format_number

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
            for at, snapshot in enumerate(snapshots(session, grain)[:: 3 if name == "micrograd" else 1]):
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
    chosen = SESSIONS[name].network.graph.parameter_at(0)
    for session in (SESSIONS[name], having(SESSIONS[name], pair=True, number=chosen)):
        for snapshot in snapshots(session)[::5]:
            iteration = snapshot.iteration
            last = list(slice_along(iteration, snapshot.weights, 5))[-1]
            ranked = ranking(iteration, session.inspection.measure)
            blame = BlameState(session, iteration, ranked)
            detail = parameter_detail(iteration, blame.chosen) if blame.chosen else None
            blame = BlameState(session, iteration, ranked, detail)
            for room in ROOMS:
                for context in (UTF8, STRICT_ASCII):
                    assert not faults(curves_panel(snapshot, last, *room, context), *room, context)
                    drawn = [context.fit(row) for row in blame_panel(blame, *room, context)]
                    assert not faults(drawn, *room, context)


# --- their numbers -----------------------------------------------------------------------------------------


DRAWN = (("scale", (1, 0, 2)), ("K", (0, 0)))  # parameters along which the loss is drawn, of each tensor one


def halved(rule):
    """Return a rule whose result is too small by half."""

    def twisted(to, *arguments):
        rule(to, *arguments)
        np.multiply(to, 0.5, out=to)

    return twisted


def shown_gradients(session: Session) -> dict[str, dict[str, object]]:
    """Return the gradients of the parameters as each panel shows them, at the last step."""
    snapshot = snapshots(session)[-1]
    iteration, graph = snapshot.iteration, snapshot.graph
    entries = [graph.parameter_at(place) for place in range(session.network.parameters)]
    state = ValueGraphState(snapshot, UTF8)
    rows = {row.value: state.gradient(row) for row in value_graph_rows(graph) if row.term is None}
    flow = {each.value: each.rms for each in value_flow(iteration).values}
    ranked = {(each.tensor, each.index): each.gradient for each in ranking(iteration, "gradient", 100)}
    return {
        "graph": {name: rows[name] for name in graph.parameters},
        "flow": {name: flow[name] for name in graph.parameters},
        "blame": {at: ranked.get(at, 0.0) for at in entries},  # those of gradient 0 are left out
        "number": {at: number_of(iteration, *at).gradient for at in entries},
        "curves": {at: next(slice_along(iteration, (at,), 3)).gradient[0] for at in DRAWN},
    }


def exact_gradients(session: Session) -> dict[str, dict[str, object]]:
    """Return the same from the complex step."""
    graph = session.network.graph
    flat = METHODS["complex-step"].gradient(problem(session.network))
    views = graph.views(flat)
    entries = [graph.parameter_at(place) for place in range(len(flat))]
    each = {at: float(views[at[0]][at[1]]) for at in entries}
    norms = {name: float(np.linalg.norm(view)) for name, view in views.items()}
    return {
        "graph": {name: f"|{format_number(size)}|" for name, size in norms.items()},
        "flow": {name: size / views[name].size ** 0.5 for name, size in norms.items()},
        "blame": each,
        "number": each,
        "curves": {at: each[at] for at in DRAWN},
    }


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    return all(
        value == other[key] if isinstance(value, str) else value == pytest.approx(other[key], rel=1e-10)
        for key, value in one.items()
    )


def test_gradients_of_every_panel_are_those_of_the_complex_step():
    shown, exact = (of(SESSIONS["by hand"]) for of in (shown_gradients, exact_gradients))
    for panel in exact:
        assert same(shown[panel], exact[panel]), panel


@each_mutant("vjps", halved)
def test_a_planted_error_shows_in_every_panel(output, name, spec):
    shown, exact = shown_gradients(given(spec)), exact_gradients(SESSIONS["by hand"])
    for panel in exact:
        assert not same(shown[panel], exact[panel]), panel


def test_terms_of_a_gradient_add_up_in_the_graph():
    for name in ("three-uses", "micrograd", "logistic-neuron"):
        snapshot = snapshots(SESSIONS[name])[-1]
        state, sums = ValueGraphState(snapshot, UTF8), defaultdict(float)
        rows = value_graph_rows(snapshot.graph)
        for row in rows:
            if row.term:
                sums[row.value] += float(written(snapshot.iteration, row.term))
        assert sums
        for row in rows:
            if row.value in sums and row.term is None:
                assert state.gradient(row) == format_number(sums[row.value], sign=True)


def test_each_path_of_a_gradient_has_its_own_number():
    """u = tanh(0.5) = 0.462 in u x + u² + sin(u) with x = 2: by u, that is 2 + 2 u + cos(u)."""
    snapshot = snapshots(SESSIONS["three-uses"])[-1]
    state = ValueGraphState(snapshot, UTF8)
    terms = [row for row in value_graph_rows(snapshot.graph) if row.term]
    assert [state.gradient(row) for row in terms] == ["+2.00", "+0.924", "+0.895"]


def test_the_gradient_of_a_value_read_twice_comes_up_term_by_term():
    told = []
    for snapshot in snapshots(SESSIONS["three-uses"]):
        state, rows = ValueGraphState(snapshot, UTF8), value_graph_rows(snapshot.graph)
        terms = [row for row in rows if row.term]
        whole = next(row for row in rows if row.value == "u" and row.term is None)
        told.append((sum(map(state.graded, terms)), state.graded(whole)))
    assert list(dict.fromkeys(told)) == [(0, False), (1, False), (2, False), (3, True)]


def test_the_cursor_is_on_one_row_of_the_graph_or_on_those_of_an_update():
    for name, session in SESSIONS.items():
        for snapshot in snapshots(session):
            state = ValueGraphState(snapshot, UTF8)
            here = [row for row in value_graph_rows(snapshot.graph) if state.here(row)]
            names = {row.value for row in here}
            if snapshot.step.phase == "update":
                assert names
                assert names <= set(snapshot.graph.parameters)
            elif snapshot.step.kind == "input":
                assert here
                assert not names & snapshot.graph.by_output.keys()
            else:
                assert len(here) == 1, (name, snapshot.step.index)


def test_lanes_lead_from_each_value_to_all_that_read_it():
    """Each value stands in a lane that has a line in all rows down to the last that reads it."""
    for session in SESSIONS.values():
        graph = session.network.graph
        rows = value_graph_rows(graph)
        places = {row.value: i for i, row in enumerate(rows) if row.term is None}
        for value, start in places.items():
            column = rows[start].lanes.index(NODE_MARK)
            reads = [places[op.output] for op in graph.readers.get(value, ())]
            for row in rows[start + 1 : max(reads, default=start)]:
                assert row.lanes[column : column + 1] in "│├┼┤", (value, row)
            for at in reads:
                assert rows[at].lanes[column] in "├┼┤╯╰┴" + NODE_MARK


def test_the_gradient_of_a_number_has_a_term_for_each_path():
    iteration = snapshots(SESSIONS["three-uses"])[0].iteration
    found = number_of(iteration, "u", ()).differentiated
    assert found is not None
    assert found.step.formula == "du = dv1 · x + dv2 · 2 · u + dv4 · cos(u)"
    assert [round(row.value, 3) for row in found.rows] == [2.0, 0.924, 0.895, 3.819]


@pytest.mark.parametrize("name", ["micrograd", "cube", "by hand"])
def test_terms_of_all_paths_add_up(name):
    iteration = snapshots(SESSIONS[name])[0].iteration
    graph, several = iteration.graph, 0
    for value, visits in graph.visits_of.items():
        index = tuple(size - 1 for size in graph.by_name[value].shape)
        found = number_of(iteration, value, index, 1000).differentiated
        if len(visits) > 1 and found is not None:
            *terms, total = found.rows
            assert sum(row.value for row in terms) == pytest.approx(total.value, rel=1e-12)
            assert total.value == iteration.tensor(graph.gradient_of(value))[index]
            several += 1
    assert several


def blame_of(text: str, lets: str, rank: int = 0) -> list[str]:
    session = having(given(ExpressionSpec(text, lets)), rank=rank)
    (snapshot, *_) = snapshots(session)
    ranked = ranking(snapshot.iteration, "gradient")
    blame = BlameState(session, snapshot.iteration, ranked)
    blame = BlameState(
        session, snapshot.iteration, ranked, parameter_detail(snapshot.iteration, blame.chosen)
    )
    return [plain(row).strip() for row in blame_panel(blame, 38, 30, UTF8)]


def test_blame_lists_all_paths_with_their_routes_and_the_parameter_whose_terms_cancel():
    """u = x + y, v = x - 2 y, L = u v + u: dx = v + u + 1, with y = 3 dx = x + x - y + 1 = 0 at x = 1."""
    lines = blame_of("u = x + y\nv = x - 2*y\nL = u*v + u", "x=1, y=3", rank=1)
    assert any(row.startswith("2 x") and row.endswith(" 0") for row in lines)
    assert "3 paths to the loss" in lines
    routes = {row.rpartition(" ")[0].strip(): row.rpartition(" ")[2] for row in lines if "→" in row}
    assert routes == {"x → u → v2 → L": "−5.00", "x → v → v2 → L": "+4.00", "x → u → L": "+1.00"}
    (total,) = [row.split() for row in lines if row.startswith("= their sum")]
    assert total[-1] == "0"


def test_a_parameter_that_is_detached_has_no_path_and_blame_says_why():
    lines = blame_of("L = (v*detach(tanh(u)) - 1)**2", "u=0.5, v=3", rank=1)
    assert "no derivative of the loss flows to it" in lines
    assert not any("NaN" in row for row in lines)


def test_a_single_path_is_the_only_one_whatever_its_rounding():
    lines = blame_of("L = sum((W @ x)**2) / 3", "W=[[0.1, 0.7]], x:=[0.3, 0.9]")
    assert "the only path to the loss" in lines
    assert not any("%" in row for row in lines)


def test_a_narrow_graph_has_its_formulas_whole_in_lines_of_their_own():
    snapshot = snapshots(SESSIONS["three-uses"])[-1]
    text = "\n".join(plain(row) for row in graph_panel(snapshot, None, 37, 36, UTF8)[:26])
    assert "= tanh(w)" in text
    assert "dv2 · 2 · u" in text
    assert "…" not in text.replace("timing …", "")


def test_the_heading_of_a_step_names_the_statement_of_its_operation():
    """A gradient of x comes from both statements that read it."""
    (snapshot, *_) = snapshots(given(ExpressionSpec("u = x*y\nv = x + y\nL = u*v", "x=2, y=3")))
    steps = [step for step in snapshot.steps if step.tensor.startswith("dy")]
    assert [step_heading(snapshot.graph, step) for step in steps] == [
        "backward, multiply vjp in u = x*y",
        "backward, add vjp in v = x + y",
    ]
