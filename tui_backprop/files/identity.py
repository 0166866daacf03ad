"""What a file is known by: the SHA-256 of its content.

That of a large file is computed in a thread. Until it is done, texts name the file by a key of this process, which
``by_content`` replaces in whatever leaves it. Keys are random, so that no text from elsewhere has one."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from tui_backprop.support.errors import TokenError
from tui_backprop.support.format import format_share
from tui_backprop.support.starting import StartError, start_thread
from tui_backprop.support.validation import quoted

Watch = Callable[[int, int], None]  # (bytes hashed, of how many)

LARGE = 2**24  # bytes from which a thread hashes
PART = 2**22  # bytes hashed at a time
DIGITS = 32  # of a SHA-256 or key in a text
LOOK = 0.05  # seconds between two looks at the progress


class StillHashing(TokenError):
    """The SHA-256 of a file is needed that is not computed yet; it will be."""


class Identity:
    """The SHA-256 of a ``content``, in hexadecimal, and whether its file at ``path`` changed meanwhile. ``done`` of
    ``of`` bytes are hashed."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.digest, self.changed = "", False
        self.done, self.of = 0, len(content)
        self.key = os.urandom(32).hex()
        self.name = path.name
        self.finished = threading.Event()
        self._path, self._stamp = path, _stamp(path)
        self._then: list[Callable[[str], object]] = []
        self._lock = threading.Lock()
        if self.of >= LARGE:
            _begun[self.key[:DIGITS]] = self
            try:
                start_thread(lambda: self._hash(content), "hash")
                return
            except StartError:
                pass
        self._hash(content)

    @property
    def id(self) -> str:
        """The SHA-256; until it is known, the key."""
        return self.digest or self.key

    @property
    def words(self) -> str:
        return f"hashing the file {quoted(self.name)}: {format_share(self.done / self.of)}"

    def then(self, call: Callable[[str], object]) -> None:
        """Call with the SHA-256 as soon as it is known, in whichever thread."""
        with self._lock:
            if not self.digest:
                self._then.append(call)
                return
        call(self.digest)

    def _hash(self, content: bytes) -> None:
        from hashlib import sha256  # the first paint does not need it

        found, view = sha256(), memoryview(content)
        for start in range(0, self.of, PART):
            found.update(view[start : start + PART])
            self.done = min(start + PART, self.of)
        self.changed = _stamp(self._path) != self._stamp
        with self._lock:
            self.digest = found.hexdigest()
        for call in self._then:
            call(self.digest)
        self.finished.set()


_begun: dict[str, Identity] = {}  # those that a thread hashes or has hashed, by key


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written; None if there is none, but a pipe."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def by_content(text: str) -> str:
    """Return a text with the SHA-256 of files in place of their keys. Raises StillHashing if one is not known."""
    for key, each in [*_begun.items()]:
        if key in text:
            if not each.digest:
                raise StillHashing("open", f"{each.words}; try again")
            text = text.replace(key, each.digest[:DIGITS])
    return text


def wait(watch: Watch = lambda done, of: None) -> None:
    """Wait until all files are hashed; ``watch`` is called with the progress."""
    while left := [each for each in [*_begun.values()] if not each.finished.is_set()]:
        watch(sum(each.done for each in left), sum(each.of for each in left))
        left[0].finished.wait(LOOK)


def changed() -> str:
    """Say which file is no longer as it was read; "" if none is known to have changed."""
    names = [quoted(each.name) for each in [*_begun.values()] if each.changed]
    return f"{names[0]} has changed since it was read: --resume needs it as it was" if names else ""
