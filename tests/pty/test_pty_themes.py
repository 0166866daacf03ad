"""Color codes that themes send to a real terminal, for everything that can be on the screen."""

from __future__ import annotations

import pytest

from tests.pty.test_pty_surroundings import colors

pytestmark = pytest.mark.pty

SIXTEEN = {str(code) for code in (*range(30, 38), *range(90, 98))}
GROUNDS = {"dark": "48;5;233", "light": "48;5;231"}  # background of the screen
TERMINALS = {
    "many": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color", "COLORTERM": None},
    "16": {"TERM": "xterm", "COLORTERM": None},
}


def seen_everywhere(run):
    """Show the walk, both kinds of field, the help, the commands, a notice, and the other panels."""
    run.shows("step 0/20")
    run.press("end", "step 20/20")
    run.press("?", "Reading the maps")
    run.press("\x07", "Every weight moves")
    run.press("\x10", "search commands")
    run.press("sh", "Show the race")
    run.send("\x1b")
    run.shows("Every weight moves")
    run.press("y", "Sent to the clipboard")
    run.press("\x07", "Every weight moves")
    run.press("\x10", "search commands")
    run.press("screensh", "Screenshot, saved")
    run.press("\r", "screenshot saved in")
    for key, text in (("b", "most to blame"), ("c", "curves"), ("3", "one gradient"), ("1", "layers")):
        run.press(key, text)
    run.press("down", "relu")
    return run


@pytest.mark.parametrize(
    ("theme", "way"),
    [
        ("auto", "NO_COLOR=1"),
        *((theme, "BACKPROP_TUI_COLOR=none") for theme in ("dark", "light", "terminal")),
    ],
)
def test_without_color_no_code_of_color_is_sent(terminal, theme, way):
    run = seen_everywhere(terminal(120, 40, "--theme", theme, **dict([way.split("=")])))
    assert colors(run.styles) == set()
    assert {"1", "2", "7"} <= {code for style in run.styles for code in style.split(";")}


@pytest.mark.parametrize("kind", ["many", "16"])
def test_the_terminal_theme_sends_its_sixteen_colors_and_paints_no_ground(terminal, kind):
    run = seen_everywhere(terminal(120, 40, "--theme", "terminal", **TERMINALS[kind]))
    assert colors(run.styles) <= SIXTEEN
    assert {"91", "94", "95"} <= colors(run.styles)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_with_16_colors_every_theme_is_the_terminals(terminal, theme):
    run = seen_everywhere(terminal(120, 40, "--theme", theme, **TERMINALS["16"]))
    assert colors(run.styles) <= SIXTEEN


@pytest.mark.parametrize("theme", GROUNDS)
def test_dark_and_light_paint_a_ground_of_their_own(terminal, theme):
    run = terminal(120, 40, "--theme", theme, **TERMINALS["256"])
    run.shows("step 0/20")
    found = colors(run.styles)
    assert GROUNDS[theme] in found
    assert not found & set(GROUNDS.values()) - {GROUNDS[theme]}
    assert all(color.split(";")[1] == "5" for color in found)


def test_a_light_terminal_that_says_so_gets_the_light_theme(terminal):
    run = terminal(120, 40, COLORFGBG="0;15", **TERMINALS["256"])
    run.shows("step 0/20")
    assert GROUNDS["light"] in colors(run.styles)


def test_a_theme_that_is_none_is_refused_before_the_screen_is_taken(terminal):
    run = terminal(200, 24, "--theme", "pink")
    assert run.ended() == 2
    assert b"\x1b[?1049h" not in run.raw
    assert b'--theme: invalid value "pink"; choose from auto, dark, light, terminal' in run.raw


@pytest.mark.parametrize("theme", ["dark", "terminal"])
def test_a_notice_is_framed_in_plain_characters_where_others_cannot_be_shown(terminal, theme):
    run = terminal(
        80, 24, "--preset", "sine", "--theme", theme, LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    run.shows("step 0/15")
    run.press("C", "These samples have no classes")
    assert bytes(run.raw).isascii()
    assert "+---" in run.text
