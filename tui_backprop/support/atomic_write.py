"""Files that are replaced as a whole: whoever reads one sees the old contents or the new ones."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

UNFINISHED = ".part"  # at the end of the name of a file that is not complete yet
NAME_BYTES = 200  # of the name of the file that it will be: a name has at most 255
STALE = 3600.0  # seconds after which an unfinished file was left by a process that was killed
PRIVATE, PUBLIC = 0o600, 0o666  # permissions of a new file, the latter less the umask


@contextmanager
def replacing(path: Path, *, private: bool = False, new: bool = False) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of the one at ``path`` at the end, with its owner and permissions, unless an
    exception is raised. A link is followed; a device or a pipe is written to directly.

    A ``private`` file, which only its user may read, replaces whatever is at ``path``, a link too. A ``new`` one
    replaces nothing. Raises OSError."""
    if not private and not new:
        path = _followed(path)
    before = _status(path)
    if new and before is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    if before is not None and not stat.S_ISREG(before.st_mode) and not private:
        with _writable(path) as file:
            yield cast("BinaryIO", file)
        return
    if before is not None and not private and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    unfinished = path.with_name(f".{_beginning(path.name)}.{os.urandom(4).hex()}{UNFINISHED}")
    handle = os.open(
        unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE if private else PUBLIC
    )
    try:
        with os.fdopen(handle, "wb") as file:
            if private:
                os.fchmod(handle, PRIVATE)  # under any umask
            elif before is not None:
                _adopt(handle, before)
            yield cast("BinaryIO", file)
            file.flush()
            os.fsync(handle)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    _sync_folder(path.parent)


def remove_unfinished(folder: Path, name: str) -> None:
    """Remove what processes that were killed have left of a file in a folder."""
    with suppress(OSError):
        for path in folder.glob(f".{name}.*{UNFINISHED}"):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > STALE:
                    path.unlink()


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # of older versions of Python
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _beginning(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:NAME_BYTES])


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _writable(path: Path) -> IO[bytes]:
    """Open a device, or a pipe, which has to have a reader."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads this pipe") from None
        raise
    os.set_blocking(handle, True)
    return os.fdopen(handle, "wb")


def _adopt(handle: int, before: os.stat_result) -> None:
    """Give a file the owner and the permissions of the one that it replaces."""
    with suppress(OSError):  # only the superuser may give files away
        os.fchown(handle, before.st_uid, before.st_gid)
    os.fchmod(handle, stat.S_IMODE(before.st_mode))


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file survive a crash of the machine, on systems that can sync folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
