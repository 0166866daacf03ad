"""A text is shown as its letters, never as numbers of tokens; outputs at a position as a ranking of letters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.info import DataInfo
from tui_backprop.data.passage import Passage
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain, width
from tui_backprop.render.panels.blame import prediction_lines
from tui_backprop.render.panels.screen_bars import status
from tui_backprop.render.sample_text import SampleText, text_of
from tui_backprop.render.walk.letter_ranking import letter_ranking
from tui_backprop.render.walk.text_strip import text_strip
from tui_backprop.render.walk.value_table import value_table
from tui_backprop.render.walk.walk import walk_panel
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import select, walk_passage

SESSION = from_preset("microgpt")  # sample 2 is anita
POSITION = [*SESSION.network.graph.axes].index("position")
TEXT = SampleText("ab•", ("a", "b", "•"), (2, 0, 1), (0, 1, 2))


def at(snapshots, tensor, position):
    steps = snapshots(select(SESSION, POSITION, position))
    return next(each for each in steps if each.step.tensor == tensor)


def drawn(snapshot, columns=78, rows=19, context=UTF8):
    return [plain(row) for row in walk_panel(snapshot, columns, rows, context)]


def test_the_text_of_a_sample_has_its_letters_and_those_that_follow(snapshots):
    text = text_of(SESSION, snapshots(SESSION)[0].iteration)
    assert (text.word, text.reading, text.following) == ("anita", "•anita", "anita•")


def test_a_text_that_goes_on_after_the_context_says_so(snapshots):
    session = replace(SESSION, network=SESSION.network.changed(context=3))
    text = text_of(session, snapshots(session)[0].iteration)
    assert (text.word, text.reading, text.following) == ("ani…", "•an", "ani")


def test_a_text_of_which_one_letter_counts_has_all_letters_before_it(snapshots):
    session = walk_passage(SESSION, Passage("anita", 4))
    iteration = snapshots(session)[0].iteration
    text = text_of(session, iteration)
    assert (text.reading, text.following) == ("•ani", "   t")
    assert text.label("position", 2) == "2 n"
    target, predicted = (plain(row) for row in prediction_lines(session, iteration, 78))
    assert target.startswith("target       t  loss")
    assert predicted.endswith(" of 1 correct")


def test_a_blank_and_what_is_not_one_column_wide_have_signs():
    assert DataInfo("", 0, 1, characters=" a\t語\u0301").token_signs == "␣a¤¤¤•"


def test_the_status_bar_says_the_word(snapshots):
    assert "sample 2, anita" in plain(status(SESSION, snapshots(SESSION)[0], None, 120, UTF8))


def test_tokens_have_no_norm(snapshots):
    first = snapshots(SESSION)[0]
    rows = [plain(row) for row in value_table(first, 60, 60, UTF8)]
    for name, letters in (("x", "•anita"), ("t", "anita•")):
        (row,) = [each for each in rows if each.split()[0] == name]
        assert row.split() == [name, letters]
    assert all("x[0]" not in row for row in drawn(first))


def test_the_strip_has_a_letter_and_its_target_below_each_position():
    position, reads, target, _ = (plain(row) for row in text_strip(TEXT, 1, "forward", 40, 8, UTF8))
    assert [position.split()[1:], reads.split()[1:], target.split()[1:]] == [[*"012"], [*"•ab"], [*"ab•"]]
    assert [position.index("1"), reads.index("a", 8)] == [target.index("b")] * 2


def test_the_chosen_position_of_a_long_text_is_in_sight():
    text = replace(TEXT, read=(0, 1) * 40, follows=(1, 0) * 40)
    lines = [plain(row) for row in text_strip(text, 77, "forward", 40, 6, UTF8)]
    assert "77" in lines[0].split()


def test_arrays_of_a_batch_say_that_they_are_of_its_first_sample(snapshots):
    batch = next(each for each in snapshots(replace(SESSION, batch=3)) if each.step.tensor == "A1")
    assert any("A1 (4,16,16)  first of 3" in row for row in drawn(batch, 118, 36))


def test_letters_are_ranked_with_target_and_prediction_whatever_their_rank():
    values = np.arange(27.0) / 100
    text = replace(TEXT, signs="abcdefghijklmnopqrstuvwxyz•", read=(26, 0, 1))
    lines = [plain(row) for row in letter_ranking(text, values, 1, 26, "forward", 40, 6, UTF8)]
    assert lines[0] == "position 1 of 3, after •a"
    assert [line[:3] for line in lines[1:-1]] == ["▸ •", "  z", "  y", "◆ b"]
    assert "not shown" in lines[-1]


def test_a_gradient_ranks_letters_by_its_size():
    values = np.array([0.1, -0.9, 0.3])
    lines = [plain(row) for row in letter_ranking(TEXT, values, 0, 1, "backward", 40, 6, UTF8)]
    assert [line[2] for line in lines[1:4]] == ["b", "•", "a"]
    assert "−0.9" in lines[1]


@pytest.mark.parametrize("tensor", ["z", "L", "dz"])
def test_outputs_are_letters_at_the_chosen_position(snapshots, tensor):
    text = "\n".join(drawn(at(snapshots, tensor, 3)))
    assert "position 3 of 6, after •ani" in text
    assert "◆ t" in text


@pytest.mark.parametrize("context", [UTF8, ASCII])
@pytest.mark.parametrize(("columns", "rows"), [(10, 2), (24, 3), (38, 8), (80, 30)])
def test_letters_fit(columns, rows, context):
    values = np.array([0.1, -0.9, np.nan])
    for lines in (
        letter_ranking(TEXT, values, 0, 1, "forward", columns, rows, context),
        text_strip(TEXT, 0, "forward", columns, rows, context),
    ):
        assert len(lines) <= rows
        assert all(columns < 30 or width(row) <= columns for row in lines)
