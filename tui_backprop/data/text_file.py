"""Text from a file: UTF-8, a document on each line."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tui_backprop.data import own
from tui_backprop.data.own import FIELD
from tui_backprop.data.table_file import STDIN, STDIN_PATH
from tui_backprop.data.text import documents_of, text_of
from tui_backprop.files.decoder import DecodeError
from tui_backprop.files.known import remember
from tui_backprop.files.opener import read_named
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted

LARGEST = 10**7  # bytes
MEMORY = 20  # bytes that each byte of a file takes while it is read
USABLE = 0.5  # of free memory


def read_documents(path: str, name: str = "") -> str:
    """Read the documents of a file, or of stdin for -, and return them as the data of a session; its ``name`` is that
    of the file unless another one is given. Raises FileError for a file that cannot be read, does not fit into
    memory, is not UTF-8, or has no text or too many different characters."""
    where = STDIN_PATH if path == STDIN else Path(path)
    name = name or ("stdin" if path == STDIN else where.name)
    try:
        content = read_named(where, min(LARGEST, int(USABLE * available().bytes) // MEMORY))
        documents = documents_of(_decoded(content))
        text = text_of(documents)
    except (OSError, DecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        there = "stdin" if path == STDIN else display_path(where)
        raise FileError(FIELD, f"{quoted(there)} cannot be read: {printable(why, 200)}") from None
    digest = hashlib.sha256(content).hexdigest()
    if path != STDIN:
        remember(digest, where)
    return own.hold_text(name, digest, documents, text)


def _decoded(content: bytes) -> str:
    """Return the text. Raises DecodeError with the line of the first byte that is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise DecodeError(f"line {line:,} is not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8") from None
