"""Whether the app was ever opened before: a mark in the folder of the last session says so."""

from __future__ import annotations

from contextlib import suppress

from tui_backprop.support.paths import state_folder

NAME = "tour-seen"


def tour_wanted(chosen: bool | None) -> bool:
    """Whether the tour is shown at this start: as was chosen, or else at the first one."""
    return not _seen() if chosen is None else chosen


def _seen() -> bool:
    try:
        return (state_folder() / NAME).exists()
    except OSError:  # no home folder, or one that cannot be looked into
        return False


def tour_seen() -> None:
    """Leave the mark. Where it cannot be written, the tour is shown again the next time."""
    with suppress(OSError):
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / NAME).touch(mode=0o600)
