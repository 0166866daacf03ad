"""The check that lines fit their room finds what is planted."""

from __future__ import annotations

import pytest

from tests.render.room import STRICT_ASCII, faults
from tui_backprop.render.draw.context import UTF8
from tui_backprop.render.draw.spans import line

GOOD = [line(("loss ", "muted"), "0.5"), (), line(("δ1 → 0", "backward"))]


def test_what_fits_has_no_fault():
    assert faults(GOOD, 8, 3, UTF8, whole=True) == []
    assert faults([STRICT_ASCII.fit(row) for row in GOOD], 11, 3, STRICT_ASCII) == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        (line(("a" * 9, "text")), "9 columns in 8"),
        (line(("損失", "text")), "not one column wide"),
        (line(("e\u0301", "text")), "not one column wide"),
        (line(("a\tb", "text")), "a control character"),
        (line(("\x1b[1m", "text")), "a control character"),
        (line(("a\u200bb", "text")), "a control character"),
        (line(("a", "shiny")), "an unknown role"),
        (line("too l", ("…", "mark")), "cut"),
        (line(("1", "faint")), "a tone that is not for reading"),
    ],
)
def test_a_planted_fault_is_found_and_named(planted, fault):
    (found,) = faults([*GOOD[:2], planted], 8, 3, UTF8, whole=True)
    assert found.startswith("line 2: ")
    assert fault in found


def test_a_row_too_many_and_no_row_at_all_are_found():
    assert faults([*GOOD, ()], 8, 3, UTF8) == ["4 lines in 3 rows"]
    assert faults([], 8, 3, UTF8) == ["0 lines in 3 rows"]


def test_what_is_not_ascii_is_found_and_what_cannot_become_ascii_is_refused():
    assert len(faults(GOOD, 11, 3, STRICT_ASCII)) == 1
    assert STRICT_ASCII.text("why? α") == "why? alpha"
    with pytest.raises(AssertionError, match="without a plain form"):
        STRICT_ASCII.text("損")
