"""Bytes from a terminal, in any split, become the same messages; what is no key is never typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.messages import TerminalSupportsSynchronizedOutput

from tui_backprop.terminal.input_parser import (
    ESCAPE_TIME,
    LONGEST_CONTROL,
    MOST_PASTED,
    SEQUENCE_TIME,
    CursorReport,
    InputParser,
)

LONG = 9.0  # seconds, more than anything waits for
PIECES = [
    b"\x1b", b"[", b"O", b"P", b"]", b"200~", b"201~", b"1;2", b"R", b"u", b"M", b"<", b"?", b"$", b"y", b"\x07",
    b"\\", b"\xff", b"\xc3", b"\xa9", b"a", b"\r", b"\x03", b";", b":", b"9" * 9, b"1" * 70, b" ", b"t", b"~", b"A",
    b"57399",
]  # fmt: skip


def read(data: bytes, cuts: tuple[int, ...] = ()) -> list[tuple[str, object, object]]:
    """What comes of bytes that arrive in pieces, and of a pause after them."""
    parser, found, last = InputParser(), [], 0
    for cut in (*sorted(cuts), len(data)):
        found += parser.feed(data[last:cut])
        last = cut
    found += parser.expire(LONG)
    assert not parser.incomplete
    return [shown(message) for message in found]


def shown(message) -> tuple[str, object, object]:
    what = getattr(message, "key", None) or getattr(message, "text", None) or getattr(message, "keys", None)
    return type(message).__name__, str(what), getattr(message, "character", None)


def keys(data: bytes) -> list[str]:
    """The keys alone, all else by the names of their classes."""
    return [what if kind == "Key" else kind for kind, what, _ in read(data)]


@pytest.mark.parametrize("sequence", [s for s in ANSI_SEQUENCES_KEYS if not s.endswith("R")])
def test_every_key_that_textual_knows_has_the_same_name(sequence):
    theirs = XTermParser()
    right = [*theirs.feed(sequence), *theirs.feed("")]
    assert read(sequence.encode()) == [shown(message) for message in right]


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.lists(st.integers(0, 200), max_size=6))
def test_any_split_of_sequences_gives_the_same(pieces, cuts):
    data = b"".join(pieces)
    assert read(data, tuple(min(cut, len(data)) for cut in cuts)) == read(data)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_any_split_of_any_bytes_gives_the_same(data, cuts):
    assert read(data, tuple(min(cut, len(data)) for cut in cuts)) == read(data)


@pytest.mark.parametrize(
    ("data", "right"),
    [
        (b"\xff", ["replacement_character"]),
        (b"\xe4x", ["replacement_character", "x"]),  # a Latin-1 letter, and a key
        (b"\x1b[M \xf5\xf5q", ["q"]),  # an old mouse report beyond column 95
        (b"\x1b[1114112uq", ["q"]),  # beyond the last character
        (b"\x1b[55296uq", ["q"]),  # half a character
        (b"\x1b[57399;2:3uq", ["q"]),  # a key of the keypad is released
        (b"\x1b[97;1:3uq", ["q"]),
        (b"\x1b[57441uq", ["q"]),  # shift by itself
        (b"\x1b[48;99999;99999;1;1tq", ["q"]),  # a size that nobody asked for
        (b"\x1b]11;rgb:0000/0000/0000\x07q", ["q"]),  # the color of the background
        (b"\x1b]11;rgb:0000/0000/0000\x1b\\q", ["q"]),
        (b"\x1b[?62;22cq", ["q"]),  # device attributes
        (b"\x1b[>1;4000;13cq", ["q"]),
        (b"\x1bP>|terminal 1.2\x1b\\q", ["q"]),  # a version
        (b"\x1b_application\x1b\\\x1b^privacy\x1b\\\x1bXstart\x1b\\q", ["q"]),
        (b"\x1b]52;c;" + b"QUFB" * 25_000 + b"\x1b\\q", ["q"]),  # the clipboard
        (b"\x1b[?1u\x1b[?2031;1$yq", ["q"]),
        (b"\x1b[" + b"1;" * LONGEST_CONTROL + b"mq", ["q"]),
        (b"\x1b[" + b"9" * 5000 + b"uq", ["q"]),
        (b"\x1b[" + b"1" * 5000 + b"Aq", ["q"]),
        (b"\x1b[" + b"1" * 5000 + b"\x1b[Aq", ["up", "q"]),
        (b"\x1b]0;cut short\x1b[Aq", ["up", "q"]),  # a sequence ends a string
        (b"\x1b]0;cut short\x03q", ["ctrl+c", "q"]),  # so does a key that no string contains
        (b"\x1b[1;\x03q", ["ctrl+c", "q"]),  # a control character ends a sequence
        (b"\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
        (b"\x1b[<0;5;7M", ["MouseDown"]),
        (b"\x1b[<0;99999999999;7Mq", ["q"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1b\x1bOR\x1b\x1b[13~\x1b\x1b[13u", ["escape", "f3"] * 2 + ["escape", "enter"]),
        (b"\x1b\x1b\x1b[21~", ["escape", "escape", "f10"]),
        (b"\x1bx", ["alt+x"]),
        (b"\x1b\xc3\xa9", ["alt+\xe9"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_only_keys_are_keys(data, right):
    assert keys(data) == right


def test_keys_of_the_keypad_act_as_the_keys_that_they_double():
    twins = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    twins += ["full_stop", "slash", "asterisk", "minus", "plus", "enter", "equals_sign", "comma"]
    twins += ["left", "right", "up", "down", "pageup", "pagedown", "home", "end", "insert", "delete"]
    assert [keys(f"\x1b[{number}u".encode()) for number in range(57399, 57427)] == [[twin] for twin in twins]
    assert keys(b"\x1b[57417;5u") == ["ctrl+left"]
    assert keys(b"\x1b[57400;1;49u") == ["1"]  # with its text


def test_a_paste_keeps_its_text_and_ends_where_it_says():
    parser = InputParser()
    text = "one\ttwo\r\n\x1b[A é\u4e2d"
    (found,) = parser.feed(b"\x1b[200~" + text.encode() + b"\0\x1b[201~")
    assert isinstance(found, events.Paste)
    assert found.text == text


def test_a_paste_is_bounded_and_one_without_an_end_is_over_after_a_pause():
    parser = InputParser()
    assert parser.feed(b"\x1b[200~" + b"x" * (MOST_PASTED + 9)) == []
    (found,) = parser.expire(SEQUENCE_TIME)
    assert found.text == "x" * MOST_PASTED
    assert [key.key for key in parser.feed(b"q")] == ["q"]


def test_an_escape_alone_is_a_key_after_a_pause_and_not_before():
    parser = InputParser()
    assert parser.feed(b"\x1b") == parser.expire(ESCAPE_TIME / 2) == []
    assert [key.key for key in parser.expire(ESCAPE_TIME)] == ["escape"]
    assert parser.expire(LONG) == []


@pytest.mark.parametrize(
    ("begun", "key"),
    [(b"\x1b[", "left_square_bracket"), (b"\x1b]", "right_square_bracket"), (b"\x1bP", "alt+shift+p")],
)
def test_alt_and_a_character_that_begins_a_sequence_is_a_key_after_a_pause(begun, key):
    assert keys(begun) == [key]


def test_what_is_begun_and_never_ended_swallows_nothing_after_a_pause():
    for begun in (b"\x1b]52;c;QUFB", b"\x1b[12;", b"\x1bPq", b"\xe4\xb8"):
        parser = InputParser()
        before = parser.feed(begun) + parser.expire(SEQUENCE_TIME)
        assert all(key.key == "replacement_character" for key in before)
        assert [key.key for key in parser.feed(b"q")] == ["q"]


def test_a_report_of_the_cursor_is_told_from_f3_by_who_asked():
    (report,) = InputParser().feed(b"\x1b[1;2R")
    assert isinstance(report, CursorReport)
    assert [key.key for key in report.keys] == ["shift+f3"]
    (report,) = InputParser().feed(b"\x1b[24;80R")
    assert report.keys == ()


def test_synchronized_output_is_noted_where_the_terminal_has_it():
    (found,) = InputParser().feed(b"\x1b[?2026;2$y")
    assert isinstance(found, TerminalSupportsSynchronizedOutput)
    assert InputParser().feed(b"\x1b[?2026;0$y") == []
