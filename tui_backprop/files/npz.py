"""Arrays in npz files, as numpy reads them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from io import BytesIO
from math import prod
from tokenize import TokenError
from typing import BinaryIO
from warnings import catch_warnings, simplefilter
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import FAILURES, DecodeError
from tui_backprop.support.format import format_bytes
from tui_backprop.support.validation import quoted

KINDS = "bfiu"  # of types: numbers
DAMAGED = (
    BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zlib.error,
)  # what ZipFile raises of a bad archive


def write_npz(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name. Raises OSError. Unlike after ``np.savez``, an archive that is not complete has no
    directory, so that no reader takes it for a whole one, and nothing is written again later."""
    archive = ZipFile(file, "w")
    try:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)
        archive.close()
    except BaseException:
        archive.fp = None  # what ZipFile closes when it is collected
        raise


def read_npz(content: bytes, most: int) -> dict[str, Array]:
    """Return the arrays of an npz file by name: of plain numbers, of at most ``most`` bytes in all, read-only. Raises
    DecodeError. Nothing in the file is run: an array of objects, a pickle, is refused by its type."""
    arrays, left = {}, most
    try:
        with ZipFile(BytesIO(content)) as archive:
            for member in archive.infolist():
                left -= member.file_size
                if left < 0:
                    raise DecodeError(f"its arrays take more than {format_bytes(most)}")
                name = member.filename.removesuffix(".npy")
                arrays[name] = read_npy(_inflated(archive, member), name)
    except DecodeError:
        raise
    except (*DAMAGED, *FAILURES):
        raise DecodeError("it is damaged") from None
    return arrays


def _inflated(archive: ZipFile, member: ZipInfo) -> bytes:
    """Return the content of a member, no more than it is said to have."""
    with archive.open(member) as file:
        return file.read(member.file_size)


def read_npy(content: bytes, name: str = "") -> Array:
    """Return the array of an npy file, read-only. Raises DecodeError for one that is damaged or not of numbers."""
    file, what = BytesIO(content), f"{quoted(name)} " if name else "it "
    try:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        with catch_warnings():
            simplefilter("ignore")  # of numpy, about headers in an older form
            shape, columns_first, dtype = read_header(file)
    except (SyntaxError, TokenError, EOFError, *FAILURES):  # numpy parses the header as Python's literals
        raise DecodeError(f"{what}is not an array of numpy") from None
    if dtype.hasobject or dtype.kind not in KINDS:
        kind = "Python objects (a pickle)" if dtype.hasobject else str(dtype)
        raise DecodeError(f"{what}holds {kind}; only real numbers are read")
    start = file.tell()
    if prod(shape) * dtype.itemsize != len(content) - start or any(n < 0 for n in shape):
        raise DecodeError(f"{what}is damaged: its shape and its size do not agree")
    array = np.frombuffer(content, dtype, offset=start) if prod(shape) else np.empty(shape, dtype)
    return array.reshape(shape, order="F" if columns_first else "C")
