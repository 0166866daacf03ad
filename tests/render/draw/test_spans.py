"""Lines of text in roles: cut, filled, wrapped and joined without losing a character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.having import having
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import (
    BACKGROUND_ROLES,
    ROLES,
    beside,
    clip,
    fewest_spans,
    line,
    merge,
    option,
    pad,
    plain,
    width,
    wrap,
)
from tui_backprop.render.panels.blame import measure_lines
from tui_backprop.session.state import Session
from tui_backprop.tui.colors import LOOKS

EXPLORE = settings(derandomize=True, deadline=None)
SPANS = st.tuples(
    st.text("ab δ …", min_size=1, max_size=6), st.sampled_from(["text", "muted", "cursor", "field"])
)
LINES = st.lists(SPANS, max_size=8).map(tuple)


def test_every_role_has_a_look_and_every_look_a_role():
    assert {frozenset(looks) for looks in LOOKS.values()} == {frozenset(ROLES)}


def test_a_line_drops_empty_pieces_and_takes_bare_text():
    assert line("a", ("", "bad"), ("b", "bad")) == (("a", "text"), ("b", "bad"))


@EXPLORE
@given(LINES, st.integers(0, 60))
def test_a_clipped_line_fits_and_says_that_something_is_lost(row, columns):
    cut = clip(row, columns)
    assert width(cut) <= columns
    if width(row) <= columns:
        assert cut == row
    elif columns:
        assert width(cut) == columns
        assert plain(cut) == plain(row)[: columns - 1] + "…"


@EXPLORE
@given(LINES, st.integers(0, 60), st.sampled_from("<>^"))
def test_a_padded_line_has_exactly_its_width(row, columns, align):
    padded = pad(row, columns, align)
    assert width(padded) == columns
    if width(row) <= columns:
        assert plain(padded).strip(" ") == plain(row).strip(" ")


@pytest.mark.parametrize(("align", "text"), [("<", "ab   "), (">", "   ab"), ("^", " ab  ")])
def test_padding_goes_where_it_is_told(align, text):
    assert plain(pad(line("ab"), 5, align)) == text


@EXPLORE
@given(LINES)
def test_fusing_and_merging_keep_the_text(row):
    assert plain(fewest_spans(row)) == plain(row) == plain(merge(row))
    assert len(fewest_spans(row)) <= len(merge(row))


@EXPLORE
@given(LINES)
def test_fusing_gives_no_letter_another_role_and_no_painted_cell_either(row):
    def cells(pieces):
        return [(c, role) for text, role in pieces for c in text]

    for (c, before), (_, after) in zip(cells(row), cells(fewest_spans(row)), strict=True):
        if c != " " or before in BACKGROUND_ROLES or after in BACKGROUND_ROLES:
            assert before == after


@EXPLORE
@given(LINES)
def test_no_two_neighbors_have_one_role_when_fused(row):
    roles = [role for _, role in fewest_spans(row)]
    assert all(a != b for a, b in zip(roles, roles[1:], strict=False))  # noqa: RUF007
    assert all(text for text, _ in fewest_spans(row))


@EXPLORE
@given(st.text("abc  \n", max_size=80), st.integers(1, 30))
def test_wrapped_words_are_all_there_and_fit_and_only_a_word_that_is_too_long_is_broken(text, columns):
    rows = [plain(row) for row in wrap(text, columns)]
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(len(row) <= columns for row in rows)
    if max(map(len, text.split()), default=0) <= columns:
        assert " ".join(rows).split() == text.split()


def test_nothing_is_wrapped_into_no_columns():
    assert wrap("a b", 0) == []


@EXPLORE
@given(st.lists(LINES, max_size=5), st.lists(LINES, max_size=5), st.integers(1, 20))
def test_blocks_beside_each_other_keep_their_rows_and_the_second_its_column(left, right, columns):
    rows = beside(left, right, columns, gap=2)
    assert len(rows) == max(len(left), len(right))
    for i, row in enumerate(rows):
        if i < len(right) and right[i]:
            assert plain(row)[columns + 2 :] == plain(right[i])
            assert plain(row)[columns : columns + 2] == "  "


def test_the_chosen_one_of_several_is_in_brackets_and_all_are_as_wide():
    assert option("all", True) == ("[all]", "strong")
    assert option("all", False) == (" all ", "muted")


def test_the_layer_and_the_measure_of_the_ranking_are_told_without_color():
    rows = [plain(row) for row in measure_lines(having(Session(), layer=2, measure="update"), 60, UTF8)]
    assert rows[0] == "layer    all  1 [2] 3  4 "
    assert "[update]" in rows[1]
    assert rows[1].count("[") == 1


def test_what_belongs_together_is_not_torn_where_it_fits_into_a_line():
    assert [plain(row) for row in wrap("a1 = f [z3 > 0] ok", 12)] == ["a1 = f", "[z3 > 0] ok"]
    assert [plain(row) for row in wrap("dead units in layers 1 and 2", 24)] == [
        "dead units in",
        "layers 1 and 2",
    ]
    assert [plain(row) for row in wrap("layers 1 to 4", 8)] == ["layers 1", "to 4"]
    assert [plain(row) for row in wrap("[a b c]", 4)] == ["[a b", "c]"]
