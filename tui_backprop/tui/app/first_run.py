"""The first launch: a file in the folder of the last session shows that the app was opened before."""

from __future__ import annotations

import os
from contextlib import suppress

from tui_backprop.support.paths import own_folder, state_folder

NAME = "lesson-seen"


def lesson_wanted(chosen: bool | None) -> bool:
    """Return True if the lesson is shown at this launch: as ``chosen``, or else on first launch."""
    return not _seen() if chosen is None else chosen


def _seen() -> bool:
    try:
        return os.path.lexists(state_folder() / NAME)
    except OSError:  # no home folder, or an unreadable one
        return False


def lesson_seen() -> None:
    """Create the file. If that fails, the lesson is shown again at the next launch."""
    from tui_backprop.support.atomic_write import replacing

    with suppress(OSError):
        path = own_folder(state_folder()) / NAME
        with replacing(path, private=True, new=True):
            pass
