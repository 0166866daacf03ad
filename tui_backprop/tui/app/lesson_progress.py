"""The progress in the lesson: loaded once, and saved after each change, in workers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tui_backprop.support.errors import UserError
from tui_backprop.support.format import printable
from tui_backprop.tui.app.app_interface import AppContext

if TYPE_CHECKING:
    from tui_backprop.lesson.progress import Progress

SAVING = "lesson-save"  # worker group


class KeptProgress:
    """The progress, kept in a file. Before ``load`` there is none."""

    def __init__(self, app: AppContext) -> None:
        self.loaded = False
        self._app = app
        self._now: Progress | None = None
        self._saved: Progress | None = None  # what is in the file
        self._save_failed = False

    @property
    def now(self) -> Progress:
        """The progress so far."""
        assert self._now is not None
        return self._now

    def load(self) -> tuple[Progress, str]:
        """Read the file, in a worker; return the progress, and what is wrong with the file."""
        from tui_backprop.lesson.progress import Progress, load

        try:
            return load(), ""
        except UserError as error:
            return Progress(), error.message

    def begin(self, progress: Progress, trouble: str) -> None:
        """Take what was loaded, and tell the user of trouble."""
        self._now = self._saved = progress
        self.loaded = True
        if trouble:
            self._app.warn(trouble)

    def keep(self, progress: Progress) -> None:
        """Take the progress, and save it, one after the other."""
        self._now = progress
        if progress != self._saved and not self._app.busy(SAVING):
            self._app.in_thread(SAVING, self._save)

    def _save(self) -> None:
        from tui_backprop.lesson.progress import save

        while (progress := self.now) != self._saved:
            self._saved = progress
            try:
                save(progress)
            except OSError as error:
                self._app.call_from_thread(self._not_saved, printable(error.strerror or error))

    def _not_saved(self, reason: str) -> None:
        """Say so, the first time."""
        if not self._save_failed:
            self._save_failed = True
            self._app.warn(f"The progress in the lesson cannot be saved: {reason}.")

    def close(self) -> None:
        """Save what is not saved yet."""
        if self._now is not None and self._now != self._saved:
            from tui_backprop.lesson.progress import save

            with suppress(OSError):
                save(self._now)
