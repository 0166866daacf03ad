"""Colors, encodings, and environments without a screen."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.pty


def colors(styles: list[str]) -> set[str]:
    """Return the colors requested from the terminal: 38;5;n, 38;2;r;g;b, or 30 to 107."""
    found = set()
    for style in styles:
        codes = style.split(";")
        while codes:
            code = codes.pop(0)
            if code in ("38", "48"):
                count = {"5": 2, "2": 4}[codes[0]]
                found.add(";".join([code, *codes[:count]]))
                del codes[:count]
            elif (
                code.isdigit()
                and (30 <= int(code) <= 49 or 90 <= int(code) <= 107)
                and code not in ("39", "49")
            ):
                found.add(code)
    return found


def is_grey(color: str) -> bool:
    codes = [int(code) for code in color.split(";")]
    if len(codes) == 5:
        return len(set(codes[2:])) == 1
    if len(codes) == 3:
        return codes[2] in (0, 7, 8, 15, 16, 231, 59, 102, 145, 188) or codes[2] >= 232
    return codes[0] % 10 in (0, 7)


def a_few_steps(run):
    run.shows("step 0/20")
    for key, step in (("right", 1), ("end", 20), ("left", 19), ("home", 0)):
        run.press(key, f"step {step}/20")
    return run


def test_no_color_shows_no_color(terminal):
    run = a_few_steps(terminal(NO_COLOR="1"))
    assert colors(run.styles) == set()


def test_an_empty_no_color_keeps_the_colors(terminal):
    run = a_few_steps(terminal(NO_COLOR=""))
    assert any(not is_grey(color) for color in colors(run.styles))


def test_colors_are_those_of_256_even_where_there_are_more(terminal):
    run = a_few_steps(terminal(COLORTERM="truecolor"))
    assert {color.split(";")[1] for color in colors(run.styles)} == {"5"}


def test_a_terminal_of_16_colors_is_sent_no_others(terminal):
    run = a_few_steps(terminal(TERM="xterm", COLORTERM=None))
    assert [color for color in sorted(colors(run.styles)) if ";" in color] == []
    assert any(not is_grey(color) for color in colors(run.styles))


def test_a_locale_that_is_not_utf_8_gets_plain_characters(terminal):
    run = a_few_steps(terminal(120, 40, LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))
    assert "Traceback" not in run.text
    assert "\\u" not in run.text
    assert bytes(run.raw).isascii()
    run.send("q")
    assert run.ended() == 0


def test_latin_1_works_as_well(terminal):
    run = terminal(120, 40, PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    assert "\\u" not in run.text
    run.send("q")
    assert run.ended() == 0


def refused(done) -> str:
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert "backprop-tui trace" in lines[0]
    return lines[0]


def test_without_a_terminal_the_app_says_what_to_use_instead(bare_run):
    assert "stdin" in refused(bare_run())


def test_stdin_alone_being_no_terminal_is_refused(terminal, bare_run):
    master, slave = os.openpty()
    try:
        line = refused(bare_run(stdin=slave))
        assert "stderr" in line
        assert "stdin" not in line
    finally:
        os.close(slave)
        os.close(master)


@pytest.mark.parametrize(
    ("kind", "why"),
    [("dumb", "TERM=dumb cannot show a screen"), ("", "TERM is not set"), (None, "TERM is not set")],
)
def test_a_dumb_terminal_is_told_of_the_plain_twin(terminal, kind, why):
    run = terminal(200, 24, TERM=kind)
    assert run.ended() == 2
    lines = [line for line in bytes(run.raw).decode().splitlines() if line.strip()]
    assert len(lines) == 1
    assert why in lines[0]
    assert "backprop-tui trace" in lines[0]
    assert "\x1b" not in lines[0]


def test_bad_options_are_said_before_the_screen_is_taken(terminal):
    run = terminal(200, 24, "--layers", "784,x,10")
    assert run.ended() == 2
    assert b"\x1b[?1049h" not in run.raw
    assert b"--layers" in run.raw
    assert b"Traceback" not in run.raw


def test_options_open_the_network_that_they_name(terminal):
    run = terminal(120, 40, "--preset", "xor", "--sample", "4")
    run.shows("samples 4-7")
    run.shows("2·2·1")
