"""The progress in the lesson: loaded once, and saved after each change, in workers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tui_backprop.support.errors import UserError
from tui_backprop.tui.app.app_interface import AppContext
from tui_backprop.tui.app.keeping import Keeping

if TYPE_CHECKING:
    from tui_backprop.lesson.progress import Progress


class KeptProgress:
    """The progress, kept in a file. Before ``load`` there is none."""

    def __init__(self, app: AppContext) -> None:
        self.loaded = False
        self._app = app
        self._now: Progress | None = None
        self._saved: Progress | None = None  # what this instance of the program has read or written last
        self._keeping = Keeping(app, "progress in the lesson", self._save)

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
        """Take the progress, and save it."""
        self._now = progress
        self._keeping.keep(progress)

    def _save(self, progress: Progress) -> None:
        from tui_backprop.lesson.progress import save

        if self._saved is not None and progress != self._saved:
            save(progress, since=self._saved)
            self._saved = progress

    def close(self) -> None:
        """Save what is not saved yet."""
        if self._now is not None:
            with suppress(OSError):
                self._save(self._now)
