"""Blocks of a GPT in the graph panel: folded to a line each, along the residual stream, and unfolded one by one."""

from __future__ import annotations

import pytest

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.graph import graph_panel
from tui_backprop.render.panels.value_graph import ValueGraphState
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import toggle_block

SESSION, RNN = from_preset("microgpt"), from_preset("rnn")
BLOCKS = [block.title for block in SESSION.network.graph.blocks]
ATTENTION, MLP = BLOCKS.index("attention 1"), BLOCKS.index("MLP 1")


def unfolded(*blocks):
    session = SESSION
    for block in blocks:
        session = toggle_block(session, block)
    return session


def at(snapshots, session, tensor):
    return next(each for each in snapshots(session) if each.step.tensor == tensor)


def titled(snapshot):
    return [row.title for row in ValueGraphState(snapshot, UTF8).rows if row.title]


def test_folded_a_block_is_a_line_with_the_stream_behind_it(snapshots):
    snapshot = snapshots(SESSION)[-1]
    state = ValueGraphState(snapshot, UTF8)
    assert [row.value for row in state.rows] == ["x", "h0", "r1", "h1", "L"]
    assert titled(snapshot) == [
        "▸ embedding, 3 operations",
        "▸ attention 1, 15 operations",
        "▸ MLP 1, 5 operations",
        "▸ output, 2 operations",
    ]
    for row in state.rows[1:-1]:
        assert state.value(row).startswith("|")
        assert state.gradient(row).startswith("|")


def test_folding_twice_changes_nothing():
    assert unfolded(MLP, MLP) == SESSION
    assert unfolded(MLP, ATTENTION).walk.unfolded == (ATTENTION, MLP)


def test_unfolded_a_block_has_all_its_operations_below_its_title(snapshots):
    snapshot = snapshots(unfolded(MLP))[-1]
    rows = ValueGraphState(snapshot, UTF8).rows
    start = next(i for i, row in enumerate(rows) if row.title == "▾ MLP 1")
    assert [row.value for row in rows[start + 1 :]] == ["m1", "Wu1", "u1", "a1", "Wd1", "d1", "h1", "L"]


def test_of_every_value_each_fold_has_one_row(snapshots):
    graph = SESSION.network.graph
    for blocks in ((), (1,), (2, 3), (1, 2, 3, 4)):
        rows = ValueGraphState(snapshots(unfolded(*blocks))[0], UTF8).rows
        shown = [name for row in rows if not row.term for name in (row.inside or (row.value,)) if name]
        assert sorted(shown) == sorted(value.name for value in graph.values if value.role != "constant")


@pytest.mark.parametrize("blocks", [(), (ATTENTION,), (MLP,), (1, 2, 3, 4)])
def test_the_cursor_is_in_one_row_whatever_is_folded(snapshots, blocks):
    for snapshot in snapshots(unfolded(*blocks)):
        if snapshot.step.kind in ("input", "update"):
            continue
        state = ValueGraphState(snapshot, UTF8)
        assert sum(map(state.here, state.rows)) == 1, snapshot.step.tensor


def test_a_tied_embedding_stays_in_sight(snapshots):
    session = from_preset("microgpt")
    network = session.network.changed(tied=True)
    rows = ValueGraphState(snapshots(type(session)(network, session.data, session.sample))[0], UTF8).rows
    assert [row.value for row in rows if not row.term] == ["E", "x", "h0", "r1", "h1", "L"]


@pytest.mark.parametrize("context", [UTF8, ASCII])
@pytest.mark.parametrize(("columns", "rows"), [(38, 12), (38, 36), (78, 21), (118, 36)])
def test_titles_are_shown_and_lines_fit(snapshots, columns, rows, context):
    snapshot = at(snapshots, unfolded(MLP), "a1")
    lines = graph_panel(snapshot, None, columns, rows, context)
    text = "\n".join(map(plain, lines))
    assert len(lines) <= rows
    assert max(map(width, lines)) <= columns
    assert "MLP 1" in text
    assert "attention 1" in text or rows < 20


def test_the_steps_of_a_recurrent_network_are_a_line_each_and_shared_weights_their_sum(snapshots):
    moments = snapshots(RNN)
    rows = ValueGraphState(moments[0], UTF8).rows
    assert [row.value for row in rows if row.title] == [*(f"h{t}" for t in range(1, 17)), "L"]
    assert not any(row.term for row in rows)
    for snapshot in moments:
        if snapshot.step.phase == "backward":
            state = ValueGraphState(snapshot, UTF8)
            assert sum(map(state.here, rows)) == 1, snapshot.step.tensor


def test_a_token_that_is_computed_is_a_letter(snapshots):
    snapshot = at(snapshots, toggle_block(RNN, 3), "x3")
    state = ValueGraphState(snapshot, UTF8)
    assert {row.value: state.value(row) for row in state.rows}["x3"] == "n"
