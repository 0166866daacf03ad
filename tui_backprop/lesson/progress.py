"""How far a learner has come in the lesson: a frozen value, kept in a file beside the last session.

What was done is told apart from what was only skipped or shown, which earns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_backprop.files.decoder import DecodeError, decode_json
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path, own_folder, state_folder

if TYPE_CHECKING:  # numpy: a start that only asks if the lesson was open does without
    from tui_backprop.lesson.chapter import Chapter

NAME = "lesson-progress"
LONGEST_FILE = 2**16  # bytes: many times what all steps take


@dataclass(frozen=True)
class Progress:
    """Steps by their names in the whole lesson, ``chapter/step``: those ``done``, those ``skipped``, those that were
    ``shown``; and the one that the learner is ``at``, if any. The lesson is ``hidden`` while it is not on the
    screen."""

    done: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    at: str = ""
    hidden: bool = False

    def with_done(self, step: str) -> Progress:
        """Count a step as done, unless it was shown."""
        if step in self.shown:
            return self
        return replace(self, done=self.done | {step}, skipped=self.skipped - {step})

    def with_skipped(self, step: str) -> Progress:
        """Note that a step was skipped, unless it is done or was shown."""
        return self if step in self.done | self.shown else replace(self, skipped=self.skipped | {step})

    def with_shown(self, step: str) -> Progress:
        """Note that the answer of a step was shown, unless it is done."""
        if step in self.done:
            return self
        return replace(self, shown=self.shown | {step}, skipped=self.skipped - {step})

    def going_to(self, step: str) -> Progress:
        """Go to a step, which is shown; any order will do."""
        return replace(self, at=step, hidden=False)

    def hiding(self, hidden: bool) -> Progress:
        """Hide the lesson, or show it again."""
        return replace(self, hidden=hidden)

    def without(self, chapter: Chapter) -> Progress:
        """Forget what was done in one chapter."""
        own = frozenset(chapter.ids())
        return replace(self, done=self.done - own, skipped=self.skipped - own, shown=self.shown - own)

    def merged(self, other: Progress, since: Progress) -> Progress:
        """Return ``other`` with what has changed in this progress ``since`` an earlier one, at the step that this one
        is at. What was done in either is done."""

        def steps(name: str) -> frozenset[str]:
            sets: list[frozenset[str]] = [getattr(each, name) for each in (self, since, other)]
            now, then, others = sets
            return (others - (then - now)) | (now - then)

        done = steps("done")
        shown = steps("shown") - done
        return replace(self, done=done, shown=shown, skipped=steps("skipped") - done - shown)

    def done_in(self, chapter: Chapter) -> int:
        """Count the steps of a chapter that are done."""
        return len(self.done.intersection(chapter.ids()))


def save(progress: Progress, folder: Path | None = None, *, since: Progress = Progress()) -> None:
    """Save atomically what has changed in the progress ``since`` an earlier one; what another instance of the program
    has written meanwhile is kept. Raises OSError if the file cannot be written."""
    import msgspec

    from tui_backprop.support.atomic_write import replacing
    from tui_backprop.support.folder_lock import locked

    folder = own_folder(folder or state_folder())
    with locked(folder):
        whole = progress.merged(_written(folder) or since, since)
        fields = {name: sorted(getattr(whole, name)) for name in ("done", "skipped", "shown")}
        with replacing(folder / NAME, private=True) as file:
            file.write(msgspec.json.encode(fields | {"at": whole.at, "hidden": whole.hidden}) + b"\n")


def _written(folder: Path) -> Progress | None:
    """Return the progress in the file; None if there is none, or something else."""
    try:
        return _read(folder)
    except FileError:
        return None


def load(folder: Path | None = None) -> Progress:
    """Load the progress; none if there is no file. Steps that the lesson does not have are left out. Raises FileError
    for a file that cannot be read, or that holds something else."""
    return _known(_read(folder) or Progress())


def left_open(folder: Path | None = None) -> bool:
    """Return True if the lesson was on the screen when the progress was saved last."""
    try:
        progress = _read(folder)
    except FileError:  # the lesson tells why, when it is opened
        return False
    return progress is not None and bool(progress.at) and not progress.hidden


def _read(folder: Path | None) -> Progress | None:
    """Return the progress in the file, as it is there; None if there is no file."""
    from tui_backprop.files.opener import read_own

    try:
        path = (folder or state_folder()) / NAME
        content = read_own(path, LONGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError(
            "lesson", f"the progress cannot be read: {printable(error.strerror or error)}"
        ) from None
    try:
        return decode_json(content, Progress)
    except DecodeError as error:
        raise FileError(
            "lesson", f"{display_path(path)} is of no use: {error}; the next step that is done replaces it"
        ) from None


def _known(progress: Progress) -> Progress:
    """Return the progress without steps that are not in the lesson, and each in one state only."""
    from tui_backprop.lesson.chapter import chapters

    every = frozenset(step for chapter in chapters() for step in chapter.ids())

    def among(steps: Iterable[str]) -> frozenset[str]:
        return every.intersection(steps)

    done, shown = among(progress.done), among(progress.shown)
    return replace(
        progress,
        done=done,
        skipped=among(progress.skipped) - done - shown,
        shown=shown - done,
        at=progress.at if progress.at in every else "",
    )
