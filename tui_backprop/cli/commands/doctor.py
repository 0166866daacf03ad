"""``backprop-tui doctor``: what was found out about terminal and machine, and why, for a bug report.

Nothing in it says who somebody is, or where: addresses are not told, and the home folder is ~.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_backprop import __version__
from tui_backprop.cli.settings import AUTO, ROWS, SETTINGS, Settings, settings, written
from tui_backprop.report.doctor import Diagnosis, Row
from tui_backprop.support import paths as places
from tui_backprop.support.errors import UserError
from tui_backprop.support.format import format_bytes, printable
from tui_backprop.support.paths import display_path
from tui_backprop.terminal import capabilities as detect
from tui_backprop.terminal.setup import require_terminal

PACKAGES = ("textual", "rich", "numpy", "plotext", "msgspec", "click")
COLORS = ("COLORTERM", "COLORFGBG", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM")
TERMINAL = ("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", *COLORS)
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ASK = ("scipy_openblas_get_num_threads64_", "openblas_get_num_threads64_", "openblas_get_num_threads")
UNSET = "not set"
# What takes back what the app asks of a terminal: mouse, focus and paste reports, the other screen, no cursor.
BACK = r"printf '\033[?1000;1002;1003;1004;1006;1015;2004;1049l\033[?25h'"


def diagnose(flags: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Diagnosis:
    """Find it out. Settings that do not do are a finding, but for ``flags``: raises InputError for those."""
    chosen, problem = _settings(flags, environ)
    return Diagnosis(
        {
            "versions": _versions(),
            "terminal": _terminal(environ),
            "screen": _screen(chosen, environ),
            "machine": _machine(environ),
            "places": _places(),
            "settings": _chosen(chosen, problem),
        }
    )


def _settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Settings, str]:
    """Those in force, and what is wrong with the file or the environment, if anything is."""
    try:
        return settings(flags, environ), ""
    except UserError as error:
        if error.field in (*ROWS, "ascii"):
            raise
        return Settings(), printable(error, 300)


def _versions() -> tuple[Row, ...]:
    rows = [
        Row("backprop-tui", __version__),
        Row("Python", platform.python_version(), platform.python_implementation()),
    ]
    for name in PACKAGES:
        try:
            rows.append(Row(name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            rows.append(Row(name, "not installed"))
    return (*rows, Row("system", printable(platform.platform())))


def _terminal(environ: Mapping[str, str]) -> tuple[Row, ...]:
    streams = [name for name in ("stdin", "stdout", "stderr") if _is_terminal(name)]
    multiplexer, link = detect.multiplexer(environ), detect.link(environ)
    try:
        require_terminal()
        app = Row("app", "can open here")
    except UserError as error:
        app = Row("app", "cannot open here", error.message)
    return (
        *(Row(name, _variable(name, environ)) for name in TERMINAL),
        Row("terminals", ", ".join(streams) or "none", "of stdin, stdout and stderr"),
        Row("size", *_size()),
        Row("multiplexer", multiplexer.value, printable(multiplexer.why)),
        Row("link", link.value, link.why),
        app,
        Row(
            "to mend it", "reset", f"after a dropped connection, if it prints what the mouse does; or {BACK}"
        ),
    )


def _screen(chosen: Settings, environ: Mapping[str, str]) -> tuple[Row, ...]:
    encoding = getattr(sys.stderr, "encoding", None)
    colors = detect.colors(chosen.color, environ)
    theme = detect.theme(chosen.theme, colors.value, environ)
    glyphs = detect.glyph_set(chosen.glyphs, encoding)
    motion = detect.moves(chosen.motion, environ)
    names = {"true": "true color", "none": "none"}
    return (
        Row("colors", names.get(colors.value, colors.value), printable(colors.why)),
        Row("theme", theme.value, printable(theme.why)),
        Row("glyphs", glyphs.value, printable(glyphs.why)),
        Row("motion", motion.value, motion.why),
        Row("encoding", printable(encoding or UNSET), "of stderr, which the app draws on"),
        *(Row(name, _variable(name, environ)) for name in LOCALE),
    )


def _machine(environ: Mapping[str, str]) -> tuple[Row, ...]:
    import psutil

    from tui_backprop.cost.measure.cache import machine

    about, memory = machine(), psutil.virtual_memory()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads, why = _threads()
    return (
        Row("processor", printable(about["processor"])),
        Row("cores", about["cores"], f"{usable} may be used"),
        Row("memory", format_bytes(memory.total), f"{format_bytes(memory.available)} free"),
        Row("BLAS", printable(about["blas"])),
        Row("BLAS threads", threads, why),
        *(Row(name, _variable(name, environ)) for name in THREADS),
    )


def _threads() -> tuple[str, str]:
    """How many threads numpy's BLAS computes with, by its own word."""
    import numpy as np

    folder = Path(np.__file__).parent
    for path in (*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")):
        with suppress(OSError):
            library = ctypes.CDLL(str(path))
            for name in ASK:
                if hasattr(library, name):
                    return str(getattr(library, name)()), "as it says itself"
    return "unknown", "it is no OpenBLAS that came with numpy"


def _places() -> tuple[Row, ...]:
    wanted: tuple[tuple[str, Callable[[], Path]], ...] = (
        ("settings", places.config_file),
        ("last session", places.state_folder),
        ("measurements", places.cache_folder),
    )
    rows = []
    for name, place in wanted:
        try:
            path = place()
        except OSError as error:
            rows.append(Row(name, "nowhere", printable(error)))
        else:
            rows.append(Row(name, display_path(path), _state(path)))
    return tuple(rows)


def _state(path: Path) -> str:
    """Whether a place is there, and can be written."""
    with suppress(OSError):
        there = path.exists()
        nearest = path
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        writable = os.access(nearest, os.W_OK | (os.X_OK if nearest.is_dir() else 0))
        return f"{'there' if there else 'not there yet'}, {'can' if writable else 'CANNOT'} be written"
    return "cannot be looked at"


def _chosen(chosen: Settings, problem: str) -> tuple[Row, ...]:
    rows = [Row("problem", "usual settings", problem)] if problem else []
    for setting in SETTINGS:
        value = getattr(chosen, setting.name)
        rows.append(Row(setting.name, AUTO if value is None else written(value), chosen.origin(setting.name)))
    for action, keys in chosen.keys.items():
        rows.append(Row(f"keys of {action}", " ".join(keys), chosen.origin("keys")))
    return tuple(rows)


def _is_terminal(name: str) -> bool:
    with suppress(AttributeError, ValueError):  # closed, or not there
        return bool(getattr(sys, name).isatty())
    return False


def _size() -> tuple[str, str]:
    for number, name in ((2, "stderr"), (1, "stdout"), (0, "stdin")):
        with suppress(OSError):
            columns, rows = os.get_terminal_size(number)
            return f"{columns}x{rows}", f"of {name}"
    return "none", "no stream is a terminal"


def _variable(name: str, environ: Mapping[str, str]) -> str:
    """A variable's value as it can be printed; an empty one is told from none."""
    value: Any = environ.get(name)
    return UNSET if value is None else printable(value, 60) or "empty"
