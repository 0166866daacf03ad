"""The one way to open a file that this process did not make: bounded, and without waiting for anybody."""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path

from tui_backprop.support.format import format_bytes

PATIENCE = 3.0  # seconds in which a pipe has to deliver something
PART = 2**16  # bytes read from a pipe at a time
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
SUPERUSER = 0


def read_own(path: Path, most: int) -> bytes:
    """Return the contents of a file of this program, at most ``most`` bytes: a regular file of this user or the
    superuser, reached through links of theirs only. Raises OSError, whose ``strerror`` is a clause."""
    for each in (path.parent, path):
        if each.is_symlink():
            _require_own(each.lstat())
    require_regular(path.stat())  # before it is opened: opening a device may have effects
    handle = os.open(path, FLAGS)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        require_regular(found)
        _require_own(found)
        return _bounded(file.read(most + 1), most)


def read_named(path: Path, most: int, pipes: bool = True) -> bytes:
    """Return the contents of a file that the user named, at most ``most`` bytes: a regular file, anybody's, or with
    ``pipes`` a pipe that delivers something every PATIENCE seconds. Raises OSError; its ``strerror`` is a clause."""
    if pipes and stat.S_ISFIFO(path.stat().st_mode):
        return _bounded(_read_pipe(path, most), most)
    require_regular(path.stat())
    handle = os.open(path, FLAGS)
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(handle)
        require_regular(before)
        content = _bounded(file.read(most + 1), most)
        after = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError(errno.EBUSY, "it changed while it was read; try again")
    return content


def _read_pipe(path: Path, most: int) -> bytes:
    """Read a pipe to its end, or one byte more than ``most``."""
    handle = os.open(path, FLAGS)
    content = bytearray()
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN | select.POLLHUP)
        while len(content) <= most:
            if not poll.poll(PATIENCE * 1000):
                raise OSError(errno.ETIMEDOUT, f"nothing was written to this pipe for {PATIENCE:.0f} s")
            part = os.read(handle, min(PART, most + 1 - len(content)))
            if not part:
                break
            content += part
    finally:
        os.close(handle)
    return bytes(content)


def _bounded(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {format_bytes(most)}")
    return content


def require_regular(found: os.stat_result) -> None:
    """Raise OSError for a folder, a device or a pipe."""
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def _require_own(found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), SUPERUSER):
        raise OSError(errno.EPERM, "it belongs to another user")
