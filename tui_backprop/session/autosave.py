"""The last session, kept in a file for ``--resume``: as a token, under a line for people.

The file is replaced in one piece: a kill at any moment leaves the old one or the new one, and of several instances
the last to save wins. A crash of the whole machine does no more harm: what is put in its place is on the disk.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError, UserError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path, state_folder

NAME = "last-session"
EVERY = 0.5  # seconds between two writes
PATIENCE = 2.0  # seconds that leaving waits for the disk
STALE = 3600.0  # seconds after which an unfinished file was left by a killed process


def save(session: Session, folder: Path | None = None) -> None:
    """Keep a session, in one piece or not at all. Raises OSError where it cannot be written, InputError where it has
    no token."""
    import tempfile  # with tokens 8 ms, which no start waits for

    from tui_backprop.session.share_token import encode

    text = f"{about(session)}\n{encode(session)}\n"
    folder = folder or state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        with suppress(OSError):
            folder.chmod(0o700)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f"{NAME}.")  # which nobody else may read
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / NAME)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def about(session: Session) -> str:
    """What a session is, for people."""
    layers = printable(",".join(map(str, session.network.layers)), 60)
    return (
        f"# {layers} on {session.data}, iteration {session.t:,}, step {session.walk.step};"
        " backprop-tui --resume opens it"
    )


def load(folder: Path | None = None) -> Session:
    """The session that was kept last. Raises FileError where there is none, or it is of no use."""
    from tui_backprop.session.share_token import DAMAGED, LONGEST, decode

    try:
        path = (folder or state_folder()) / NAME
        with path.open("rb") as file:
            lines = file.read(LONGEST + 1024).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        raise FileError(
            "resume", f"there is no {display_path(path)} yet; the app keeps one at each step"
        ) from None
    except OSError as error:
        raise FileError("resume", f"the last session cannot be read: {why(error)}") from None
    try:
        return decode(lines[1] if len(lines) == 2 else "")
    except UserError as error:
        reason = "it is damaged" if len(lines) != 2 or error.message == DAMAGED else error.message
        raise FileError(
            "resume", f"{display_path(path)} is of no use: {reason}; start without --resume"
        ) from None


def why(error: Exception) -> str:
    """An error in one line, without the name of a file in it."""
    if isinstance(error, OSError):
        return printable(error.strerror or error)
    return printable(error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}")


class Saver:
    """Keeps the newest of the sessions that it is given, in a thread of its own: the first at once, then one every
    ``every`` seconds at most, and the last when it is closed. ``save`` neither waits nor raises; what went wrong is
    the ``trouble``, one line, until it goes well again."""

    def __init__(self, folder: Path | None = None, every: float = EVERY) -> None:
        self.trouble: str | None = None
        self._folder, self._every = folder, every
        self._newest: Session | None = None  # which is not written yet
        self._written: Session | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def save(self, session: Session) -> None:
        """Have a session kept, unless a newer one comes before it is its turn."""
        with self._changed:
            if self._closed:
                return
            self._newest = session
            if self._thread is None:
                # A daemon: a disk that never answers does not keep the process alive.
                self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:
                    self._thread, self.trouble = None, f"the session is not kept: {why(error)}"
            self._changed.notify()

    def close(self, patience: float = PATIENCE) -> None:
        """Write what is not written yet, and end; waits ``patience`` seconds at most."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(patience)
            if self._thread.is_alive():
                self.trouble = "the session is not kept: the disk does not answer"

    def _run(self) -> None:
        self._sweep()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._newest is not None)
                session, self._newest = self._newest, None
            if session is None:
                return
            self._keep(session)
            with self._changed:
                self._changed.wait_for(lambda: self._closed, self._every)

    def _keep(self, session: Session) -> None:
        if session == self._written:
            return
        where = ""
        try:
            folder = self._folder or state_folder()
            where = f" in {display_path(folder)}"
            save(session, folder)
        except Exception as error:  # whatever it is, the app goes on
            self.trouble = f"the session is not kept{where}: {why(error)}"
        else:
            self.trouble, self._written = None, session

    def _sweep(self) -> None:
        """Remove what processes left that were killed while they wrote."""
        with suppress(OSError):
            for path in (self._folder or state_folder()).glob(f"{NAME}.*"):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > STALE:
                        path.unlink()
