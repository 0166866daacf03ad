"""The table of what is read as what."""

from __future__ import annotations

import pytest

from tui_backprop.ui.renderables.confusion import Confusion, confusion_lines, rows_of
from tui_backprop.ui.renderables.glyphs import ASCII, UTF8
from tui_backprop.ui.renderables.spans import plain, width

TWO = Confusion([[3, 1], [0, 4]])
TEN = Confusion([[400 * (t == s) + (7 * t + s) % 13 for s in range(10)] for t in range(10)])


def test_the_cursor_starts_at_the_commonest_mistake_and_goes_round():
    assert TWO.cursor == (0, 1)
    assert TWO.moved(1, 0).cursor == (1, 1)
    assert TWO.moved(0, 1).cursor == (0, 0)
    assert TWO.moved(-1, -1).cursor == (1, 0)


def test_what_is_under_the_cursor_is_said_in_words():
    text = [plain(row) for row in confusion_lines(TWO, 60, UTF8)]
    assert "0, read as 1: 1 sample" in text
    assert "7 of 8 are read right (87.5%)" in text
    assert any(row.split() == ["0", "3", "1", "1"] for row in text)
    assert any(row.split() == ["1", "·", "4", "0"] for row in text)
    assert "1, read as 0: none" in [plain(row) for row in confusion_lines(TWO.moved(1, 1), 60, UTF8)]


@pytest.mark.parametrize("glyphs", [UTF8, ASCII])
@pytest.mark.parametrize("columns", [54, 70])
def test_ten_classes_fit(columns, glyphs):
    lines = confusion_lines(TEN, columns, glyphs)
    assert all(width(row) <= columns for row in lines)
    assert len(lines) <= rows_of(TEN)
    if glyphs.plain:
        assert all(plain(row).isascii() for row in lines)
