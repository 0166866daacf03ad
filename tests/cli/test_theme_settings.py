"""The theme as a setting: which one counts, what follows from the terminal, and what is refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tui_backprop.cli import settings as config
from tui_backprop.cli.main import main
from tui_backprop.cli.settings import settings
from tui_backprop.support import paths as places
from tui_backprop.support.errors import UserError
from tui_backprop.terminal import capabilities as detect
from tui_backprop.terminal import setup as terminal

WHITE, BLACK = {"COLORFGBG": "0;15"}, {"COLORFGBG": "15;0"}


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text('theme = "light"')
    monkeypatch.setattr(places, "config_file", lambda: path)
    return path


def test_a_flag_comes_before_the_environment_and_that_before_the_file(file):
    environ = {"BACKPROP_TUI_THEME": "terminal"}
    assert settings({}, {}).theme == "light"
    assert settings({}, environ).theme == "terminal"
    assert settings({"theme": "dark"}, environ).theme == "dark"
    assert settings({"theme": "auto"}, environ).theme == "auto"
    file.write_text("")
    assert settings({}, {}).theme == "auto"


def test_what_is_no_theme_is_refused_where_it_stands(file):
    file.write_text('theme = "solarized"')
    would = 'invalid value "solarized"; choose from auto, dark, light, terminal'
    for flags, environ, field, start in (
        ({}, {}, "settings file", ""),
        ({}, {"BACKPROP_TUI_THEME": "solarized"}, "BACKPROP_TUI_THEME", would),
        ({"theme": "solarized"}, {}, "theme", would),
    ):
        if field != "settings file":
            file.write_text("")
        with pytest.raises(UserError) as caught:
            settings(flags, environ)
        assert caught.value.field == field
        assert would in caught.value.message
        assert caught.value.message.startswith(start)


def test_the_command_refuses_in_one_line():
    result = CliRunner().invoke(main, ["--theme", "colorless"])
    assert result.exit_code == 2
    assert result.stderr == (
        'backprop-tui: --theme: invalid value "colorless"; choose from auto, dark, light, terminal\n'
    )


@pytest.mark.parametrize(
    ("chosen", "level", "environ", "name", "why"),
    [
        ("auto", "256", {}, "dark", "COLORFGBG does not say"),
        ("auto", "256", WHITE, "light", "COLORFGBG=0;15"),
        ("auto", "true", {"COLORFGBG": "0;default;7"}, "light", "COLORFGBG=0;default;7"),
        ("auto", "256", BLACK, "dark", "COLORFGBG does not say"),
        ("auto", "256", {"COLORFGBG": "7;17"}, "dark", "COLORFGBG does not say"),
        ("auto", "256", {"COLORFGBG": "15"}, "dark", "COLORFGBG does not say"),
        ("auto", "256", {"COLORFGBG": ""}, "dark", "COLORFGBG does not say"),
        ("dark", "256", WHITE, "dark", "chosen"),
        ("light", "true", BLACK, "light", "chosen"),
        ("terminal", "256", {}, "terminal", "chosen"),
        ("terminal", "16", {}, "terminal", "chosen"),
        ("auto", "16", WHITE, "terminal", "16 colors are the terminal's own"),
        ("light", "16", {}, "terminal", "light needs 256 colors; 16 colors are the terminal's own"),
        *((name, "none", WHITE, "colorless", "no colors") for name in ("auto", "dark", "terminal")),
    ],
)
def test_the_theme_and_why(chosen, level, environ, name, why):
    found = detect.theme(chosen, level, environ)
    assert found.value == name
    assert found.why.startswith(why)


def test_it_follows_the_colors_that_are_chosen(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    assert terminal.theme_for("light", "auto") == "light"
    assert terminal.theme_for("light", "16") == "terminal"
    assert terminal.theme_for("light", "none") == "colorless"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.theme_for("light", "auto") == "colorless"
    assert terminal.theme_for("light", "256") == "light"


def test_doctor_says_which_and_why(monkeypatch):
    monkeypatch.setenv("COLORFGBG", "0;15\x1b[2J")
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = json.loads(CliRunner().invoke(main, ["doctor", "--json", "--color", "256"]).stdout)
    assert found["screen"]["theme"]["value"] == "dark"
    assert found["terminal"]["COLORFGBG"]["value"] == "0;15?[2J"
    monkeypatch.setenv("COLORFGBG", "0;15")
    found = json.loads(CliRunner().invoke(main, ["doctor", "--json", "--color", "256"]).stdout)
    assert found["screen"]["theme"] == {"value": "light", "why": "COLORFGBG=0;15"}
    assert found["settings"]["theme"] == {"value": "auto", "why": "default"}


def test_help_and_manual_name_it():
    for command in (["--help"], ["man"]):
        text = CliRunner().invoke(main, command).stdout.replace("\\-", "-")
        assert "--theme" in text
        assert "auto|dark|light|terminal" in text
    assert config.ROWS["theme"].variable in CliRunner().invoke(main, ["man"]).stdout
