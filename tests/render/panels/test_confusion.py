"""The confusion matrix."""

from __future__ import annotations

import pytest

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import plain
from tui_backprop.render.panels.confusion import Confusion, confusion_lines, footer

TWO = Confusion([[3, 1], [0, 4]])
TEN = Confusion([[400 * (t == s) + (7 * t + s) % 13 for s in range(10)] for t in range(10)])


def test_the_cursor_starts_at_the_commonest_mistake_and_stops_at_the_edges():
    assert TWO.cursor == (0, 1)
    assert TWO.moved(1, 0).cursor == (1, 1)
    assert TWO.moved(0, 1).cursor == (0, 1)
    assert TWO.moved(-1, -1).cursor == (0, 0)


def test_two_digits_are_a_cell():
    half = TEN.typed(7)
    assert half.cursor[0] == 7
    assert "label 7, predicted _" in plain(confusion_lines(half, 60, UTF8)[-2])
    assert half.typed(2) == Confusion(TEN.counts, (7, 2))
    assert half.moved(1, 0).half is False
    assert half.typed(2).typed(4).typed(1).cursor == (4, 1)
    assert TWO.typed(2) == TWO  # no such class


def test_an_empty_cell_says_what_to_do_when_it_is_asked():
    empty = TWO.moved(1, -1)
    assert (empty.cursor, empty.count) == ((1, 0), 0)
    text = [plain(row) for row in confusion_lines(empty.asked(), 60, UTF8)]
    assert "label 1, predicted 0: none yet: esc, then train (9)" in text
    assert empty.asked().moved(0, 1).refused is False


@pytest.mark.parametrize("context", [UTF8, ASCII])
def test_the_footer_names_how_to_move_as_far_as_there_is_room(context):
    whole = "↑ ↓ ← → move  type 72  enter show one  e any error  esc close"
    assert footer(10, 72, context) == context.text(whole) or context.plain
    assert "type 12" in footer(3, 90, context)
    for columns in range(36, 90):
        text = footer(10, columns, context)
        assert len(text) <= columns
        assert text.startswith(context.text("↑ ↓ ← →")) == (
            columns >= len(context.text("↑ ↓ ← → cell  enter show one  esc close"))
        )
        assert text.endswith("esc close")


def test_what_is_under_the_cursor_is_said_in_words():
    text = [plain(row) for row in confusion_lines(TWO, 60, UTF8)]
    assert "label 0, predicted 1: 1 sample" in text
    assert "accuracy 87.5%: 7 of 8 correct" in text
    assert any(row.split() == ["0", "3", "1", "1"] for row in text)
    assert any(row.split() == ["1", "·", "4", "0"] for row in text)
    assert "label 1, predicted 0: none" in [plain(row) for row in confusion_lines(TWO.moved(1, -1), 60, UTF8)]


def test_samples_without_a_prediction_have_a_column_and_are_not_correct():
    text = [plain(row) for row in confusion_lines(Confusion([[3, 1], [0, 4]], none=[2, 0]), 76, UTF8)]
    assert text[1].split() == ["label", "0", "1", "wrong", "none"]
    assert any(row.split() == ["0", "3", "1", "1", "2"] for row in text)
    assert text[-1] == "accuracy 70.0%: 7 of 10 correct; no prediction for 2: outputs not finite"
    narrow = [plain(row) for row in confusion_lines(Confusion([[3, 1], [0, 4]], none=[2, 0]), 60, UTF8)]
    assert narrow[-1] == "accuracy 70.0%: 7 of 10 correct; 2 without prediction"
    assert Confusion([[3, 1], [0, 4]], none=[2, 0]).moved(1, 0).none == [2, 0]


def test_where_nothing_is_predicted_there_is_no_accuracy():
    text = " ".join(plain(row) for row in confusion_lines(Confusion([[0, 0], [0, 0]], none=[6, 4]), 76, UTF8))
    assert "no prediction for any of 10 samples: outputs not finite" in text
    assert "accuracy" not in text
