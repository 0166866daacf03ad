"""Recordings of PyTorch: a safetensors file whose array ``recording`` is the description of the steps, in JSON.

The other arrays have the keys that the description gives them. What a file says of itself is checked before anything
is made of it; arrays are read from the disk when they are asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from tui_backprop.engine.frontends.recording.recorded import RecordingHeader
from tui_backprop.engine.frontends.recording.validity import check_header
from tui_backprop.engine.primitives import Array, Shape
from tui_backprop.files.decoder import DecodeError, convert, decode_json
from tui_backprop.files.opener import FLAGS, require_regular
from tui_backprop.files.safetensors import DTYPES, LENGTH, METADATA, MOST_HEADER, Entry
from tui_backprop.support.errors import FileError
from tui_backprop.support.format import printable
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import quoted

SUFFIX = ".bp"
DESCRIPTION = "recording"  # the name of the array that holds the JSON
MOST_DESCRIPTION = 2**26  # bytes
FIELD = "recording"
_NAMES = {np.dtype(dtype).str.lstrip("<|"): name for name, dtype in DTYPES.items() if name != "BF16"}


class ArraysOnDisk(Mapping[str, Array]):
    """The arrays of an open recording by key, each read when it is asked for. Raises OSError where that fails, also
    if the file was cut off meanwhile."""

    def __init__(self, handle: int, entries: Mapping[str, Entry], start: int) -> None:
        self._handle, self._entries, self._start = handle, entries, start

    def __getitem__(self, key: str) -> Array:
        entry = self._entries[key]
        begin, end = entry.data_offsets
        content = bytearray(end - begin)
        view, done = memoryview(content), 0
        while done < len(view):
            part = os.preadv(self._handle, [view[done:]], self._start + begin + done)
            if not part:
                raise OSError(errno.EIO, "it was cut off while it was open")
            done += part
        found = np.frombuffer(content, DTYPES[entry.dtype]).reshape(entry.shape)
        found.setflags(write=False)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def shape(self, key: str) -> Shape:
        """Return the shape of an array."""
        return tuple(self._entries[key].shape)

    def bytes(self, key: str) -> int:
        """Return the size of an array."""
        begin, end = self._entries[key].data_offsets
        return end - begin

    def __del__(self) -> None:
        os.close(self._handle)


def open_recording(path: Path) -> tuple[RecordingHeader, ArraysOnDisk]:
    """Open a recording. Raises FileError, in one line, for anything that is none."""
    try:
        require_regular(path.stat())
        handle = os.open(path, FLAGS)
    except OSError as error:
        raise _error(path, f"cannot be read: {printable(error.strerror or error)}") from None
    arrays: ArraysOnDisk | None = None
    try:
        found = os.fstat(handle)
        require_regular(found)
        entries, start = _entries(handle, found.st_size)
        arrays = ArraysOnDisk(handle, entries, start)
        return _header(arrays), arrays
    except OSError as error:
        raise _error(path, f"cannot be read: {printable(error.strerror or error)}") from None
    except DecodeError as error:
        raise _error(path, f"is no recording: {error}") from None
    finally:
        if arrays is None:
            os.close(handle)


def _error(path: Path, why: str) -> FileError:
    return FileError(FIELD, f"{quoted(display_path(path))} {why}")


def _entries(handle: int, size: int) -> tuple[dict[str, Entry], int]:
    """Return the arrays that the header of safetensors lists, and where their data begins. Raises DecodeError."""
    length = int.from_bytes(os.pread(handle, LENGTH, 0), "little")
    if not 2 <= length <= min(MOST_HEADER, size - LENGTH):
        raise DecodeError("it does not begin as a safetensors file does, or is cut off")
    listed = decode_json(os.pread(handle, length, LENGTH), dict[str, object])
    start = LENGTH + length
    entries = {name: convert(entry, Entry) for name, entry in listed.items() if name != METADATA}
    for name, entry in entries.items():
        _check_entry(name, entry, size - start)
    return entries, start


def _check_entry(name: str, entry: Entry, size: int) -> None:
    """Raise DecodeError for an array of another type, and unless its shape, its place and the file's size agree."""
    if entry.dtype not in DTYPES or entry.dtype == "BF16":
        raise DecodeError(f"{quoted(name)} holds {quoted(entry.dtype)}")
    begin, end = entry.data_offsets
    if min([0, *entry.shape]) < 0 or not 0 <= begin <= end:
        raise DecodeError(f"{quoted(name)} is damaged: its shape or its place is negative")
    if end > size:
        raise DecodeError(f"it is cut off: {quoted(name)} ends after byte {end:,}, the file after {size:,}")
    if end - begin != prod(entry.shape) * np.dtype(DTYPES[entry.dtype]).itemsize:
        raise DecodeError(f"{quoted(name)} is damaged: its shape and its size do not agree")


def _header(arrays: ArraysOnDisk) -> RecordingHeader:
    """Read the description, and check it. Raises DecodeError."""
    if DESCRIPTION not in arrays:
        raise DecodeError("it is a safetensors file without the description of a recording")
    if arrays.bytes(DESCRIPTION) > MOST_DESCRIPTION:
        raise DecodeError(f"its description is larger than {MOST_DESCRIPTION >> 20} MB")
    header = decode_json(arrays[DESCRIPTION].tobytes(), RecordingHeader)
    shapes = {key: arrays.shape(key) for key in arrays}
    if wrong := check_header(header, shapes):
        raise DecodeError(wrong)
    return header


class Room:
    """Collects arrays in a temporary file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.end = file, 0
        self.entries: dict[str, Entry] = {}

    def add(self, key: str, array: Array) -> None:
        """Write an array."""
        array = np.asarray(array, order="C")
        self.file.write(array.data if array.size else b"")
        dtype, start = _NAMES[array.dtype.str.lstrip("<|")], self.end
        self.end += array.nbytes
        self.entries[key] = Entry(dtype, list(array.shape), (start, self.end))


def write_recording(header: object, rooms: Sequence[Room], last: BinaryIO, to: BinaryIO) -> None:
    """Write a recording ``to`` a file: the arrays of some rooms, and its description, for which ``last`` is an empty
    temporary file."""
    from shutil import copyfileobj

    description = Room(last)
    description.add(DESCRIPTION, np.frombuffer(msgspec.json.encode(header), np.uint8))
    listed: dict[str, object] = {METADATA: {"format": "backprop-tui recording"}}
    start = 0
    for room in (*rooms, description):
        for key, entry in room.entries.items():
            begin, end = entry.data_offsets
            listed[key] = Entry(entry.dtype, entry.shape, (start + begin, start + end))
        start += room.end
    text = msgspec.json.encode(listed)
    text += b" " * (-len(text) % 8)
    to.write(len(text).to_bytes(LENGTH, "little") + text)
    for room in (*rooms, description):
        room.file.seek(0)
        copyfileobj(room.file, to, 2**20)
