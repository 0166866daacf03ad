"""The computation graph: what it draws is the program, what it says is known by now, and what adds is seen to add."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from tests.having import having
from tui_backprop.cost.accounting.operation_times import time_operations
from tui_backprop.engine.analysis.visit_norms import prepare
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.graph import graph_panel
from tui_backprop.render.panels.graph_rows import NODE_MARK, graph_rows, page
from tui_backprop.render.panels.operation_detail import equation
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.explanation import cost_line
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import GRAINS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update, at_step
from tui_backprop.support.format import format_number

EVERYTHING = NetworkSpec(
    (784, 8, 8, 10), "gelu", dtype="float64", residual=True, layer_norm=True, dropout=0.2, l2=0.01
)
RESIDUAL = Session(NetworkSpec((784, 16, 16, 16, 10), "tanh", dtype="float64", residual=True), batch=32)
SESSIONS = {
    "lesson": from_preset("lesson"),
    "xor": from_preset("xor"),
    "everything": Session(EVERYTHING),
    "residual": RESIDUAL,
    "one unit": Session(NetworkSpec((1, 1, 1), "tanh", "mse", bias=False), "sine"),
    "40 layers": Session(NetworkSpec((784, *(8,) * 39, 10), "tanh", residual=True)),
    "around the input": Session(NetworkSpec((2, 2, 2), "tanh", residual=True), "moons"),
    "2 layers": Session(NetworkSpec((784, 12, 10)), batch=32),
}
EACH = pytest.mark.parametrize("name", SESSIONS)
SIZES = [(36, 34), (76, 20), (56, 13), (74, 54), (114, 34)]
TALL = 400  # rows that every graph fits
REPLAY = Replay()


@lru_cache(maxsize=32)
def moments_of(session, grain="equation"):
    session = having(session, grain=grain)
    iteration = REPLAY.take(session)
    steps = walk(session.network, session.batch, session.optimizer, grain)
    return [Snapshot(at_step(session, i), steps, iteration) for i in range(len(steps))]


@lru_cache(maxsize=32)
def timing_of(session):
    return time_operations(moments_of(session)[0].iteration, 0.001)


def texts(snapshot, columns=114, rows=TALL, context=UTF8, timing=None):
    return [plain(row) for row in graph_panel(snapshot, timing, columns, rows, context)]


def rows_of(snapshot, **how):
    """The lines of the graph itself, by the value that each row makes; rows of an addition by its "+"."""
    rows = graph_rows(snapshot.graph)
    lines = texts(snapshot, **how)[1 : len(rows) + 1]
    return {row.value + "+" * bool(row.readers): text for row, text in zip(rows, lines, strict=True)}


def done_by(snapshot):
    visits = [visit for step in snapshot.steps[: snapshot.step.index + 1] for visit in step.visits]
    return [(visit.writes, visit.of is not None) for visit in visits]


# --- the rows and lanes are the program --------------------------------------------------------------------


@EACH
def test_the_graph_is_the_list_of_operations(name):
    spec = SESSIONS[name].network
    made = [row.value for row in graph_rows(spec.graph) if not row.readers]
    assert made == ["x", *(op.output for op in spec.graph.ops)]
    entered = [leaf for row in graph_rows(spec.graph) for leaf in row.leaves]
    assert sorted(entered) == sorted(
        moments_of(SESSIONS[name])[0].iteration.new
    )  # each parameter enters once


@EACH
def test_a_lane_leads_from_a_value_to_the_operation_that_reads_it_again(name):
    spec, followed = SESSIONS[name].network, set()
    rows = graph_rows(spec.graph)
    for i, row in enumerate(rows):
        if "╮" in row.lanes:
            at = row.lanes.index("╮")
            end = next(j for j in range(i + 1, len(rows)) if rows[j].lanes[at : at + 1] == "╯")
            assert all(each.lanes[at] == "│" for each in rows[i + 1 : end])
            followed.add((row.value, rows[end].value))
    ops = spec.graph.ops
    before = ["x", *(op.output for op in ops)]  # what the main line brings to each operation
    values = set(before)
    assert followed == {
        (read, op.output)
        for op, came in zip(ops, before, strict=False)
        for read in op.inputs
        if read in values and read != came
    }
    assert sum(row.lanes.count("╯") for row in rows) == len(followed)
    assert all((row.lanes[0] == NODE_MARK) == (not row.readers) for row in rows)


def test_a_gradient_adds_up_where_several_operations_read_a_value():
    shared = {
        row.value: [op.output for op in row.readers] for row in graph_rows(EVERYTHING.graph) if row.readers
    }
    assert shared == {"W1": ["u1", "L1"], "a1": ["u2", "a2"], "W2": ["u2", "L2"], "W3": ["u3", "L"]}
    adding = {visit.writes for visit in EVERYTHING.graph.backward_visits if visit.adds}
    assert adding == shared.keys()


# --- what is known by now ----------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("grain", GRAINS)
def test_marks_and_numbers_show_how_far_the_walk_has_come_and_no_further(name, grain):
    snapshots = moments_of(SESSIONS[name], grain)
    spec, iteration = snapshots[0].iteration.spec, snapshots[0].iteration
    left_over = {visit.writes for visit in spec.graph.backward_visits}
    for snapshot in snapshots[:: max(len(snapshots) // 12, 1)]:
        done, lines = done_by(snapshot), rows_of(snapshot)
        made = {value for value, backward in done if not backward} | {"x"}
        begun = any(backward for _, backward in done)
        to_do = [v.writes for v in spec.graph.backward_visits]
        for value, backward in done:
            if backward:
                to_do.remove(value)
        visited = {
            v.op.output
            for step in snapshot.steps[: snapshot.step.index + 1]
            for v in step.visits
            if v.of is not None
        }
        for row in graph_rows(spec.graph):
            if row.readers:
                continue
            text = lines[row.value]
            mark = "◆" if row.value in visited else "●" if row.value in made else "○"
            assert mark in text, (snapshot.step.formula, text)
            assert (format_number(iteration.summary(row.value).norm) in text) == (row.value in made), text
            complete = begun and row.value not in to_do and (row.value in left_over or row.value == "L")
            name_of = re.escape(row.gradient)
            shown = re.search(rf" {name_of} +(\S+)", text)
            assert bool(shown) == complete, text
            if shown:
                exact = np.linalg.norm(iteration.tensor(row.gradient))
                assert shown[1] == format_number(float(exact))


@EACH
@pytest.mark.parametrize("grain", GRAINS)
def test_the_operations_at_the_cursor_are_pointed_at_and_in_sight(name, grain):
    for snapshot in moments_of(SESSIONS[name], grain):
        for columns, rows in ((36, 34), (56, 13)):
            drawn = graph_panel(snapshot, None, columns, rows, UTF8)
            pointed = [plain(row)[:1] in "▾▴" and plain(row)[:1] != "" for row in drawn]
            marked = [any(role == "cursor" for _, role in row) for row in drawn]
            assert pointed == marked
            assert any(pointed) == (snapshot.step.phase != "update")
            way = "▴" if snapshot.step.phase == "backward" else "▾"
            assert all(plain(row)[0] == way for row, here in zip(drawn, pointed, strict=True) if here)


@EACH
def test_nothing_moves_as_the_walk_goes_on(name):
    """Few lines change in a step: those of the operations at the old cursor and at the new one, and the details."""
    rows = len(graph_rows(SESSIONS[name].network.graph))
    drawn = [texts(snapshot, 76)[: rows + 1] for snapshot in moments_of(SESSIONS[name])]
    assert len({each[0] for each in drawn}) == 1
    for one, other in pairwise(drawn):
        assert sum(a != b for a, b in zip(one, other, strict=True)) <= 8 + 2 * ("L1" in "".join(one))


# --- gradients that add ------------------------------------------------------------------------------------


def test_the_two_terms_of_a_residual_gradient_are_seen_to_add():
    snapshot = moments_of(RESIDUAL)[-1]
    tensor, lines = snapshot.iteration.tensor, rows_of(snapshot)
    for k in (1, 2):
        through, around = tensor(f"δ{k + 1}") @ tensor(f"W{k + 1}").T, tensor(f"da{k + 1}")
        sizes = [format_number(float(np.linalg.norm(each))) for each in (through, around, through + around)]
        assert f"da{k} = δ{k + 1} W{k + 1}ᵀ + da{k + 1}" in lines[f"a{k}+"]
        assert "{} + {} → {}".format(*sizes) in lines[f"a{k}+"]
        assert format_number(float(np.linalg.norm(through - around))) not in lines[f"a{k}+"]


def test_the_penalty_has_its_part_in_a_weight_gradient():
    snapshot = moments_of(SESSIONS["everything"])[-1]
    tensor, line = snapshot.iteration.tensor, rows_of(snapshot)["W2+"]
    parts = tensor("a1").T @ tensor("δ2"), 0.01 * tensor("W2")
    assert "dW2 = a1ᵀ δ2 + λ W2" in line
    assert " + ".join(format_number(float(np.linalg.norm(part))) for part in parts) in line


def test_a_sum_that_is_not_complete_says_so():
    seen = []
    for snapshot in moments_of(RESIDUAL, "operation"):
        line = rows_of(snapshot)["a2+"]
        seen.append("read" if "is used by" in line else "first" if "+ …" in line else "all")
    assert [text for i, text in enumerate(seen) if i == 0 or seen[i - 1] != text] == ["read", "first", "all"]
    assert seen.count("first") == 1


def test_what_is_shown_of_one_entry_adds_up():
    met = 0
    for name in ("everything", "residual"):
        for snapshot in moments_of(SESSIONS[name]):
            lines = texts(snapshot, 74)
            for i, text in enumerate(lines):
                if text.startswith("= d"):
                    *terms, total = [
                        float(each.split()[-1].replace("−", "-")) for each in lines[i - 2 : i + 1]
                    ]
                    assert abs(sum(terms) - total) <= 0.0101 * abs(total) + 1e-9
                    met += 1
    assert met == 6  # da1, dW1, dW2, dW3 of one network, da1 and da2 of the other


@EACH
def test_an_input_that_is_read_twice_needs_no_gradient(name):
    lines = rows_of(moments_of(SESSIONS[name])[-1])
    assert ("x+" in lines) == (name == "around the input")
    assert "needs no gradient" in lines.get("x+", "needs no gradient")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("W2", "dW2 = a1ᵀ δ2"),
        ("u2", "δ2 passes on unchanged"),
        ("r2", "dr2 = da2"),
        ("b2", "db2 = Σ δ2"),
        ("z3", "δ3 = (p − onehot(t)) / n"),
    ],
)
def test_a_rule_reads_as_a_textbook_has_it(value, text):
    graph = EVERYTHING.graph
    assert equation(graph, next(visit for visit in graph.backward_visits if visit.writes == value)) == text


def test_a_rule_that_adds_says_so():
    adding = [equation(EVERYTHING.graph, visit) for visit in EVERYTHING.graph.backward_visits if visit.adds]
    assert adding == ["dW3 += λ W3", "dW2 += λ W2", "da1 += da2", "dW1 += λ W1"]


# --- room --------------------------------------------------------------------------------------------------


@EACH
def test_every_size_has_operation_output_value_and_gradient(name):
    snapshot = moments_of(SESSIONS[name])[-2]
    for columns, rows in SIZES:
        head, *lines = texts(snapshot, columns, rows)
        assert {"operation", "|value|", "|grad|"} <= set(head.split())
        last = next((text for text in lines if "matmul " in text and "◆" in text), "")
        assert len(re.findall(r"[\d.]+(?:e[+-]\d+)?(?= |$)", last)) >= 2, last


def test_times_are_shown_where_there_is_room_and_only_when_they_are_there():
    session = SESSIONS["lesson"]
    snapshot, timing = moments_of(session)[3], timing_of(session)
    row = next(text for text in texts(snapshot, 114, timing=timing) if " matmul " in text)
    assert format_number(timing.forward("u1") * 1e6) in row
    assert format_number(timing.backward("u1") * 1e6) in row
    assert "forward µs" in texts(snapshot, 76, 20, timing=timing)[0]
    assert not any("µs" in text for text in texts(snapshot, 114))
    assert "forward µs" not in texts(snapshot, 36, timing=timing)[0]


@pytest.mark.parametrize(("total", "room"), [(5, 5), (6, 5), (13, 4), (40, 12), (121, 22), (9, 3), (9, 1)])
def test_the_pages_show_every_row_and_the_one_asked_for(total, room):
    parts = [page(at, total, room) for at in range(total)]
    for at, (start, end) in enumerate(parts):
        assert 0 <= start <= at < end <= total
        folds = (start > 0) + (end < total)
        assert end - start + folds <= max(room, 3)
    if total > 2 * room:
        assert len(set(parts)) < total / max(room - 2, 1) + 2  # by pages


def test_folded_operations_are_counted():
    name = "40 layers"
    for snapshot in moments_of(SESSIONS[name])[::10]:
        lines = texts(snapshot, 56, 13)
        hidden = sum(int(found[1]) for text in lines if (found := re.search(r"… (\d+) operations? ", text)))
        shown = sum(any(mark in text[:3] for mark in "○●◆") for text in lines[1:])
        assert hidden + shown == 1 + len(SESSIONS[name].network.graph.ops)


# --- numbers that are none ---------------------------------------------------------------------------------


def test_a_diverged_network_is_drawn_with_what_its_numbers_are():
    session = Session(EVERYTHING, lr=1e200)
    for _ in range(3):
        session = after_update(session)
    snapshot = moments_of(session)[-1]
    assert any("NaN" in text or "∞" in text for text in texts(snapshot))
    for snapshot in moments_of(session):
        for columns, rows in SIZES:
            assert max(map(len, texts(snapshot, columns, rows, timing=timing_of(session)))) <= columns


def test_a_gradient_of_zero_is_drawn_as_0():
    session = Session(NetworkSpec((784, 8, 8, 10), init="zeros", residual=True), batch=2)
    assert re.search(r" da1 +0\b", rows_of(moments_of(session)[-1])["a1"])


def test_what_takes_long_to_find_out_is_left_open_until_it_is_prepared():
    session = Session(NetworkSpec((784, 1500, 10)))
    snapshot = moments_of(session)[-1]
    assert "…" in rows_of(snapshot)["u1"]
    prepare(snapshot.iteration)
    exact = np.linalg.norm(snapshot.iteration.tensor("x") @ snapshot.iteration.tensor("W1"))
    assert format_number(float(exact)) in rows_of(snapshot)["u1"]


def test_a_product_costs_as_many_macs_as_in_the_walk():
    snapshot = next(each for each in moments_of(SESSIONS["lesson"]) if each.step.tensor == "dW2")
    assert "65,536 MACs" in plain(cost_line(snapshot.step, 60))
    (rule,) = [row for row in texts(snapshot) if "dW2 = a1ᵀ δ2" in row and "MAC" in row]
    assert rule.split("MACs")[0].rstrip().endswith("65,536")
    assert any(re.search(r"\d FLOPs", row) for row in texts(snapshot))  # of what is no product
