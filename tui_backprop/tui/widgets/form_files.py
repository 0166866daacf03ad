"""Files in the network form: opened in a worker thread, with progress and a stop; and paths, completed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from textual.widget import Widget

from tui_backprop.render.view_state import Activity, share
from tui_backprop.session.form_files import Opened, opened, to_open
from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError, UserError, reason_of
from tui_backprop.tui.messages import ToDo

OFTEN = 0.1  # seconds between two reports of progress


class Stopped(Exception):
    """Reading was stopped."""


@dataclass(eq=False)
class Reading:
    """Files that are being read: those of the ``texts``; how ``far`` that is, and if it was ``stopped``."""

    texts: Mapping[str, str]
    far: str = "0%"
    stopped: bool = False
    told: float = 0.0  # the time of the last report


class FileOpening:
    """Open the files that the fields of a panel name. ``changed`` is called when there is progress to show, ``done``
    with the texts that were asked for and what was found, or the error, naming a field."""

    def __init__(
        self,
        panel: Widget,
        changed: Callable[[], None],
        done: Callable[[Mapping[str, str], Opened | UserError], None],
    ) -> None:
        self._panel, self._changed, self._done = panel, changed, done
        self._reading: Reading | None = None

    @property
    def far(self) -> str:
        """How far the files are read; empty while none is."""
        return self._reading.far if self._reading else ""

    @property
    def activity(self) -> Activity | None:
        """The reading, while it goes on."""
        return Activity("reading", self.far, "network") if self._reading else None

    def start(self, texts: Mapping[str, str], session: Session) -> None:
        """Begin to read; what was being read is dropped."""
        self.stop()
        self._reading = Reading(texts)
        self._panel.post_message(ToDo("files", partial(self._open, self._reading, session)))
        self._changed()

    def stop(self) -> bool:
        """Stop reading; return False if nothing is being read."""
        if self._reading is None:
            return False
        self._reading.stopped, self._reading = True, None
        self._changed()
        return True

    def _open(self, reading: Reading, session: Session) -> None:
        """Read, in the worker."""
        found: Opened | UserError
        try:
            found = opened(reading.texts, session, partial(self._watch, reading))
        except Stopped:
            return
        except UserError as error:
            found = error
        except Exception as error:  # any error is reported in one line, memory that ran out, too
            found = FileError(to_open(reading.texts)[0], reason_of(error))
        self._panel.app.call_from_thread(self._opened, reading, found)

    def _watch(self, reading: Reading, done: int, of: int) -> None:
        """Report progress, in the worker. Raises Stopped."""
        if reading.stopped:
            raise Stopped
        if monotonic() - reading.told > OFTEN:
            reading.told, reading.far = monotonic(), share(done, of)
            self._panel.app.call_from_thread(self._changed)

    def _opened(self, reading: Reading, found: Opened | UserError) -> None:
        if reading is self._reading:
            self._reading = None
            self._done(reading.texts, found)
            self._changed()


class PathNames:
    """The names in the folder of a path that is being typed, read in a worker thread. ``changed`` is called when they
    are known."""

    def __init__(self, panel: Widget, changed: Callable[[], None]) -> None:
        self._panel, self._changed = panel, changed
        self._folder: str | None = None
        self._names: tuple[str, ...] = ()

    def look(self, path: str, *, again: bool = False) -> None:
        """Have the folder of a path read, unless its names are known; or ``again``."""
        from tui_backprop.files.folders import split

        folder, _ = split(path)
        if folder != self._folder or again:
            self._folder, self._names = folder, ()
            self._panel.post_message(ToDo("folder", partial(self._read, folder)))

    def candidates(self, path: str) -> tuple[str, ...]:
        """Return the names that a path may go on to."""
        from tui_backprop.files.folders import candidates

        return candidates(path, self._names)

    def completed(self, path: str) -> str:
        """Return a path, as far as all its candidates are the same."""
        from tui_backprop.files.folders import completed

        return completed(path, self._names)

    def _read(self, folder: str) -> None:
        from tui_backprop.files.folders import names_in

        self._panel.app.call_from_thread(self._found, folder, names_in(folder))

    def _found(self, folder: str, names: tuple[str, ...]) -> None:
        if folder == self._folder:
            self._names = names
            self._changed()
