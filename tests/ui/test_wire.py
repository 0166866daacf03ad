"""What goes over the wire is shorter, and a terminal shows the very same of it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.ui.wire import Pen, Wire, change

EXPLORE = settings(derandomize=True, deadline=None, max_examples=300)
COLUMNS, ROWS = 12, 200  # so many that nothing scrolls: Textual never does

CODES = st.sampled_from(
    ["0", "", "1", "2", "3", "4", "7", "9", "22", "23", "24", "27", "29", "31", "39", "42", "49", "91", "107",
     "38;5;81", "48;5;233", "38;2;1;2;3", "48;2;9;8;7", "1;38;5;231;48;5;235", "0;1", "38;5;7;7"]
)  # fmt: skip
PIECES = st.one_of(
    CODES.map(lambda codes: f"\x1b[{codes}m"),
    st.text("ab ━δ", min_size=1, max_size=4),
    st.tuples(st.integers(1, 5), st.integers(1, COLUMNS)).map(lambda at: f"\x1b[{at[0]};{at[1]}H"),
    st.sampled_from(["\r\n", "\x1b[?2026h", "\x1b[?2026l", "\x1b[?25l", "\x1b[2J", "\x1b[K"]),
)


def shown(*data: str):
    """The cells of a terminal, with their looks."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for part in data:
        stream.feed(part)
    return [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(ROWS)]


@EXPLORE
@given(st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=6))
def test_the_same_is_shown_whatever_comes_and_however_it_is_cut(parts):
    wire = Wire()
    short = [wire.short(part) for part in parts]
    assert shown(*short) == shown(*parts)


@EXPLORE
@given(st.lists(CODES, max_size=5), st.lists(CODES, max_size=5))
def test_a_change_from_any_style_to_any_other_is_the_shortest_of_two(one, other):
    def after(codes):
        pen = Pen()
        for code in codes:
            pen = pen.told(code)
        return pen

    now, wanted = after(one), after(other)
    told = change(now, wanted)
    before = "".join(f"\x1b[{code}m" for code in one)
    assert shown(before, told, "x") == shown("".join(f"\x1b[{code}m" for code in other), "x")
    assert (told == "") == (now == wanted)


def test_a_style_taken_back_and_given_again_is_not_sent():
    wire = Wire()
    piece = "\x1b[38;5;81;48;5;233m{}\x1b[0m"
    sent = wire.short(piece.format("a") + piece.format("b") + "\x1b[38;5;251;48;5;233mc\x1b[0m")
    assert sent == "\x1b[38;5;81;48;5;233mab\x1b[38;5;251mc"
    assert wire.short("\x1b[38;5;251;48;5;233md\x1b[0m") == "d"


def test_of_moves_only_the_last_is_sent_and_a_frame_s_ends_settle_nothing():
    wire = Wire()
    assert wire.short("\x1b[?2026h\x1b[3;4H\r\n\x1b[5;6H") == "\x1b[?2026h"
    assert wire.short("x\r\n") == "\x1b[5;6Hx"
    assert wire.short("\x1b[1;1Hy\x1b[?2026l") == "\x1b[1;1Hy\x1b[?2026l"


def test_all_is_settled_before_anything_else_is_sent():
    wire = Wire()
    wire.short("\x1b[1;31mx\x1b[0m")
    assert wire.short("\x1b[?1049l") == "\x1b[m\x1b[?1049l"


@pytest.mark.parametrize("codes", ["58;5;3", "38;5", "38;9;1", "73"])
def test_a_style_that_is_not_understood_is_passed_on_and_the_next_one_told_in_full(codes):
    wire = Wire()
    wire.short("\x1b[31mx")
    assert f"\x1b[{codes}m" in wire.short(f"\x1b[{codes}my")
    assert wire.short("\x1b[32mz").startswith("\x1b[")
