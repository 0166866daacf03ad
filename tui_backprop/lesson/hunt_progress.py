"""The last search for a bug, kept in a file beside the last session."""

from __future__ import annotations

from pathlib import Path

from tui_backprop.files.decoder import DecodeError, decode_json
from tui_backprop.lesson.bug_hunt import HINTS, Hunt
from tui_backprop.lesson.bugs import kinds_in
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path, own_folder, state_folder

NAME = "last-bug"
LONGEST_FILE = 2**16  # bytes
SEEDS = 2**31  # of bugs


def save(hunt: Hunt, folder: Path | None = None) -> None:
    """Save a search atomically. Raises OSError if the file cannot be written."""
    import msgspec

    from tui_backprop.support.atomic_write import replacing

    with replacing(own_folder(folder or state_folder()) / NAME, private=True) as file:
        file.write(msgspec.json.encode(hunt) + b"\n")


def last(folder: Path | None = None) -> Hunt | None:
    """Return the last search, None if there is none. Raises FileError if it is unusable."""
    from tui_backprop.files.opener import read_own

    try:
        path = (folder or state_folder()) / NAME
        content = read_own(path, LONGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = printable(error.strerror or error)
        raise FileError("bug", f"the search for the bug cannot be read: {reason}") from None
    try:
        hunt = decode_json(content, Hunt)
    except DecodeError as error:
        raise _of_no_use(path, str(error)) from None
    if not _fits(hunt):
        raise _of_no_use(path, "it is about another bug")
    return hunt


def _fits(hunt: Hunt) -> bool:
    """Return True for a search that may have been made."""
    if not (0 <= hunt.seed < SEEDS and 0 <= hunt.hints <= HINTS and 0 <= hunt.seconds < float("inf")):
        return False
    kinds = kinds_in(hunt.bug)
    depth = hunt.bug.session.network.graph.depth
    return all(1 <= block <= depth and kind in kinds for block, kind in hunt.named)


def _of_no_use(path: Path, why: str) -> FileError:
    return FileError("bug", f"{display_path(path)} is of no use: {why}; the next search replaces it")
