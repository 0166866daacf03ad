"""Rows of a report, as aligned text and as lines for screen readers."""

from __future__ import annotations

import pytest

from tui_backprop.render.draw.context import ASCII, LINEAR, UTF8
from tui_backprop.render.draw.spans import line
from tui_backprop.report.rows import (
    BLANK,
    Column,
    Drawing,
    Fact,
    Forms,
    Group,
    Sentence,
    Table,
    text_of,
)
from tui_backprop.support.quantity import Quantity, Text, phrase, ratio, seconds

TABLE = Table(
    (Column("layer", "left"), Column("W"), Column("forward", "unit"), Column("")),
    (
        (Text("1", "layer 1"), "2x3", seconds(9e-6), Quantity(0.02, "±")),
        ("", "", seconds(0.8), ""),
        ("total", "6", "", ""),
    ),
)


def lines(*rows, context=UTF8, columns=100):
    return text_of(rows, context, columns).split("\n")


def test_a_table_is_aligned_numbers_to_the_right_and_units_to_the_left():
    assert lines(TABLE) == [
        "layer    W  forward",
        "1      2x3  9.00 µs  ±2%",
        "             800 ms",
        "total    6",
    ]


def test_spoken_it_is_a_fact_for_each_cell_with_the_names_of_row_and_column():
    assert lines(TABLE, context=LINEAR) == [
        "layer 1, W: 2x3",
        "layer 1, forward: 9.00 microseconds, within 2%",
        "layer 1, forward: 800 milliseconds",
        "total, W: 6",
    ]


def test_a_column_can_have_a_head_of_its_own_when_spoken():
    table = Table((Column(""), Column("size", spoken="parameters")), (("GPT-2", "1.5B"),))
    assert lines(table) == ["       size", "GPT-2  1.5B"]
    assert lines(table, context=LINEAR) == ["GPT-2, parameters: 1.5B"]


def test_the_last_column_can_take_as_many_lines_as_it_needs():
    table = Table(
        (Column("", "left"), Column("here", "left"), Column("", "left", wrapped=True)),
        (("a", "2", "one two three four"), ("b", "3", "five")),
    )
    assert lines(table, columns=20) == [
        "   here",
        "a  2     one two",
        "         three four",
        "b  3     five",
    ]
    assert lines(table, context=LINEAR) == ["a, here: 2, one two three four", "b, here: 3, five"]


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (26, "name  size  error  verdict"),
        (25, "name  size  verdict"),
        (18, "name  verdict"),
        (5, "name  verdict"),
    ],
)
def test_a_table_that_is_too_wide_leaves_out_spare_columns_the_last_one_first(columns, head):
    table = Table(
        (Column("name", "left"), Column("size", spare=True), Column("error", spare=True), Column("verdict")),
        (("W1", "4", "", "ok"),),
    )
    assert lines(table, columns=columns)[0] == head
    assert lines(table, context=LINEAR, columns=columns) == ["W1, size: 4", "W1, verdict: ok"]


def test_facts_are_aligned_and_broken_behind_their_names():
    fact = Fact("data", "one two three four")
    assert lines(fact, columns=20) == ["data     one two", "         three four"]
    assert lines(fact, context=LINEAR, columns=20) == ["data: one two three four"]


def test_a_group_names_each_of_its_facts_when_spoken():
    group = Group("screen", (Fact("colors", "256", "of TERM"), Fact("glyphs", "utf-8")))
    assert lines(group) == ["screen", "  colors  256    (of TERM)", "  glyphs  utf-8"]
    assert lines(group, context=LINEAR) == ["screen, colors: 256 (of TERM)", "screen, glyphs: utf-8"]


@pytest.mark.parametrize(
    ("context", "shown"), [(UTF8, "  δ = 2x"), (ASCII, "  delta = 2x"), (LINEAR, "delta = 2 times")]
)
def test_sentences_are_in_the_characters_and_words_of_the_form(context, shown):
    assert lines(Sentence(phrase("δ = {}", ratio(2, 0)), indent=2), context=context) == [shown]


def test_what_is_drawn_is_not_spoken_and_forms_differ():
    rows = Forms((Drawing((line("▁▂▃"),)), BLANK), (Sentence("it rises"),)), Sentence("end")
    assert lines(*rows) == ["▁▂▃", "", "end"]
    assert lines(*rows, context=LINEAR) == ["it rises", "end"]
