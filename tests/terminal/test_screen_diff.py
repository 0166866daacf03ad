"""What goes over the wire is what is different, and a terminal shows the very same of it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.terminal.screen_diff import ScreenDiff
from tui_backprop.terminal.sgr import SgrStyle, style_change

EXPLORE = settings(derandomize=True, deadline=None, max_examples=300)
COLUMNS, ROWS = 24, 8

CODES = st.sampled_from(
    ["0", "", "1", "2", "3", "4", "7", "9", "22", "23", "24", "27", "29", "31", "39", "42", "49", "91", "107",
     "38;5;81", "48;5;233", "38;2;1;2;3", "48;2;9;8;7", "1;38;5;231;48;5;235", "0;1", "38;5;7;7"]
)  # fmt: skip
TEXTS = st.text("ab ━δ", min_size=1, max_size=6) | st.sampled_from(["a" + 12 * " ", 9 * " ", 11 * " " + "b"])
STYLED = st.tuples(st.lists(CODES, max_size=3), TEXTS).map(
    lambda piece: "".join(f"\x1b[{codes}m" for codes in piece[0]) + piece[1]
)


@st.composite
def paintings(draw):
    """A region painted anew, as Textual does it: pieces of lines, with moves to each."""
    parts = []
    for _ in range(draw(st.integers(0, 5))):
        x, y = draw(st.integers(1, COLUMNS - 12)), draw(st.integers(1, ROWS))
        parts.append(f"\x1b[{y};{x}H{draw(STYLED)}")
        parts.append(
            draw(st.sampled_from(["", "\x1b[0m", "\x1b[?2026h", "\x1b[?2026l", "\x1b[?25l", "\x1b[2J"]))
        )
    return "".join(parts)


def look(cell):
    """What is seen of a cell: of a blank, not in which color it would write, unless a flag shows that."""
    if cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough):
        return " ", cell.bg
    return cell


def shown(*data: str):
    """What is seen of a terminal."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for part in data:
        stream.feed(part)
    return [[look(screen.buffer[y][x]) for x in range(COLUMNS)] for y in range(ROWS)]


def sent(diff, *data: str) -> str:
    for part in data:
        diff.paint(part)
    return diff.take_passthrough() + diff.take_update()


def without_clearing(part: str) -> str:
    return part.replace("\x1b[2J", "")


@EXPLORE
@given(st.lists(paintings(), max_size=6))
def test_the_same_is_shown_whatever_is_painted(parts):
    parts = [without_clearing(part) for part in parts]
    for erases in (False, True):
        diff = ScreenDiff(erases)
        short = [sent(diff, part) for part in parts]
        assert shown(*short) == shown(*parts)


@EXPLORE
@given(st.lists(paintings(), max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_the_last_of_it_is_shown_however_many_frames_are_left_out(parts, free):
    parts = [without_clearing(part) for part in parts]
    diff, short = ScreenDiff(), []
    for part, goes in zip(parts, free, strict=False):
        diff.paint(part)
        short.append(diff.take_passthrough() + (diff.take_update() if goes else ""))
    short.append(diff.take_update())
    assert shown(*short) == shown(*parts)


@EXPLORE
@given(st.lists(paintings(), min_size=1, max_size=5))
def test_after_something_that_is_not_understood_all_is_sent_anew(parts):
    """As after a clearing of the screen by somebody else."""
    parts = [without_clearing(part) for part in parts]
    diff = ScreenDiff()
    short = [sent(diff, part) for part in parts]
    diff.invalidate()
    assert shown(*short, "\x1b[m\x1b[2J", diff.take_update()) == shown(*parts)


def test_nothing_is_sent_for_what_is_shown_already():
    diff = ScreenDiff()
    painted = "\x1b[2;3H\x1b[38;5;81;48;5;233mab\x1b[0m"
    assert "ab" in sent(diff, painted)
    assert sent(diff, painted) == ""
    assert sent(diff, "\x1b[2;3H\x1b[38;5;81;48;5;233mac\x1b[0m") == "\x1b[2;4Hc"  # the style is set


def test_of_a_long_line_only_the_cells_that_changed_are_sent():
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1H" + "0123456789" * 4)
    text = list("0123456789" * 4)
    text[3], text[30], text[32] = "x", "y", "z"
    assert sent(diff, "\x1b[1;1H" + "".join(text)) == "\x1b[1;4Hx\x1b[26Cy1z"


def test_blanks_need_no_change_of_what_is_not_seen_there():
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1H\x1b[31;40ma")
    assert sent(diff, "\x1b[31;40mb\x1b[32;40m \x1b[31;40mc") == "\x1b[1;2Hb c"
    assert "\x1b[" in sent(diff, "\x1b[4;31;40m ")


def test_cells_of_one_style_are_written_together():
    diff = ScreenDiff()
    table = [
        f"\x1b[{y};1H" + "".join(f"\x1b[3{n}m{text}" for n in (1, 2, 3)) for y in (1, 2, 3, 4) for text in "x"
    ]
    drawn = sent(diff, *table)
    assert drawn.count("m") == 1 + 3  # a reset, and each style once
    assert shown(drawn) == shown(*table)


def test_the_style_of_the_last_update_comes_first():
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1H\x1b[31ma\x1b[32mbx")
    assert sent(diff, "\x1b[1;1H\x1b[31mc\x1b[32md") == "\x1b[1;2Hd\x1b[31m\rc"


def test_the_cursor_moves_in_the_fewest_bytes():
    diff = ScreenDiff()
    sent(diff, *(f"\x1b[{y};1H" + 24 * "-" for y in range(1, 9)))
    for painted, expected in {
        "\x1b[2;3Ha": "\x1b[2;3Ha",
        "\x1b[3;4Hb": "\vb",  # not a line feed, which becomes a carriage return as well
        "\x1b[5;2Hc": "\v\v\b\b\bc",
        "\x1b[6;1Hd": "\v\rd",
        "\x1b[6;20He": "\x1b[18Ce",
        "\x1b[1;1Hf": "\x1b[1Hf",
    }.items():
        assert sent(diff, painted) == expected


def test_many_blanks_are_erased_where_that_keeps_the_background():
    for erases, expected in ((True, "\x1b[1;2H\x1b[30X"), (False, "\x1b[1;2H" + 30 * " ")):
        diff = ScreenDiff(erases)
        sent(diff, "\x1b[1;1H\x1b[31;40m" + 31 * "x")
        assert sent(diff, "\x1b[1;2H" + 30 * " ") == expected


def test_a_frame_is_marked_once_the_terminal_is_known_to_wait_for_its_end():
    diff = ScreenDiff()
    assert sent(diff, "a") == "\x1b[m\x1b[1Ha"
    assert sent(diff, "\x1b[?2026h", "b", "\x1b[?2026l") == "\x1b[?2026h\x1b[1;2Hb\x1b[?2026l"
    assert sent(diff, "\x1b[?2026h", "\x1b[?2026l") == ""


@pytest.mark.parametrize(
    ("code", "forgotten"),
    [
        ("\x1b[?25l", False),
        ("\x1b[?2004h", False),
        ("\x1b[?2048$p", False),
        ("\x1b[>1u", False),
        ("\x1b]52;c;YQ==\x07", False),
        ("\x1b]0;title\x1b\\", False),
        ("\x07", False),
        ("\x1b[6n", False),
        ("\x1b[?1049h", True),
        ("\x1b[2J", True),
        ("\x1b[K", True),
        ("\x1bc", True),
        ("\b", True),
    ],
)
def test_what_is_no_drawing_is_passed_on_at_once(code, forgotten):
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1Hab")
    diff.paint(code)
    assert diff.take_passthrough() == code
    assert diff.take_passthrough() == ""
    assert ("ab" in diff.take_update()) == forgotten


def test_after_a_change_of_size_what_fits_is_sent_anew():
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1Habcdef\x1b[5;1Hxyz")
    diff.resize(4, 4)
    drawn = diff.take_update()
    assert "abcd" in drawn
    assert "e" not in drawn
    assert "x" not in drawn


def test_what_is_painted_outside_of_the_terminal_is_not_sent():
    """As for a moment after it became smaller: a line below its last one would have all of them scroll."""
    diff = ScreenDiff()
    diff.resize(6, 3)
    drawn = sent(diff, "\x1b[2;1Hab\r\ncdefghijkl\r\nxyz\x1b[1;9Hpq")
    assert "cdefg" in drawn
    assert not set(drawn) & set("jkxyzpq")
    screen = pyte.Screen(6, 3)
    pyte.Stream(screen).feed(drawn)
    assert [row.rstrip() for row in screen.display] == ["", "ab", "cdefgh"]


def test_characters_that_take_two_columns_or_none_keep_their_place():
    diff = ScreenDiff()
    parts = ["\x1b[1;1H漢字ab", "\x1b[1;5Hxy", "\x1b[1;1Hpq", "\x1b[2;1He\u0301x", "\x1b[2;2Hy"]
    short = [sent(diff, part) for part in parts]
    assert shown(*short) == shown(*parts)


@EXPLORE
@given(st.lists(CODES, max_size=5), st.lists(CODES, max_size=5))
def test_a_change_from_any_style_to_any_other_is_the_shortest_of_two(one, other):
    def after(codes):
        style = SgrStyle()
        for code in codes:
            style = style.apply(code)
        return style

    now, wanted = after(one), after(other)
    told = style_change(now, wanted)
    before = "".join(f"\x1b[{code}m" for code in one)
    assert shown(before, told, "x") == shown("".join(f"\x1b[{code}m" for code in other), "x")
    assert (told == "") == (now == wanted)


@pytest.mark.parametrize("codes", ["58;5;3", "38;5", "38;9;1", "73"])
def test_a_style_that_is_not_understood_is_passed_on_and_the_next_one_told_in_full(codes):
    diff = ScreenDiff()
    sent(diff, "\x1b[1;1H\x1b[31mx")
    assert f"\x1b[{codes}m" in sent(diff, f"\x1b[{codes}my")
    assert "\x1b[32m" in sent(diff, "\x1b[32mz")
