"""``backprop-tui man``: the manual page, generated from the definitions of the commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import click

from tui_backprop import __version__
from tui_backprop.cli.session_option_table import CHOICES, FLAGS
from tui_backprop.cli.settings import FILE, SETTINGS
from tui_backprop.cli.streams import write
from tui_backprop.support import paths as places
from tui_backprop.support.exit_codes import EXIT_CODES
from tui_backprop.support.paths import display_path

SHARED = {flag for flag, *_ in (*CHOICES, *FLAGS)}  # options for network and data

ENVIRONMENT = (
    *((setting.variable, f"As --{setting.name}: {setting.values}. {setting.about}") for setting in SETTINGS),
    (FILE, "As --config: another settings file."),
    ("NO_COLOR", "If set and not empty: no colors."),
    ("COLORTERM, TERM", "Used to detect the number of colors."),
    ("COLORFGBG", "The light theme is used if it says that the terminal is light."),
    ("SSH_CONNECTION", "If set, there are no animations unless they are asked for."),
    ("OPENBLAS_NUM_THREADS", "The number of threads that share a pass, at most."),
)
NOTE = (
    "After a dropped connection, a terminal may go on printing mouse events. To reset it, run reset, or {}."
)


@click.command("man")
@click.pass_context
def command(context: click.Context) -> None:
    """Print the manual page: backprop-tui man > backprop-tui.1"""
    root = context.find_root().command
    assert isinstance(root, click.Group)
    write(page(root), newline=False)


def page(main: click.Group) -> str:
    """Make the page, in roff."""
    from tui_backprop.terminal.setup import RESET_COMMAND

    context = click.Context(main, info_name="backprop-tui")
    commands = _commands(main, context)
    lines = [
        f'.TH BACKPROP\\-TUI 1 "" "backprop\\-tui {__version__}" "User Commands"',
        ".na",  # lists of choices have no spaces that could be stretched
        *_section("NAME", [f"backprop\\-tui \\- {_text(_summary(main))}"]),
        *_section("SYNOPSIS", _synopses(main, commands)),
        *_section("DESCRIPTION", [*_paragraphs(main.help or ""), *_paragraphs(main.epilog or "")]),
        *_section("OPTIONS", _options(main, context, shared=True)),
        *_section("COMMANDS", []),
    ]
    for name, command in commands.items():
        lines += [f".SS {_text(name)}", *_paragraphs(command.help or "")]
        lines += _options(command, click.Context(command, context, name), shared=False)
        if any(SHARED.intersection(parameter.opts) for parameter in command.params):
            lines += [".PP", "The options for network and data above apply, too."]
    lines += _section("ENVIRONMENT", _terms(ENVIRONMENT))
    lines += _section("FILES", _terms(_files()))
    lines += _section("EXIT STATUS", _terms((code, f"{about.capitalize()}.") for code, about in EXIT_CODES))
    lines += _section("NOTES", [_line(NOTE.format(RESET_COMMAND))])
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _commands(main: click.Group, context: click.Context) -> dict[str, click.Command]:
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def _synopses(main: click.Group, commands: Mapping[str, click.Command]) -> list[str]:
    """Make one line for the app, and one for each command."""
    lines: list[str] = []
    for name, command in {"": main, **commands}.items():
        arguments = [
            p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)
        ]
        words = [f"\\fB{_text(f'backprop-tui {name}'.strip())}\\fR", "[\\fIOPTIONS\\fR]"]
        lines += [".br"] * bool(lines) + [
            " ".join([*words, *(f"\\fI{_text(each)}\\fR" for each in arguments)])
        ]
    return lines


def _options(command: click.Command, context: click.Context, *, shared: bool) -> list[str]:
    """List the options of a command, with or without those for network and data."""
    rows = []
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and (shared or not SHARED.intersection(parameter.opts)):
            opts = sorted(parameter.opts, key=len)  # those of --help come in any order from click up to 8.3
            names = ", ".join(f"\\fB{_text(name)}\\fR" for name in (*opts, *parameter.secondary_opts))
            metavar = _text(parameter.make_metavar(context)).replace("|", "|\\:")  # a line may end there
            value = "" if parameter.is_flag else f" \\fI{metavar}\\fR"
            rows += [".TP", names + value, _line(parameter.help or "")]
    return rows


def _files() -> list[tuple[str, str]]:
    from tui_backprop.cost.measure.cache import NAME as MEASUREMENTS
    from tui_backprop.lesson.progress import NAME as LESSON_PROGRESS
    from tui_backprop.lesson.quiz_progress import NAME as LAST_QUIZ
    from tui_backprop.session.autosave import NAME as LAST_SESSION

    rows = []
    for place, name, about in (
        (
            places.config_file,
            "",
            'Settings in TOML, such as color = "256", and a table [keys] of keys by action; '
            "see backprop-tui keys.",
        ),
        (places.state_folder, LAST_SESSION, "The last session, for --resume."),
        (places.state_folder, LESSON_PROGRESS, "What is done of the lesson."),
        (places.state_folder, LAST_QUIZ, "The last quiz, for quiz --resume."),
        (places.cache_folder, MEASUREMENTS, "Measurements of this machine."),
    ):
        try:
            rows.append((display_path(place() / name if name else place()), about))
        except OSError:
            rows.append(("(no home folder)", about))
    return rows


def _terms(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [line for term, about in rows for line in (".TP", f"\\fB{_text(term)}\\fR", _line(about))]


def _paragraphs(text: str) -> list[str]:
    """Split a help text into paragraphs, which roff wraps."""
    parts = re.split(r"\n\s*\n", text.replace("\b", "").strip())
    return [line for part in parts if part for line in (".PP", _line(part))]


def _summary(command: click.Command) -> str:
    return (command.help or "").strip().split("\n\n")[0].replace("\n", " ").rstrip(".").lower()


def _line(text: str) -> str:
    """Escape a line of text, so that roff does not take it for a request."""
    escaped = _text(" ".join(text.split()))
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _text(text: str) -> str:
    """Escape characters for roff: minus signs and backslashes."""
    return text.replace("\\", "\\e").replace("-", "\\-")
