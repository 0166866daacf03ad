"""Maps with a label for each row: attention by heads, with sign and size in the glyphs; arrays by positions."""

from __future__ import annotations

import numpy as np
import pytest

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.sample_text import SampleText
from tui_backprop.render.walk.axis_map import AxisArray, axis_map
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import select

TEXT = SampleText("ab•", ("a", "b", "•"), (2, 0, 1), (0, 1, 2))
ATTENTION = ("head", "position", "looked at")
SESSION = from_preset("microgpt")
AXES = [*SESSION.network.graph.axes]


def lines_of(values, axes, index, columns=60, rows=20, context=UTF8):
    return [
        plain(row)
        for row in axis_map(AxisArray(values, axes, index), TEXT, "forward", columns, rows, context)
    ]


def weights():
    """Attention weights of two heads, at four positions, of which three have a target."""
    head = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.02, 0.08, 0.9, 0], [0.25] * 4])
    return np.stack([head, head[::-1].copy()])


def test_a_head_has_a_row_for_each_letter_that_looks_and_a_column_for_each_looked_at():
    title, heads, *rows = lines_of(weights()[:1], ATTENTION, (0, 2, 1))
    assert (title.strip(), heads.split()) == ("head 0", ["•", "a", "b"])
    assert [row.split(maxsplit=2)[:2] for row in rows[:3]] == [["0", "•"], ["1", "a"], ["2", "b"]]
    assert [row[4:].rstrip() for row in rows[:3]] == ["██", "▅▅▅▅", "▁▁▁▁██"]
    assert rows[3] == "2 b looks at  2 b 0.900  1 a 0.0800  0 • 0.0200"


def test_what_is_masked_is_blank_whatever_its_number():
    scores = np.full((1, 3, 3), -2.0)
    scores[0][np.triu_indices(3, 1)] = 99
    rows = lines_of(scores, ATTENTION, (0, 0, 0))[2:5]
    assert [row[4:].rstrip() for row in rows] == ["≡≡", "≡≡≡≡", "≡≡≡≡≡≡"]


@pytest.mark.parametrize(("context", "up", "down"), [(UTF8, "█", "≡"), (ASCII, "@", "=")])
def test_signs_and_sizes_are_in_the_glyphs(context, up, down):
    gradient = np.zeros((1, 3, 3))
    gradient[0, 2] = 1, -1, 0.4
    row = lines_of(gradient, ATTENTION, (0, 2, 0), context=context)[4]
    assert row[4:].rstrip() == up * 2 + down * 2 + context.up[1] * 2


@pytest.mark.parametrize(
    ("array", "legend"),
    [
        ([[0.2, -0.25], [0.1, 0.0]], "█ +0.200  ≡ −0.250  2 positions"),
        ([[0.1, -0.25], [0.1, 0.0]], "▒ +0.100  ≡ −0.250  2 positions"),
        ([[-0.1, -0.25], [-0.1, 0.0]], "≡ −0.250  2 positions"),
        ([[0.1, 0.25], [0.1, 0.0]], "█ 0.250  2 positions"),
    ],
)
def test_the_legend_names_the_extremes_and_no_sign_that_is_not_there(array, legend):
    assert lines_of(np.array(array), ("position", "channel"), (0, 0))[-1] == legend


def test_heads_are_side_by_side_where_there_is_room_and_pages_elsewhere():
    assert lines_of(weights(), ATTENTION, (1, 0, 0), columns=60)[0].split() == ["head", "0", "head", "1"]
    assert lines_of(weights(), ATTENTION, (1, 0, 0), columns=14)[0].strip() == "head 1 of 2"


def test_rows_around_the_chosen_position_are_shown_where_there_is_little_room():
    rows = lines_of(np.ones((3, 4)), ("position", "channel"), (2, 0), rows=2)
    assert rows[0].startswith("2 b")


def test_wide_arrays_are_pooled_into_the_columns_that_there_are():
    rows = lines_of(np.ones((3, 400)), ("position", "channel"), (2, 399), columns=40)
    assert max(map(len, rows)) <= 40
    assert rows[0].count("█") == 36


@pytest.mark.parametrize("tensor", ["S1", "C1", "A1", "dA1", "dC1", "dS1"])
@pytest.mark.parametrize("size", [(78, 19), (118, 36)])
def test_attention_is_whole_at_the_least_size(snapshots, tensor, size):
    session = select(select(SESSION, AXES.index("head"), 2), AXES.index("position"), 4)
    snapshot = next(each for each in snapshots(session) if each.step.tensor == tensor)
    text = "\n".join(plain(row) for row in walk_panel(snapshot, *size, UTF8))
    assert "head 2" in text
    assert all(f"{i} {letter}" in text for i, letter in enumerate("•anita"))
    assert "4 t looks at" in text
