"""The streams of every command: where they are opened, written and closed.

All text leaves the process through ``Outlet``, without control characters, whoever wrote it. If stdout cannot be
written, WriteError is raised, or SystemExit if its reader has left. Without stderr, messages are dropped."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING

from tui_backprop.support.errors import WriteError
from tui_backprop.support.exit_codes import PIPE_CLOSED

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Flags with which a stream is opened that was closed when the process started: every use of it fails. Left closed,
# its number would be given to the next file that is opened.
MISUSED = (os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)
NAMES = ("stdin", "stdout", "stderr")
LAYOUT = "\n\t"  # control characters that text may contain


def open_streams() -> None:
    """Prepare stdin, stdout and stderr, whichever of them are closed."""
    for number, flags in enumerate(MISUSED):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for number in (1, 2):
        stream = getattr(sys, NAMES[number])
        encoding = getattr(stream, "encoding", None) or "utf-8"
        setattr(sys, NAMES[number], Outlet(Descriptor(number), encoding))


def close_streams() -> None:
    """Write what is left. Raises WriteError if the system reports only now that stdout was not written."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if isinstance(sys.stdout, Outlet):
        sys.stdout.descriptor.end()


def write(text: str | bytes, *, newline: bool = True) -> None:
    """Write text, or JSON as bytes, to stdout. Raises WriteError if that is impossible, SystemExit with PIPE_CLOSED
    if nobody reads it any longer."""
    if isinstance(text, bytes):
        sys.stdout.flush()
        sys.stdout.buffer.write(text + b"\n" * newline)
    else:
        sys.stdout.write(text + "\n" * newline)
    sys.stdout.flush()


def say(text: str) -> None:
    """Write a line to stderr, if it can be written."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_over(text: str) -> None:
    """Write a text over the current line of stderr."""
    stream = sys.stderr
    stream.flush()
    if isinstance(stream, Outlet):
        stream.descriptor.write(b"\r")
    else:
        stream.write("\r")
    stream.write(text)
    stream.flush()


def clean(text: str) -> str:
    """Replace every control character of a text, and what else is not printable, by a question mark."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in LAYOUT else "?" for c in text)


class Outlet(io.TextIOWrapper):
    """Text on its way out of the process."""

    def __init__(self, descriptor: Descriptor, encoding: str) -> None:
        self.descriptor = descriptor
        super().__init__(io.BufferedWriter(descriptor), encoding, "backslashreplace")

    def write(self, text: str) -> int:
        super().write(clean(text))
        return len(text)


class Descriptor(io.RawIOBase):
    """File descriptor 1 or 2. After the first error it takes everything and writes nothing: at its end, the
    interpreter tries again to write the rest."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number, self._failed = number, False
        self.name = NAMES[number]

    def write(self, data: ReadableBuffer) -> int:
        whole = memoryview(data).cast("B")
        left = whole
        while left and not self._failed:
            try:
                left = left[os.write(self._number, left) :]
            except BlockingIOError:  # another program made it non-blocking
                select.select([], [self._number], [])
            except OSError as error:
                self._fail(error)
        return len(whole)

    def end(self) -> None:
        """Have the system report what it has not written, as it does for files on other machines."""
        if not self._failed:
            try:
                os.close(os.dup(self._number))
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._failed = True
        if self.name == "stderr":
            return
        if error.errno == errno.EPIPE:
            raise SystemExit(PIPE_CLOSED)
        raise WriteError(self.name, f"cannot be written: {error.strerror or error}")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)
