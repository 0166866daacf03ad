"""Small networks are drawn as nodes and edges, from any graph of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.node_drawing import CHOSEN_EDGE, fitted_number, node_drawing
from tui_backprop.render.draw.node_graph import Datum, Edge, Node, NodeColumn, NodeGraph
from tui_backprop.render.draw.spans import line, plain, width


def dense(*layers: int, label: str = "") -> NodeGraph:
    """A graph in which every node is connected with all of the next column."""
    first = [sum(layers[:k]) for k in range(len(layers))]
    nodes = [
        Node(k, Datum("", 0.1 * i, "text"), Datum("b", 0.5, "text"))
        for k, n in enumerate(layers)
        for i in range(n)
    ]
    edges = [
        Edge(first[k] + i, first[k + 1] + j, Datum("", 1 + i + 0.01 * j + 0.1 * k, "text"), label=label)
        for k, (before, after) in enumerate(pairwise(layers))
        for j in range(after)
        for i in range(before)
    ]
    columns = [NodeColumn(line(f"a{k}"), line(f"W{k}") if k else ()) for k in range(len(layers))]
    return NodeGraph(tuple(columns), tuple(nodes), tuple(edges))


def drawn(graph, columns=78, rows=10, context=UTF8) -> str:
    lines = node_drawing(graph, columns, rows, context)
    assert lines is not None
    return "\n".join(map(plain, lines))


def with_edge(graph: NodeGraph, i: int, **changed) -> NodeGraph:
    edges = list(graph.edges)
    edges[i] = replace(edges[i], **changed)
    return replace(graph, edges=tuple(edges))


@pytest.mark.parametrize("layers", [(2, 2, 1), (2, 4, 1), (3, 2), (1, 1)])
def test_every_node_and_weight_is_written(layers):
    graph = dense(*layers)
    text = drawn(graph)
    for edge in graph.edges:
        assert text.count(fitted_number(edge.weight.value, 6)) == 1
    assert text.count("○") == sum(layers)


@pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf8", "ascii"])
@pytest.mark.parametrize("changed", [{"sign": -1}, {"size": 0.5}, {"chosen": True}])
def test_sign_size_and_choice_are_seen_without_color(context, changed):
    graph = dense(2, 2, 1)
    for i in range(len(graph.edges)):
        assert drawn(with_edge(graph, i, **changed), context=context) != drawn(graph, context=context)


@pytest.mark.parametrize("layers", [(2, 2, 1), (8, 8)])
def test_chosen_edges_are_marked_with_or_without_labels(layers):
    graph = dense(*layers)
    chosen = with_edge(with_edge(graph, 0, chosen=True), 1, chosen=True)
    for columns, rows in ((78, 16), (42, 16)):
        assert drawn(chosen, columns, rows).count(CHOSEN_EDGE) == 2


def test_no_two_labels_share_a_row_and_each_has_a_line():
    rows = drawn(dense(4, 4), rows=17).splitlines()[1:]
    assert sum("+" in row[12:-9] for row in rows) == 16


def test_gradients_stand_in_for_weights_unless_those_are_in_use_and_beside_them_where_both_fit():
    graph = with_edge(dense(2, 1), 0, gradient=Datum("", -7.77, "text"))
    columns = [replace(column, gradients=line("dW1")) for column in graph.columns]
    narrow, wide = drawn(replace(graph, columns=tuple(columns)), 40), drawn(graph, 78)
    assert "−7.770" in narrow
    assert "dW1" in narrow
    assert "+1.000" not in narrow
    assert "−7.770" in wide
    assert "+1.000" in wide
    used = replace(graph, columns=tuple(replace(column, in_use=True) for column in columns))
    assert "−7.770" not in drawn(used, 40)
    assert "+1.000" in drawn(used, 40)


def test_what_does_not_fit_is_none_and_optional_columns_go_first():
    graph = dense(2, 2, 1)
    assert node_drawing(graph, 20, 10, UTF8) is None
    assert node_drawing(graph, 78, 2, UTF8) is None
    last = replace(graph.columns[-1], optional=True)
    optional = replace(graph, columns=(*graph.columns[:-1], last))
    assert drawn(optional, 24).count("○") == 4
    assert node_drawing(dense(8, 8, label="+x"), 78, 20, UTF8) is None  # lines that only a label tells apart


@given(st.floats(), st.integers(5, 7))
@settings(derandomize=True, max_examples=300)
def test_a_number_takes_no_more_columns_than_it_has(value, columns):
    text = fitted_number(value, columns)
    assert len(text) <= columns
    assert ("−" in text) == (value < 0)


@given(st.lists(st.integers(1, 8), min_size=2, max_size=5), st.integers(1, 200), st.integers(1, 60))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_it_fits_or_is_none(layers, columns, rows):
    for context in (UTF8, ASCII):
        lines = node_drawing(dense(*layers), columns, rows, context)
        if lines is not None:
            assert len(lines) <= rows
            assert all(width(row) <= columns for row in lines)
            assert context is UTF8 or "\n".join(map(plain, lines)).isascii()
