"""``backprop-tui doctor``: what was detected about terminal and machine, and why, for a bug report.

It contains nothing personal: no addresses, and the home folder is shown as ~.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_backprop import __version__
from tui_backprop.cli.options import output_options, setting_options
from tui_backprop.cli.output import print_report
from tui_backprop.cli.settings import AUTO, ROWS, SETTINGS, Settings, settings
from tui_backprop.support import paths as places
from tui_backprop.support.errors import UserError
from tui_backprop.support.format import described, format_bytes, printable
from tui_backprop.support.paths import display_path

if TYPE_CHECKING:
    from tui_backprop.report.doctor import Diagnosis

Found = tuple[str, str] | tuple[str, str, str]  # of what, the value, and the reason if there is one

PACKAGES = ("textual", "rich", "numpy", "plotext", "msgspec", "click")
COLORS = ("COLORTERM", "COLORFGBG", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM")
TERMINAL = ("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", *COLORS)
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
UNSET = "not set"


@click.command("doctor")
@setting_options
@output_options
def command(flags: dict[str, Any], as_json: bool, plain: bool) -> None:
    """Print what was detected about this terminal and machine, and why, for a bug report.

    It contains nothing personal: no names or addresses, and the home folder is shown as ~.
    """
    from tui_backprop.report.doctor import doctor_dict, doctor_text

    diagnosis = diagnose(flags)
    print_report(
        as_json, plain, lambda: doctor_dict(diagnosis), lambda context: doctor_text(diagnosis, context)
    )


def diagnose(flags: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Diagnosis:
    """Collect the findings. Invalid settings are a finding, too, except in ``flags``: raises InputError for those."""
    from tui_backprop.report.doctor import Diagnosis, Finding

    chosen, problem = _settings(flags, environ)
    groups: dict[str, Iterable[Found]] = {
        "versions": _versions(),
        "terminal": _terminal(environ),
        "screen": _screen(chosen, environ),
        "machine": _machine(environ),
        "places": _places(),
        "settings": _chosen(chosen, problem),
    }
    return Diagnosis(
        {title: tuple(Finding(*found) for found in findings) for title, findings in groups.items()}
    )


def _settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Settings, str]:
    """Determine the settings in force, and what is wrong with the file or the environment, if anything is."""
    try:
        chosen = settings(flags, environ)
        return chosen, chosen.trouble
    except UserError as error:
        if error.field in (*ROWS, "ascii"):
            raise
        return Settings(), printable(error, 300)


def _versions() -> Iterator[Found]:
    import importlib.metadata
    import platform

    yield "backprop-tui", __version__
    yield "Python", platform.python_version(), platform.python_implementation()
    for name in PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield name, "not installed"
    yield "system", printable(platform.platform())


def _terminal(environ: Mapping[str, str]) -> Iterator[Found]:
    from tui_backprop.terminal import capabilities
    from tui_backprop.terminal.setup import RESET_COMMAND, require_terminal

    yield from ((name, _variable(name, environ)) for name in TERMINAL)
    streams = [name for name in ("stdin", "stdout", "stderr") if _is_terminal(name)]
    yield "terminals", ", ".join(streams) or "none", "of stdin, stdout and stderr"
    yield "size", *_size()
    multiplexer, link = capabilities.multiplexer(environ), capabilities.link(environ)
    yield "multiplexer", multiplexer.value, printable(multiplexer.why)
    yield "link", link.value, link.why
    try:
        require_terminal()
        yield "app", "can open here"
    except UserError as error:
        yield "app", "cannot open here", error.message
    yield (
        "to reset it",
        "reset",
        f"if it prints mouse events after a dropped connection; or {RESET_COMMAND}",
    )


def _screen(chosen: Settings, environ: Mapping[str, str]) -> Iterator[Found]:
    from tui_backprop.terminal import capabilities

    encoding = getattr(sys.stderr, "encoding", None)
    colors = capabilities.colors(chosen.color, environ)
    names = {"true": "true color", "none": "none"}
    yield "colors", names.get(colors.value, colors.value), printable(colors.why)
    theme = capabilities.theme(chosen.theme, colors.value, environ)
    yield "theme", theme.value, printable(theme.why)
    glyphs = capabilities.glyph_set(chosen.glyphs, encoding)
    yield "glyphs", glyphs.value, printable(glyphs.why)
    motion = capabilities.motion(chosen.motion, environ)
    yield "motion", motion.value, motion.why
    yield "encoding", printable(encoding or UNSET), "of stderr, which the app draws on"
    yield from ((name, _variable(name, environ)) for name in LOCALE)


def _machine(environ: Mapping[str, str]) -> Iterator[Found]:
    import psutil

    from tui_backprop.cost.measure.cache import machine
    from tui_backprop.engine.arrays.team import team
    from tui_backprop.support import memory
    from tui_backprop.support.cores import usable_cores

    about, free = machine(), memory.available()
    yield "processor", printable(about["processor"])
    yield "cores", about["cores"], f"{usable_cores()} may be used"
    yield (
        "memory",
        format_bytes(psutil.virtual_memory().total),
        free.words,
    )
    yield "BLAS", printable(about["blas"])
    yield "threads", str(team().threads), "that share a pass; BLAS has one"
    yield from ((name, _variable(name, environ)) for name in THREADS)


def _places() -> Iterator[Found]:
    wanted: tuple[tuple[str, Callable[[], Path]], ...] = (
        ("settings", places.config_file),
        ("last session", places.state_folder),
        ("measurements", places.cache_folder),
    )
    for name, place in wanted:
        try:
            path = place()
        except OSError as error:
            yield name, "nowhere", printable(error)
        else:
            yield name, display_path(path), _state(path)


def _state(path: Path) -> str:
    """Describe if a path exists and can be written."""
    with suppress(OSError):
        there = path.exists()
        nearest = path
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        writable = os.access(nearest, os.W_OK | (os.X_OK if nearest.is_dir() else 0))
        return f"{'exists' if there else 'does not exist yet'}, {'writable' if writable else 'NOT WRITABLE'}"
    return "not accessible"


def _chosen(chosen: Settings, problem: str) -> Iterator[Found]:
    if problem:
        yield "problem", "default settings", problem
    for setting in SETTINGS:
        value = getattr(chosen, setting.name)
        yield setting.name, AUTO if value is None else described(value), chosen.origin(setting.name)
    for action, keys in chosen.keys.items():
        yield f"keys of {action}", " ".join(keys), chosen.origin("keys")


def _is_terminal(name: str) -> bool:
    with suppress(AttributeError, ValueError):  # closed, or missing
        return bool(getattr(sys, name).isatty())
    return False


def _size() -> tuple[str, str]:
    for number, name in ((2, "stderr"), (1, "stdout"), (0, "stdin")):
        with suppress(OSError):
            columns, rows = os.get_terminal_size(number)
            return f"{columns}x{rows}", f"of {name}"
    return "none", "no stream is a terminal"


def _variable(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's value as it can be printed; distinguish an empty one from an unset one."""
    value: Any = environ.get(name)
    return UNSET if value is None else printable(value, 60) or "empty"
