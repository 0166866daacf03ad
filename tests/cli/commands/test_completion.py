"""Completion and the manual page know what the command line knows: both are made from it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.waits import GENEROUS
from tui_backprop.cli.commands import man
from tui_backprop.cli.commands.completion import SHELLS, VARIABLE
from tui_backprop.cli.main import main
from tui_backprop.cli.settings import SETTINGS
from tui_backprop.session.presets import PRESETS
from tui_backprop.support.exit_codes import EXIT_CODES

CONTEXT = click.Context(main, info_name="backprop-tui")
COMMANDS = {"": main, **man._commands(main, CONTEXT)}


def out(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def completions(words):
    """What bash is offered for the last of some words."""
    typed = words.split(" ")
    environ = os.environ | {VARIABLE: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(typed) - 1)}
    code = "import sys; sys.argv = ['backprop-tui']; from tui_backprop.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, timeout=GENEROUS, check=False
    )
    assert done.stderr == b""
    return [line.partition(",")[2] for line in done.stdout.decode().split()]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script_that_asks_the_command(shell):
    script = out("completion", shell)
    assert VARIABLE in script
    assert f"{shell}_complete" in script
    assert "backprop-tui" in script


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_can_read_its_script(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "script"
    path.write_text(out("completion", shell))
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, timeout=GENEROUS, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_another_shell_is_refused_with_those_there_are():
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert result.stderr == 'backprop-tui: SHELL: invalid value "tcsh"; choose from bash, zsh, fish\n'


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("backprop-tui tr", ["trace"]),
        ("backprop-tui --pre", ["--preset"]),
        ("backprop-tui --preset ", [*PRESETS]),
        ("backprop-tui --preset xo", ["xor", "xor-relu"]),
        ("backprop-tui trace --optimizer adam", ["adam", "adamw"]),
        ("backprop-tui doctor --col", ["--color"]),
        ("backprop-tui --glyphs a", ["auto", "ascii"]),
        ("backprop-tui trace --layers 7", []),
    ],
)
def test_commands_options_and_names_are_completed(words, offered):
    assert completions(words) == offered


# --- the manual page ---------------------------------------------------------------------------------------


def sections(page, request):
    """The parts of a page between requests of a kind, by their titles."""
    parts = re.split(rf"^\.{request} (.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def page():
    return out("man")


def test_the_page_names_every_option_of_every_command(page):
    parts = sections(page, "SH")
    commands = sections(parts["COMMANDS"], "SS")
    assert [*commands] == main.list_commands(CONTEXT)
    for name, command in COMMANDS.items():
        text = commands[name] if name else parts["OPTIONS"]
        for parameter in command.get_params(click.Context(command, CONTEXT)):
            for option in (*parameter.opts, *parameter.secondary_opts):
                shared = name and option in man.SHARED
                if isinstance(parameter, click.Option):
                    wanted = "options for network and data" if shared else option.replace("-", "\\-")
                    assert wanted in text, (name, option)
                    assert option.replace("-", "\\-") in page


def test_the_page_has_the_sections_that_pages_have(page):
    parts = sections(page, "SH")
    assert [*parts] == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "NOTES",
    ]  # fmt: skip
    assert page.startswith(".TH BACKPROP\\-TUI 1 ")
    assert all(setting.variable in parts["ENVIRONMENT"] for setting in SETTINGS)
    assert "config.toml" in parts["FILES"]
    assert [code for code, _ in EXIT_CODES] == re.findall(r"\\fB(.+?)\\fR", parts["EXIT STATUS"])


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_say_against_it(page):
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-c"],
        input=page.encode(),
        capture_output=True,
        timeout=GENEROUS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    text = re.sub(r".\x08", "", done.stdout.decode())
    assert "--weight-decay" in text
    assert "BACKPROP_TUI_COLOR" in text


def test_what_roff_would_take_for_its_own_is_text():
    assert man._line(".TH is no request\n here") == "\\&.TH is no request here"
    assert man._line("'a") == "\\&'a"
    assert man._text("a\\b -c") == "a\\eb \\-c"


def test_it_is_the_same_page_every_time():
    assert out("man") == out("man")


@pytest.mark.parametrize("names", [("-h", "--help"), ("--help", "-h")])
def test_names_of_an_option_are_in_one_order_whatever_click_says(names):
    option = click.Option([*names, "shown"], is_flag=True)
    command = click.Command("any", params=[option], add_help_option=False)
    assert man._options(command, click.Context(command), shared=True)[1] == "\\fB\\-h\\fR, \\fB\\-\\-help\\fR"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("check --against ce", ["central-difference"]),
        ("check --method sp", ["spsa"]),
        ("check --entries ", ["20", "all"]),
        ("cost --method batched-d", ["batched-difference"]),
        ("blame --measure w", ["weight-x-gradient"]),
        ("trace --grain e", ["equation"]),
        ("--activation relu,tan", ["relu,tanh"]),
        ("completion z", ["zsh"]),
    ],
)
def test_every_option_with_choices_is_completed(words, offered):
    assert completed(words.split(" ")) == offered


def completed(typed):
    """What the shell is offered for the last of some words, without starting a process."""
    from click.shell_completion import ShellComplete

    found = ShellComplete(main, {}, "backprop-tui", VARIABLE).get_completions(typed[:-1], typed[-1])
    return [item.value for item in found]


NAMES = {"NAME", "SHELL"}  # metavars of names that the help lists


def test_an_option_whose_help_shows_choices_completes_them():
    for command in COMMANDS.values():
        for parameter in command.params:
            metavar = parameter.metavar or ""
            if "|" in metavar or metavar in NAMES:
                values = [item.value for item in parameter.shell_complete(CONTEXT, "")]
                assert values, (command.name, parameter.name)
                assert "|" not in metavar or values == metavar.split("|")
