"""Files that are replaced as a whole: whoever reads one sees the old contents or the new ones."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

UNFINISHED = ".part"  # at the end of the name of a file that is not complete yet
NAME_BYTES = 200  # of the name of the file that it will be: a name has at most 255
RANDOM_BYTES = 4  # in the name of an unfinished file, as hexadecimal digits
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
    _remove_unfinished(path)
    unfinished, handle = _begun(path, PRIVATE if private else PUBLIC)
    try:
        with os.fdopen(handle, "wb") as file:
            if private:
                os.fchmod(handle, PRIVATE)  # under any umask
            elif before is not None:
                _adopt(handle, before)
            yield cast("BinaryIO", file)
            file.flush()
            os.fsync(handle)
            os.replace(unfinished, path)  # while it is locked
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    _sync_folder(path.parent)


# --- unfinished files: locked by the process that writes them, for as long as it lives -----------------------


def _begun(path: Path, permissions: int) -> tuple[Path, int]:
    """Create and lock a file that is to become the one at ``path``; return its path and its handle."""
    while True:
        unfinished = path.with_name(f"{_prefix(path)}{os.urandom(RANDOM_BYTES).hex()}{UNFINISHED}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, permissions)
        if _locked(handle) is not False and os.fstat(handle).st_nlink:
            return unfinished, handle
        os.close(handle)  # removed by another process before it was locked


def _remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed have left of a file: regular files of this user that nobody locks."""
    name = re.compile(re.escape(_prefix(path)) + f"[0-9a-f]{{{2 * RANDOM_BYTES}}}" + re.escape(UNFINISHED))
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if name.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_left(entry)


def _remove_if_left(entry: os.DirEntry[str]) -> None:
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        return
    handle = os.open(entry.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if _locked(handle):
            os.unlink(entry.path)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool | None:
    """Lock a file without waiting: False if another process has locked it, None where files cannot be locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _prefix(path: Path) -> str:
    """Return the beginning of the names of the unfinished files of a file."""
    return f".{os.fsdecode(os.fsencode(path.name)[:NAME_BYTES])}."


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # of older versions of Python
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


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
