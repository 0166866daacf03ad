"""The last session, saved in a file for ``--resume``: as a token, below a line for readers.

The file is replaced atomically: a process that is killed leaves the old file or the new one, and of several instances
the last to save wins. A crash of the machine does no more harm: the new file is synced before it replaces the old
one.

A session in which something was done is kept beside it when the next one is saved, so that looking around in a new
session loses nothing: ``earlier`` returns it."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui_backprop.data.catalogue import title
from tui_backprop.session.state import Session
from tui_backprop.support.errors import FileError, UserError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path, own_folder, state_folder
from tui_backprop.support.starting import StartError, start_thread

if TYPE_CHECKING:
    from tui_backprop.files.identity import Watch

NAME, BEFORE = "last-session", "session-before"
LONGEST_FILE = 2**19 + 1024  # bytes: the longest token, and the line above it
EVERY = 0.5  # seconds between two writes
PATIENCE = 2.0  # seconds to wait for the disk when the app quits


def save(session: Session, folder: Path | None = None) -> None:
    """Save a session atomically. Raises OSError if the file cannot be written, InputError if the session has no
    token."""
    from tui_backprop.session.share_token import encode  # 8 ms, with what follows, that would delay the start
    from tui_backprop.support.atomic_write import replacing

    text = f"{about(session)}\n{encode(session)}\n"
    with replacing(own_folder(folder or state_folder()) / NAME, private=True) as file:
        file.write(text.encode())


def set_aside(folder: Path) -> None:
    """Keep the session that was saved last, if it is begun, while others are saved in its place."""
    from tui_backprop.support.atomic_write import replacing

    with suppress(OSError, UserError):
        if load(text=(text := read(folder))).begun:
            with replacing(own_folder(folder) / BEFORE, private=True) as file:
                file.write(text.encode())


def earlier(folder: Path | None = None) -> tuple[str, ...]:
    """Return the texts of the last session and of the one that was set aside, as far as they can be read."""
    texts = []
    for name in (NAME, BEFORE):
        with suppress(OSError):
            texts.append(read(folder, name))
    return tuple(texts)


def about(session: Session) -> str:
    """Describe a session for readers of the file."""
    network = session.network
    layers = printable(",".join(map(str, network.layers)) or network.title, 60)
    return (
        f"# {layers} on {title(session.data)}, iteration {session.t:,}, step {session.walk.step};"
        " backprop-tui --resume opens it"
    )


def no_session(folder: Path | None = None) -> bool:
    """Return True if no session was saved yet."""
    try:
        return not ((folder or state_folder()) / NAME).exists()
    except OSError:  # load tells why
        return False


def read(folder: Path | None = None, name: str = NAME) -> str:
    """Return the text of a file, for ``load``. Raises OSError if it cannot be read."""
    from tui_backprop.files.opener import read_own

    return read_own((folder or state_folder()) / name, LONGEST_FILE).decode("utf-8", "replace")


def load(
    folder: Path | None = None,
    text: str | None = None,
    field: str = "resume",
    watch: Watch = lambda done, of: None,
) -> Session:
    """Load the session that was saved last, or the one in a ``text`` that was read; ``watch`` is called with the
    bytes hashed of the files that it names. Raises FileError for the ``field`` that asked for it if there is none, or
    if it is unusable."""
    from tui_backprop.session.share_token import DAMAGED, decode

    try:
        path = (folder or state_folder()) / NAME
        lines = (read(folder) if text is None else text).splitlines()
    except (FileNotFoundError, NotADirectoryError):
        raise FileError(
            field, f"there is no {display_path(path)} yet; the app keeps one at each step"
        ) from None
    except OSError as error:
        raise FileError(field, f"the last session cannot be read: {why(error)}") from None
    try:
        return decode(lines[1] if len(lines) == 2 else "", watch)
    except UserError as error:
        reason = "it is damaged" if len(lines) != 2 or error.message == DAMAGED else error.message
        raise FileError(
            field, f"{display_path(path)} is of no use: {reason}; the next session replaces it"
        ) from None


def why(error: Exception) -> str:
    """Describe an error in one line, without a file name."""
    if isinstance(error, OSError):
        return printable(error.strerror or error)
    return printable(error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}")


class Saver:
    """Save the newest of the sessions passed to it, in a thread of its own: the first at once, then at most one every
    ``every`` seconds, and the last when it is closed. ``save`` neither waits nor raises; ``trouble`` is the last
    error, in one line, until a session is saved again. While a file is hashed, sessions that name it wait: ``finish``
    saves one that still does when the app has ended."""

    def __init__(self, folder: Path | None = None, every: float = EVERY) -> None:
        self.trouble: str | None = None
        self._folder, self._every = folder, every
        self._newest: Session | None = None  # not written yet
        self._written: Session | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def saved(self) -> Session | None:
        """The session that was saved last."""
        return self._written

    def save(self, session: Session) -> None:
        """Have a session saved, unless a newer one replaces it before its turn; not one of a recording, which is in a
        file."""
        with self._changed:
            if self._closed or session.network.kept_by_name:
                return
            self._newest = session
            if self._thread is None:
                try:  # a disk that never responds does not keep the process alive
                    self._thread = start_thread(self._run, "autosave")
                except StartError as error:
                    self.trouble = f"the session is not kept: {error}"
            self._changed.notify()

    def close(self, patience: float = PATIENCE) -> None:
        """Save what is not saved yet, and end the thread; wait at most ``patience`` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(patience)
            if self._thread.is_alive():
                self.trouble = "the session is not kept: the disk does not answer"

    @property
    def waits(self) -> bool:
        """True if the last session waits for a file to be hashed although the thread has ended."""
        return self._closed and self._newest is not None and self.trouble is None

    def finish(self, watch: Watch) -> None:
        """Save the session that waits; ``watch`` is called with the bytes hashed."""
        from tui_backprop.files.identity import wait

        wait(watch)
        session, self._newest = self._newest, None
        if session is not None:
            self._keep(session)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._newest is not None)
                session, self._newest = self._newest, None
            if session is None:
                return
            waits = not self._keep(session)
            with self._changed:
                if waits:
                    self._newest = self._newest or session
                    if self._closed:
                        return
                self._changed.wait_for(lambda: self._closed, self._every)

    def _keep(self, session: Session) -> bool:
        """Save a session; return False if it has to wait for a file to be hashed."""
        from tui_backprop.files.identity import StillHashing, changed

        if session == self._written:
            return True
        where = ""
        try:
            folder = self._folder or state_folder()
            where = f" in {display_path(folder)}"
            if self._written is None:
                set_aside(folder)
            save(session, folder)
        except StillHashing:
            return False
        except Exception as error:  # the app continues after any error
            self.trouble = f"the session is not kept{where}: {why(error)}"
        else:
            self.trouble, self._written = changed() or None, session
        return True
