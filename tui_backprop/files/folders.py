"""What paths may go on to: the names in a folder, and the completion of a path that is being typed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

MOST = 5000  # names that are read of a folder


def split(path: str) -> tuple[str, str]:
    """Return the folder of a path as it is typed, with its slash, and the beginning of a name in it."""
    folder, slash, beginning = path.rpartition("/")
    return folder + slash, beginning


def names_in(folder: str) -> tuple[str, ...]:
    """Return the names in a folder, in order, with a slash after those of folders; none of one that cannot be read.
    Left out are those that cannot be typed."""
    try:
        with os.scandir(Path(folder).expanduser()) as entries:
            typed = [entry for entry in islice(entries, MOST) if entry.name.isprintable()]
    except (OSError, RuntimeError):  # RuntimeError: a home folder that is not known
        return ()
    return tuple(sorted(entry.name + "/" * _is_folder(entry) for entry in typed))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False


def candidates(path: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the ``names`` in its folder that a path may go on to; hidden ones after a dot only. A path that
    is whole may go on to nothing."""
    _, beginning = split(path)
    if beginning in names:
        return ()
    return tuple(
        name
        for name in names
        if name.startswith(beginning) and (beginning.startswith(".") or not name.startswith("."))
    )


def completed(path: str, names: Sequence[str]) -> str:
    """Return a path, as far as all its candidates are the same."""
    folder, _ = split(path)
    found = candidates(path, names)
    return folder + _common(min(found), max(found)) if found else path


def _common(first: str, last: str) -> str:
    """Return the beginning that two texts, and all between them in order, have in common."""
    length = 0
    while first[length : length + 1] == last[length : length + 1] != "":
        length += 1
    return first[:length]
