"""Options that several commands share: for the network and data, for settings and for output; and the session that
they describe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tui_backprop.cli.settings import SETTINGS
from tui_backprop.support.errors import InputError, WriteError
from tui_backprop.support.validation import quoted

Command = Callable[..., None]


def gathered(parameter: str, names: Iterable[str], command: Command) -> Command:
    """Pass the options called ``names`` to a command as one dict, without those that were not given. Options given
    before the name of a subcommand count for the subcommand too."""
    key = f"{__name__}.{parameter}"

    @wraps(command)
    def run(**options: Any) -> None:
        here = {name: options.pop(name) for name in names}
        meta = click.get_current_context().meta  # shared by the contexts of group and subcommand
        meta[key] = meta.get(key, {}) | {name: value for name, value in here.items() if value is not None}
        command(**{parameter: meta[key]}, **options)

    return run


def choice(
    flag: str, metavar: str, help_text: str, names: Callable[[], Iterable[str]] | None = None, **more: Any
) -> Callable[[Command], Command]:
    """Make an option that the shell completes: with ``names``, or else with those of a metavar such as a|b. Of a list
    (relu,tanh) the last part is completed. A metavar without | is an example."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        every = names() if names else metavar.split("|") if "|" in metavar else ()
        whole, comma, last = begun.rpartition(",")
        return [whole + comma + name for name in every if name.startswith(last)]

    return click.option(flag, metavar=metavar, help=help_text, shell_complete=complete, **more)


def method_names() -> Iterable[str]:
    """Return the names of the methods for a gradient. (They load numpy.)"""
    from tui_backprop.engine.gradients.methods import METHODS

    return METHODS


def setting_options(command: Command) -> Command:
    """Add the options for settings; the command gets them as one dict, ``flags``."""
    command = gathered("flags", ["config", "ascii", *(setting.name for setting in SETTINGS)], command)
    for setting in reversed(SETTINGS):
        if setting.switch:
            flags = f"--{setting.name}/--no-{setting.name}"
            command = click.option(flags, default=None, help=setting.about)(command)
        else:
            command = choice(f"--{setting.name}", setting.values, setting.about)(command)
    ascii_option = click.option("--ascii", is_flag=True, default=None, help="Short for --glyphs ascii.")
    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(),
        help="Read settings from this file instead of the default one.",
    )(ascii_option(command))


JSON_HELP = (
    'Print one JSON object. NaN and infinite numbers are the strings "NaN", "Infinity" and "-Infinity" in it.'
)


def output_options(command: Command) -> Command:
    """Add the options that choose how a report is printed: ``as_json`` and ``plain``."""
    as_json = click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
    about = "For screen readers: one fact a line, in words and ASCII; no tables or drawings."
    return as_json(click.option("--plain", is_flag=True, help=about)(command))


def require(options: Mapping[str, Any], requirements: Iterable[tuple[str, bool, str]]) -> None:
    """Check that no option is given in vain. ``requirements`` are rows of an option, whether it applies, and the
    message if not. Raises InputError for the first that is given and does not apply."""
    for name, applies, message in requirements:
        if options[name] not in (None, False) and not applies:
            raise InputError(name, message)


def file_to_write(field: str, text: str, example: str) -> Path:
    """Return the path of a file to write. Raises InputError if there is no name, and WriteError if no file of that
    name can be made, before anything is computed for it."""
    if not text:
        raise InputError(field, f"requires the name of a file, such as {example}")
    path = Path(text)
    if os.path.isdir(path):  # False for what cannot be a name
        raise WriteError(field, f"{quoted(text)} is a folder; add the name of a file, such as {example}")
    folder = Path(text.rstrip("/")) if text.endswith("/") else path.parent
    if not os.path.isdir(folder):
        raise WriteError(field, f"there is no folder {quoted(str(folder))}")
    return path
