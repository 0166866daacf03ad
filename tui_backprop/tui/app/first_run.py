"""The first launch: a file in the folder of the last session shows that the app was opened before."""

from __future__ import annotations

from contextlib import suppress

from tui_backprop.support.paths import state_folder

NAME = "tour-seen"


def tour_wanted(chosen: bool | None) -> bool:
    """Return True if the tour is shown at this launch: as ``chosen``, or else on first launch."""
    return not _seen() if chosen is None else chosen


def _seen() -> bool:
    try:
        return (state_folder() / NAME).exists()
    except OSError:  # no home folder, or an unreadable one
        return False


def tour_seen() -> None:
    """Create the file. If that fails, the tour is shown again at the next launch."""
    with suppress(OSError):
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / NAME).touch(mode=0o600)
