"""The nodes and edges of a small network follow the walk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.having import having
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.node_drawing import CHOSEN_EDGE, fitted_number
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.walk.iteration_graph import drawable, graph_of
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.state import from_preset
from tui_backprop.support.format import format_number

XOR = from_preset("xor")
WIDER = replace(XOR, network=replace(XOR.network, layers=(2, 4, 1)))


def text_of(snapshot, columns=78, rows=21):
    return "\n".join(map(plain, walk_panel(snapshot, columns, rows, UTF8)))


def at(snapshots, session, kind, layer):
    return next(s for s in snapshots(session) if (s.step.kind, s.step.block) == (kind, layer))


@pytest.mark.parametrize("session", [XOR, WIDER], ids=["2-2-1", "2-4-1"])
def test_numbers_appear_with_the_operation_that_computes_them(snapshots, session):
    units = session.network.layers[1]
    graphs = {(s.step.kind, s.step.block): graph_of(s) for s in snapshots(session)}
    hidden = {key: [node for node in graph.nodes if node.column == 1] for key, graph in graphs.items()}
    assert all(node.value is None for node in hidden["input", 0])
    assert all(node.value.fresh and node.delta is None for node in hidden["affine", 1])
    assert all(not node.value.fresh and node.delta.fresh for node in hidden["delta", 1])
    first = {key: graph.edges[: 2 * units] for key, graph in graphs.items()}
    assert all(edge.gradient is None for edge in first["delta", 1])
    assert all(edge.gradient.role == "backward" for edge in first["weights", 1])
    assert all(edge.gradient.role == "update" for edge in first["update", 1])


@pytest.mark.parametrize("session", [XOR, WIDER], ids=["2-2-1", "2-4-1"])
def test_every_weight_then_gradient_then_new_weight_is_readable_at_80x24(snapshots, session):
    for kind, array in (
        ("affine", lambda s: s.iteration.tensor("W1")),
        ("weights", lambda s: s.iteration.tensor("dW1")),
        ("update", lambda s: s.iteration.new["W1"]),
    ):
        snapshot = at(snapshots, session, kind, 1)
        text = text_of(snapshot)
        for value in array(snapshot).flat:
            assert fitted_number(float(value), 6) in text


def test_where_weights_are_not_written_on_the_edges_they_are_below(snapshots):
    for kind in ("affine", "update"):
        snapshot = at(snapshots, XOR, kind, 1)
        text = text_of(snapshot, 44, 36)
        now = snapshot.iteration.new if kind == "update" else snapshot.iteration.program.values
        assert "○" in text
        for value in now["W1"].flat:
            assert format_number(float(value), sign=True) in text


def test_the_weights_into_the_selected_unit_are_marked_and_on_the_way_back_those_out_of_it(snapshots):
    for kind, layer in (("affine", 1), ("weights", 1), ("update", 1)):
        snapshot = at(snapshots, XOR, kind, layer)
        snapshot = replace(snapshot, session=having(snapshot.session, units=(-1, 0)))
        assert [(e.source, e.target) for e in graph_of(snapshot).edges if e.chosen] == [(0, 2), (1, 2)]
        assert text_of(snapshot).count(CHOSEN_EDGE) == 2
    back = at(snapshots, XOR, "delta", 1)
    back = replace(back, session=having(back.session, units=(-1, 1)))
    assert [(e.source, e.target) for e in graph_of(back).edges if e.chosen] == [(3, 4)]
    assert graph_of(back).columns[2].in_use  # the weights are what the step multiplies by


def test_a_weight_asked_for_by_name_is_the_one_marked(snapshots):
    snapshot = at(snapshots, XOR, "affine", 1)
    snapshot = replace(snapshot, session=having(snapshot.session, number=("W1", (1, 0))))
    assert [(e.source, e.target) for e in graph_of(snapshot).edges if e.chosen] == [(1, 2)]


def test_a_residual_is_an_edge_and_what_cannot_be_drawn_is_a_row_of_layers(snapshots):
    residual = replace(XOR, network=replace(XOR.network, layers=(2, 2, 1), residual=True))
    graph = graph_of(at(snapshots, residual, "affine", 1))
    assert [(e.source, e.target) for e in graph.edges if e.label] == [(0, 2), (1, 3)]
    assert "+x" in text_of(at(snapshots, residual, "affine", 1))
    normalized = replace(XOR, network=replace(XOR.network, layer_norm=True))
    for session in (normalized, from_preset("sine"), from_preset("vanishing")):
        snapshot = snapshots(session)[3]
        assert "○" not in text_of(snapshot)
    assert not drawable(snapshots(normalized)[0])
