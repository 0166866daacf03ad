"""Text from outside is shown literally, in one line, wherever it comes from; tests/pty/test_pty_hostile.py looks at
what of it reaches a real terminal."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.hostile.texts import (
    HOSTILE,
    LINES,
    MARKUP,
    NAMED,
    OPTIONS,
    SETTINGS,
    VARIABLES,
    escaped,
    file_name,
)
from tui_backprop.cli.main import main
from tui_backprop.session.share_token import encode
from tui_backprop.session.state import from_preset
from tui_backprop.support.paths import state_folder

TEXTS = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def refused(*arguments: str, **env: str) -> str:
    """Run a command that must refuse, and return its one line."""
    result = CliRunner().invoke(main, arguments, prog_name="backprop-tui", env=env)
    assert (result.exit_code, result.stdout) == (2, ""), arguments
    line = result.stderr.removesuffix("\n")
    assert line.startswith("backprop-tui: ")
    assert line.isprintable(), repr(line)
    return line


@TEXTS
def test_it_is_refused_as_the_value_of_any_option(text):
    for option in OPTIONS:
        line = refused(option, f"x{text}")
        assert option in line
        assert text != MARKUP or "[red]x[/]" in line or option == "--layers"


@TEXTS
def test_it_is_refused_where_no_such_thing_is_known(text):
    for each in LINES:
        refused(*[word.format(text) for word in each.split()])


@TEXTS
def test_a_settings_file_of_that_name_is_named_plainly(tmp_path, text):
    path = tmp_path / f"{file_name(text)}.toml"
    for content in NAMED:
        path.write_text(content)
        refused("--config", str(path))


@TEXTS
def test_a_settings_file_that_holds_it_is_refused(tmp_path, text):
    path = tmp_path / "settings.toml"
    for content in SETTINGS:
        path.write_text(content.format(escaped(text)))
        assert "settings.toml" in refused("--config", str(path))


@TEXTS
def test_a_variable_of_the_environment_is_refused(text):
    for name in VARIABLES:
        refused(**{f"BACKPROP_TUI_{name}": text})


@TEXTS
def test_a_kept_session_that_holds_it_is_refused(text):
    kept = state_folder() / "last-session"
    kept.parent.mkdir(parents=True)
    token = encode(from_preset("xor"))
    for content in (text, f"{text}\n{token}x\n", f"# x\n{text}\n"):
        kept.write_text(content)
        assert "last-session" in refused("--resume")
