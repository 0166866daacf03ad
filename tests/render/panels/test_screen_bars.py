"""The strips around the panels: what comes first where there is little room."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.keys.panel_row import TEXT
from tui_backprop.keys.panel_table import PANEL_ROWS, PANELS
from tui_backprop.keys.table import KEYS, bar, panel_key
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.screen_bars import LONG_WORDS_COLUMNS, key_bar, status, tabs
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training, after_update

SETS = pytest.mark.parametrize("context", [UTF8, ASCII], ids=["utf-8", "ascii"])
WRONG = Session(sample=1449)  # a 7


@pytest.fixture
def top(snapshots):
    """A function: the top line of a session's step (the last one: -1)."""

    def of(session, columns, at=0, context=UTF8, speed=None):
        snapshot = snapshots(session)[at]
        row = status(snapshot.session, snapshot, speed, columns, context)
        assert width(row) <= columns
        return plain(row)

    return of


def test_a_wrong_reading_is_told_at_length_where_there_is_room_and_else_in_brief(top):
    assert 'sample 1449, a "7", predicted 4' in top(WRONG, 120)
    assert "sample 1449: 7, pred. 4" in top(WRONG, 80, at=0)
    assert "sample 1449 7→4" in top(WRONG, 80, at=-1)
    assert "sample 1449 7->4" in top(WRONG, 78, at=-1, context=ASCII)
    assert 'sample 0, a "1"' in top(Session(), 120)


def test_a_sample_without_a_prediction_is_neither_correct_nor_wrong(top):
    lost = Session(NetworkSpec((784, 30, 30, 10), init="normal:1e19"), sample=1449)
    assert 'sample 1449, a "7", no prediction' in top(lost, 120)
    assert "sample 1449 7→?" in top(lost, 60, at=-1)
    assert "sample 1449 7->?" in top(lost, 60, at=-1, context=ASCII)


def test_the_iteration_has_one_name_in_80_columns(top):
    small = Session(from_preset("xor").network, "xor", batch=4)
    for at in (0, -1):
        assert "iter 0, step" in top(small, 80, at)
        assert "iteration 0, step" in top(small, 120, at)


def test_a_right_reading_is_not_told(top):
    trained = Session()
    for _ in range(10):
        trained = after_update(trained)
    assert 'sample 0, a "1"   ' in top(trained, 80)


@SETS
@pytest.mark.parametrize("columns", [60, 80, 100, 120])
def test_the_sample_stays_at_the_last_step_of_a_late_iteration(top, columns, context):
    late = replace(after_training(Session(batch=32), 1000), sample=1449, batch=1)
    for at in (0, -1):
        text = top(late, columns, at, context)
        assert "sample 1449" in text
        assert "1,000, step" in text or columns == 60 or context.plain
        assert "loss " in text


def test_the_name_goes_before_anything_that_is_about_the_network(top):
    assert "backprop-tui" not in top(Session(), 60)
    assert "784·256·256·256·10" in top(Session(), 80)
    assert top(Session(), 120).startswith(" backprop-tui   784·256·256·256·10 relu   sample")
    assert "335,114 parameters" in top(Session(), 140)
    assert "playing 2/s" in top(Session(), 60, speed=2)


@SETS
@pytest.mark.parametrize("sample", [0, 1101, 1449])
@pytest.mark.parametrize("batch", [1, 32])
def test_the_network_stays_in_80_columns_and_the_name_is_the_first_to_go(top, sample, batch, context):
    late = replace(after_training(Session(batch=32), 1101), sample=sample, batch=batch)
    layers = context.text("784·256·256·256·10")
    for at in (0, 1, -1):
        assert layers in top(late, 80, at, context)
        for columns in range(20, 200, 3):
            text = top(late, columns, at, context)
            assert "backprop-tui" not in text or f"{layers} relu   " in text
            assert "backprop-tui" not in text or "iteration 1,101" in text or columns < LONG_WORDS_COLUMNS


def test_the_network_s_form_is_left_by_f_keys_and_the_table_of_keys_agrees():
    for columns, panels in ((60, 7), (80, 9), (120, 10)):
        text = plain(tabs("network", columns, UTF8))
        assert len(text) <= columns
        assert len(re.findall(r"F\d+ [a-z]+", text)) == len(re.findall(r"F\d+", text)) == panels
    for name in [name for name in PANELS if not PANEL_ROWS[name].needs]:
        key = panel_key(name, typing=True)
        assert key[0] == "F"
        (row,) = [row for row in KEYS if key.lower() in row.keys.split(",")]
        assert row.action == f"panel('{name}')"
        assert f"{key} {name}" in plain(tabs("network", 120, UTF8))
    assert " 2 walk " in plain(tabs("cost", 120, UTF8))


def test_a_panel_that_needs_a_text_is_a_tab_where_there_is_one_or_where_it_is_open():
    assert " G text" in plain(tabs("walk", 120, UTF8))
    assert "text" not in plain(tabs("walk", 120, UTF8, (TEXT,)))
    assert " G text" in plain(tabs("text", 120, UTF8, (TEXT,)))
    assert "text" not in plain(tabs("network", 120, UTF8))  # no key opens it while a letter is typed


@pytest.mark.parametrize("current", [*PANELS, "race"])
def test_the_current_panel_has_its_name_and_the_first_ones_do(current):
    for columns in (60, 70, 80, 100):
        text = plain(tabs(current, columns, UTF8))
        assert len(text) <= columns
        assert {"race": "cost", "network": "net", "number": "num", "bookmarks": "marks"}.get(
            current, current
        ) in text
        assert "walk" in text


@SETS
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("place", ["walk", "blame", "network", "bookmarks"])
def test_a_notice_takes_the_place_of_the_last_keys_but_help_and_quit(place, columns, context):
    pairs = bar(place)
    usual, row = (plain(key_bar(*pairs, columns, context, notice)) for notice in ("", "undone: sample 12"))
    assert " undone: sample 12 " in row
    assert len(row) <= columns
    tail = row[row.index("undone: sample 12") + 17 :].lstrip()
    assert usual.endswith(tail)
    assert len(tail.split("  ")) == 3 + (place == "walk")
    start = row.index(" undone")
    assert usual[:start].rstrip() == row[:start].rstrip()


def test_a_notice_that_is_too_long_is_cut():
    row = plain(key_bar(*bar("walk"), 60, UTF8, "a" * 99))
    assert len(row) <= 60
    assert "a… " in row


def test_the_keys_of_the_main_question_fit_into_80_columns():
    text = plain(key_bar(*bar("blame"), 80, UTF8))
    for keys in ("↑ ↓", "← →", "m measure", "+ − change", "x zero it", "X flip"):
        assert keys in text


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_the_walk_names_the_key_that_finds_at_every_width(columns):
    assert " / find  ? help  q quit" in plain(key_bar(*bar("walk"), columns, UTF8))


@pytest.mark.parametrize(
    ("name", "word"), [("lesson", "layer"), ("micrograd", "statement"), ("microgpt", "block")]
)
def test_brackets_go_on_to_the_next_part_of_the_model(name, word):
    pairs, _ = bar("walk", part=from_preset(name).network.part)
    assert ("[ ]", word) in pairs
