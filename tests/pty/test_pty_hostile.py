"""Text from outside that contains markup, escape sequences, line breaks or right-to-left overrides.

It is shown literally, in one line; no control sequence of it reaches the terminal, and none of it is executed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

import pytest

from tests.hostile.texts import HOSTILE, LINES, MARKUP, OPTIONS, VARIABLES, escaped, file_name
from tests.pty.test_pty_life import left_clean
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import from_preset
from tui_backprop.support.paths import state_folder

pytestmark = pytest.mark.pty

SIZES = ((80, 24), (120, 40))
TEXTS = pytest.mark.parametrize("kind", HOSTILE)
FORBIDDEN = [each.encode() for each in ("\x9b", "\x85", "\u2028", "\u202e", "\u2066", "\u200f")]
FORBIDDEN += [b"\x1b]0;", b"\x1b_"]


def one_plain_line(run) -> str:
    """Return the message, which must be one line of printable characters."""
    said = bytes(run.raw).decode()
    assert said.endswith("\r\n")
    line = said.removesuffix("\r\n")
    assert line.isprintable(), repr(line)
    assert "Traceback" not in line
    return line


def refused(terminal, *arguments: str, **env: str) -> str:
    run = terminal(400, 24, *arguments, **env)
    assert run.ended() == 2, run.text
    line = one_plain_line(run)
    assert line.startswith("backprop-tui: ")
    return line


def one_after_the_other(many: Iterable[str]) -> list[tuple[str, str]]:
    """Give each of many places one kind of text; tests/hostile/test_texts.py gives each of them every kind."""
    return list(zip(many, cycle(HOSTILE), strict=False))


@pytest.mark.parametrize(("option", "kind"), one_after_the_other(OPTIONS[::3]))
def test_it_is_refused_as_the_value_of_an_option(terminal, option, kind):
    line = refused(terminal, option, f"x{HOSTILE[kind]}")
    assert option in line
    assert kind != "markup" or "[red]x[/]" in line or option == "--layers"


@pytest.mark.parametrize(("given", "kind"), one_after_the_other(LINES))
def test_it_is_refused_where_no_such_thing_is_known(terminal, given, kind):
    refused(terminal, *[word.format(HOSTILE[kind]) for word in given.split()])


@TEXTS
def test_a_settings_file_of_that_name_that_holds_it_is_named_plainly(terminal, tmp_path, kind):
    path = tmp_path / f"{file_name(HOSTILE[kind])}.toml"
    path.write_text(f'"{escaped(HOSTILE[kind])}" = 1')
    refused(terminal, "--config", str(path))


@pytest.mark.parametrize(("name", "kind"), one_after_the_other(VARIABLES))
def test_a_variable_of_the_environment_is_refused(terminal, name, kind):
    refused(terminal, **{f"BACKPROP_TUI_{name}": HOSTILE[kind]})


@TEXTS
def test_doctor_says_it_plainly(terminal, kind):
    names = ("TERM", "COLORTERM", "TERM_PROGRAM", "TMUX", "STY", "SSH_CONNECTION")
    run = terminal(400, 200, "doctor", **dict.fromkeys(names, HOSTILE[kind]))
    assert run.ended() == 0
    said = bytes(run.raw).decode()
    assert all(line.isprintable() for line in said.split("\r\n")), repr(said)
    assert kind != "markup" or MARKUP in said


@TEXTS
def test_a_file_that_was_written_is_named_plainly(terminal, kind):
    run = terminal(400, 24, "trace", "--preset", "xor", "--save", f"{file_name(HOSTILE[kind])}.npz")
    assert run.ended() == 0
    assert "arrays written" in one_plain_line(run)


def test_a_terminal_of_that_name_gets_the_app(terminal):
    run = terminal(80, 24, TERM=f"xterm{''.join(HOSTILE.values())}")
    run.shows("step 0/20")
    run.press("right", "step 1/20")
    run.send("q")
    assert run.ended() == 0
    assert left_clean(run)
    assert not [each for each in FORBIDDEN if each in run.raw]


@TEXTS
def test_a_kept_session_that_holds_it_is_refused(terminal, kind):
    kept = state_folder() / "last-session"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"{HOSTILE[kind]}\n{encode(from_preset('xor'))}x\n")
    assert "last-session" in refused(terminal, "--resume")


def pasted(text: str) -> str:
    """Paste as a terminal does; the terminal itself removes escapes."""
    return f"\x1b[200~{text.replace(chr(27), '')}\x1b[201~"


def was_shown_as_text(run, before: int) -> None:
    """Check that nothing of it reached the terminal except as text, until a later key was answered."""
    raw = bytes(run.raw[before:])
    assert not [each for each in FORBIDDEN if each in raw]
    assert "\N{REPLACEMENT CHARACTER}" not in run.text
    assert run.child.poll() is None


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_prompt_shows_it_and_says_that_it_is_none(terminal, size):
    run = terminal(*size)
    run.shows("step 0/20")
    for kind, text in HOSTILE.items():
        run.press("/", "find a number")
        before = len(run.raw)
        run.send(pasted(f"x{text}"))
        if kind == "markup":
            run.until(lambda: f"x{MARKUP} " in run.text, "the markup as it is")
        run.press("enter", "is not the name of a number")
        run.send("\x07")  # ctrl+g
        run.until(lambda: "find a number" not in run.text, "the app behind it")
        run.press("right", "step 1/20")
        was_shown_as_text(run, before)
        run.press("left", "step 0/20")


@pytest.mark.parametrize(("kind", "size"), list(zip(HOSTILE, cycle(SIZES), strict=False)))
def test_a_field_shows_it_and_says_that_it_is_none(terminal, size, kind):
    run = terminal(*size)
    run.shows("step 0/20")
    run.press("1", "784,256,256,256,10")
    before = len(run.raw)
    run.send(pasted(f"x{HOSTILE[kind]}"))
    run.press("enter", "layers:")
    assert kind != "markup" or '"x[red]x[/]' in run.text
    run.press("\x1bOR", "space play")  # F3
    was_shown_as_text(run, before)
    run.press("right", "step 1/20")
