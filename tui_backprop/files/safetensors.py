"""Arrays in safetensors files: eight bytes with the length of a header in JSON, that header, and the arrays.

The format is simple and is read here directly, so that BF16, which numpy does not have, is read too."""

from __future__ import annotations

from math import prod

import msgspec
import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import DecodeError, convert, decode_json
from tui_backprop.support.validation import quoted

LENGTH = 8  # bytes of the length of the header
MOST_HEADER = 2**24  # bytes
METADATA = "__metadata__"
BF16 = "BF16"
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", BF16: "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


class Entry(msgspec.Struct):
    """An array in the header: its type, its shape, and where it begins and ends in the data."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_safetensors(content: bytes) -> dict[str, Array]:
    """Return the arrays by name, read-only; BF16 as float32. Raises DecodeError."""
    length = int.from_bytes(content[:LENGTH], "little")
    if len(content) < LENGTH or not 2 <= length <= min(MOST_HEADER, len(content) - LENGTH):
        raise DecodeError("it is neither an npz nor a safetensors file")
    header = decode_json(content[LENGTH : LENGTH + length], dict[str, object])
    data = memoryview(content)[LENGTH + length :]
    entries = ((name, convert(entry, Entry)) for name, entry in header.items() if name != METADATA)
    return {name: _array(name, entry, data) for name, entry in entries}


def _array(name: str, entry: Entry, data: memoryview) -> Array:
    if entry.dtype not in DTYPES:
        raise DecodeError(f"{quoted(name)} holds {quoted(entry.dtype)}; choose from {', '.join(DTYPES)}")
    dtype, (start, end) = np.dtype(DTYPES[entry.dtype]), entry.data_offsets
    size = prod(entry.shape) * dtype.itemsize
    if min([0, *entry.shape]) < 0 or not 0 <= start <= end <= len(data) or end - start != size:
        raise DecodeError(f"{quoted(name)} is damaged: its shape and its size do not agree")
    array = np.frombuffer(data[start:end], dtype).reshape(entry.shape)
    if entry.dtype == BF16:  # the upper half of float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array
