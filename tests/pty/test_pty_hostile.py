"""Text from outside that contains markup, escape sequences, line breaks or right-to-left overrides.

It is shown literally, in one line; no control sequence of it reaches the terminal, and none of it is executed."""

from __future__ import annotations

import pytest

from tests.pty.test_pty_life import left_clean
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import from_preset
from tui_backprop.support.paths import state_folder

pytestmark = pytest.mark.pty

MARKUP = "[red]x[/][@click=app.quit]y[/]"
SEQUENCES = "\x1b]0;evil\x07\x1b[2J\x9b31m\x1b_evil\x1b\\"
BREAKS = "a\nb\rc\x0bd\x85e\u2028f\u2029g"
REVERSED = "\u202ez\u2066\u200f"
HOSTILE = {"markup": MARKUP, "sequences": SEQUENCES, "breaks": BREAKS, "reversed": REVERSED}
TEXTS = pytest.mark.parametrize("kind", HOSTILE)
OPTIONS = (
    "--config", "--open", "--layers", "--activation", "--loss", "--init", "--preset", "--data", "--sample", "--batch",
    "--seed", "--dtype", "--lr", "--optimizer", "--schedule", "--color", "--glyphs", "--memory",
)  # fmt: skip
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


@TEXTS
def test_it_is_refused_as_the_value_of_any_option(terminal, kind):
    text = HOSTILE[kind]
    for option in OPTIONS:
        line = refused(terminal, option, f"x{text}")
        assert option in line
        assert kind != "markup" or "[red]x[/]" in line or option == "--layers"


@TEXTS
@pytest.mark.parametrize(
    "given",
    [
        ["--{}"],
        ["-{}"],
        ["{}"],
        ["trace", "{}"],
        ["check", "--method", "{}"],
        ["completion", "{}"],
        ["man", "{}"],
    ],
    ids=" ".join,
)
def test_it_is_refused_where_no_such_thing_is_known(terminal, kind, given):
    refused(terminal, *[word.format(HOSTILE[kind]) for word in given])


@TEXTS
def test_a_settings_file_of_that_name_is_named_plainly(terminal, tmp_path, kind):
    path = tmp_path / f"{HOSTILE[kind].replace('/', '')}.toml"
    for content in ("nonsense = 1", "color = ", "[keys]\nnonsense = 1"):
        path.write_text(content)
        refused(terminal, "--config", str(path))


@TEXTS
@pytest.mark.parametrize(
    "content", ['color = "{}"', '"{}" = 1', '[keys]\n"{}" = 1', '[keys]\nview = ["{}"]', "{}"]
)
def test_a_settings_file_that_holds_it_is_refused(terminal, tmp_path, kind, content):
    path = tmp_path / "settings.toml"
    escaped = "".join(c if c.isascii() and c.isprintable() else f"\\u{ord(c):04x}" for c in HOSTILE[kind])
    path.write_text(content.format(escaped))
    line = refused(terminal, "--config", str(path))
    assert "settings.toml" in line


@TEXTS
def test_a_variable_of_the_environment_is_refused(terminal, kind):
    for name in ("COLOR", "GLYPHS", "MOUSE", "MOTION", "MEMORY", "CONFIG"):
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
    run = terminal(400, 24, "trace", "--preset", "xor", "--save", f"{HOSTILE[kind].replace('/', '')}.npz")
    assert run.ended() == 0
    assert "arrays written" in one_plain_line(run)


@TEXTS
def test_a_terminal_of_that_name_gets_the_app(terminal, kind):
    run = terminal(80, 24, TERM=f"xterm{HOSTILE[kind]}")
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
    token = encode(from_preset("xor"))
    for content in (HOSTILE[kind], f"{HOSTILE[kind]}\n{token}x\n", f"# x\n{HOSTILE[kind]}\n"):
        kept.write_text(content)
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


@TEXTS
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_the_prompt_shows_it_and_says_that_it_is_none(terminal, size, kind):
    run = terminal(*size)
    run.shows("step 0/20")
    run.press("/", "find a number")
    before = len(run.raw)
    run.send(pasted(f"x{HOSTILE[kind]}"))
    if kind == "markup":
        run.until(lambda: f"x{MARKUP} " in run.text, "the markup as it is")
    run.press("enter", "is not the name of a number")
    run.send("\x07")  # ctrl+g
    run.until(lambda: "find a number" not in run.text, "the app behind it")
    run.press("right", "step 1/20")
    was_shown_as_text(run, before)


@TEXTS
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
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
