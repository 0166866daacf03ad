"""Folders for files on this platform, and paths as they are shown to others."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from tui_backprop.support.format import MAX_PRINTABLE, printable

APP_NAME = "backprop-tui"
PRIVATE = 0o700  # permissions of a folder of ours


def config_file() -> Path:
    """Return the path of the settings file. Raises OSError if the user has no home folder."""
    from platformdirs import user_config_path

    return _absolute(user_config_path) / "config.toml"


def state_folder() -> Path:
    """Return the folder of the last session. Raises OSError as above."""
    from platformdirs import user_state_path

    return _absolute(user_state_path)


def cache_folder() -> Path:
    """Return the folder of measurements. Raises OSError as above."""
    from platformdirs import user_cache_path

    return _absolute(user_cache_path)


def own_folder(path: Path) -> Path:
    """Create a folder that only its user may open, and those above it that are missing, under any umask; return its
    path. Raises OSError for one of another user."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE, exist_ok=True)
        each.chmod(PRIVATE)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "the folder belongs to another user")
    if found.st_mode & 0o777 != PRIVATE:  # an earlier one
        path.chmod(PRIVATE)
    return path


def _absolute(place: Callable[[str], Path]) -> Path:
    try:
        path = place(APP_NAME)
    except (RuntimeError, KeyError):
        path = Path()
    if not path.is_absolute():  # an unresolved "~" would become a folder of that name
        raise OSError("this user has no home folder")
    return path


def display_path(path: Path | str) -> str:
    """Format a path for others to read: the home folder as ~, no control characters, cut to fit a line."""
    text, home = str(path), os.path.expanduser("~")
    for known in {home, os.path.realpath(home)} - {"~", "/", ""}:
        if text == known or text.startswith(known + os.sep):
            text = "~" + text[len(known) :]
    return printable(text, MAX_PRINTABLE)
