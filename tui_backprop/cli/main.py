"""The group of commands. Each is one module of ``cli/commands``, found there and imported when it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click
from click.core import ParameterSource

from tui_backprop import __version__
from tui_backprop.cli import commands
from tui_backprop.cli.opening import Opening, opening_options
from tui_backprop.cli.options import setting_options
from tui_backprop.cli.streams import say
from tui_backprop.session.state import Session
from tui_backprop.support.errors import InputError, TerminalError, UserError, reason_of
from tui_backprop.support.exit_codes import FAULT, INTERRUPTED, SUMMARY, USAGE
from tui_backprop.support.format import format_bytes, printable

SYSTEM = os.name
SURROUNDINGS = ("terminal", "stdout", "system")  # fields of errors that are no options
FEW_THREADS = 6  # of the program, besides those of BLAS
RECORDING = ".bp"  # at the end of the name of a recording
OF_TWO = ("diff",)  # commands that take recordings by themselves
SIMILAR = 0.8  # from which an option may be a misspelled one
MAX_MESSAGE = 300  # characters of a message of click, which quotes what was typed


class CommandGroup(click.Group):
    """The commands of ``cli/commands``: each module there defines one as ``command``. Errors take one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{commands.__name__}.{cmd_name}").command
        return command

    def with_recording(self, arguments: list[str]) -> list[str]:
        """Return a command line with the option of a recording before one that is given as a bare name."""
        if not any(each.endswith(RECORDING) for each in arguments):
            return arguments
        names, flags = self.list_commands(click.Context(self)), _flags()
        own = next((name for name in arguments if name in names), "")
        found: list[str] = []
        for k, each in enumerate(arguments):
            value = k > 0 and arguments[k - 1].startswith("-") and arguments[k - 1] not in flags
            if each.endswith(RECORDING) and not (value or each.startswith("-") or own in OF_TWO):
                found.append("--recording")
            found.append(each)
        return found

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command line. Errors are reported in one line, and exit with their code."""
        given = list(kwargs.pop("args", None) or (args[0] if args else None) or sys.argv[1:])
        try:
            return super().main(self.with_recording(given), *args[1:], **kwargs, standalone_mode=False)  # type: ignore[call-overload]
        except click.exceptions.Abort:
            raise SystemExit(INTERRUPTED) from None
        except MemoryError as error:
            say(f"backprop-tui: {reason_of(error)}")
            raise SystemExit(FAULT) from None
        except UserError as error:
            say(f"backprop-tui: {source_of(error)}: {error.message}")
            raise SystemExit(error.exit_code) from None
        except click.ClickException as error:
            say(f"backprop-tui: {printable(usage_error(error), MAX_MESSAGE)} (see --help)")
            raise SystemExit(USAGE) from None


def _flags() -> set[str]:
    """Return the options that take no value."""
    return {
        name
        for each in _parameters()
        if getattr(each, "is_flag", False)
        for name in (*each.opts, *each.secondary_opts)
    }


def require_system() -> None:
    """Raise TerminalError on Windows, which has neither the signals nor the terminals that are needed."""
    if SYSTEM == "nt":
        raise TerminalError(
            "system",
            "Windows is not supported; install backprop-tui in WSL (Windows Subsystem for Linux) instead",
        )


def require_memory() -> None:
    """Raise InputError where there is too little memory to load the libraries: some end the process without a word.
    Where address space is limited, numpy's BLAS gets one thread: each reserves much."""
    import resource

    from tui_backprop.support.memory import available

    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    free = available()
    if free.bytes < free.least:
        raise InputError(
            "memory limit", f"{free.words}; backprop-tui needs {format_bytes(free.least)} to start"
        )


def spare_threads() -> None:
    """Give numpy's BLAS one thread where only few can be started: without its own, it ends the process."""
    from tui_backprop.support.starting import StartError, require_threads

    try:
        require_threads(FEW_THREADS + (os.cpu_count() or 1))
    except StartError:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"


def source_of(error: UserError) -> str:
    """Where a bad value comes from: an option, an environment variable, a stream, the terminal or the system, or a
    file in words."""
    named = error.field in SURROUNDINGS or error.field.isupper() or " " in error.field
    return error.field if named else f"--{error.field}"


def _require_options(context: click.Context, name: str) -> None:
    """Raise InputError if a subcommand does not have an option that was given before its name."""
    assert isinstance(context.command, click.Group)
    command = context.command.get_command(context, name)
    if command is None:
        return
    there = [parameter.name for parameter in command.params]
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and parameter.name not in there:
            raise InputError(parameter.opts[0][2:], f"applies to the app, not to {name}; leave it out")


def usage_error(error: click.ClickException) -> str:
    """Return click's message; for an option it says what would be right: where it belongs, which option is meant, or
    which values it takes."""
    if isinstance(error, click.NoSuchOption):
        return _no_option(error)
    if isinstance(error, click.BadOptionUsage) and error.message.endswith("requires an argument."):
        for parameter in _parameters():
            if error.option_name in parameter.opts and parameter.metavar:
                return f"{error.option_name}: requires a value: {parameter.metavar.replace('|', ', ')}"
    return error.format_message()


def _parameters() -> Iterator[click.Parameter]:
    """Yield the options of the app, then those of the commands."""
    yield from main.params
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        yield from command.params if command else ()


def _no_option(error: click.NoSuchOption) -> str:
    context, name = error.ctx, error.option_name
    if context is None:
        return f"no option {name}"
    root = context.find_root().command
    here = f" of {context.info_name}" if context.command is not root else ""
    if here and any(name in parameter.opts for parameter in root.params):
        return f"{name}: applies to the app, not to {context.info_name}; leave it out"
    known = [option for parameter in context.command.params for option in parameter.opts]
    close = get_close_matches(name, known, n=1, cutoff=SIMILAR)
    return f"{name}: no option{here}" + (f"; did you mean {close[0]}?" if close else "")


def _left_open(opened: Mapping[str, Any]) -> bool:
    """Return True if the session that is opened is the last one, and was left with the lesson on the screen."""
    from tui_backprop.lesson.progress import left_open

    return "resume" in opened and left_open()


def _start_of(chapter: str, others: tuple[str, ...]) -> Session:
    """Return the session that a chapter or step of the lesson starts from. Raises InputError for an unknown one, or
    if other options ask for a session, too."""
    from tui_backprop.lesson.attempt import place_numbered

    if others:
        other = others[0].replace("_", "-")
        raise InputError(
            "chapter", f"cannot be combined with --{other}: a chapter has its own network and data"
        )
    return place_numbered(chapter).step.start.session


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Without a command, the app opens; press ? there for help. {SUMMARY}",
)
@opening_options
@setting_options
@click.option("--chapter", metavar="3.2", help="Open the lesson at this chapter or step.")
@click.version_option(__version__, prog_name="backprop-tui", message="%(prog)s %(version)s")
def main(given: dict[str, Any], flags: dict[str, Any], opened: dict[str, Any], chapter: str | None) -> None:
    """Step through backpropagation: forward pass, loss, backward pass and update, with real numbers."""
    require_system()
    require_memory()
    spare_threads()
    context = click.get_current_context()
    if context.invoked_subcommand is not None:
        if chapter is not None:
            raise InputError(
                "chapter", "applies to the app; backprop-tui lesson --chapter 3 prints a chapter"
            )
        _require_options(context, context.invoked_subcommand)
        return
    from tui_backprop.cli.app import open_app
    from tui_backprop.cli.settings import DEFAULT, settings

    chosen = settings(flags)
    if chosen.trouble:
        say(f"backprop-tui: {DEFAULT}: {chosen.trouble}")
    if chapter is not None:
        session = _start_of(chapter, (*given, *opened))
        open_app(session, replace(chosen, lesson=True), chapter=chapter)
        return
    if chosen.lesson is None and opened:
        chosen = replace(chosen, lesson=_left_open(opened))
    open_app(Opening(given, opened).session(), chosen, again=bool(opened))
