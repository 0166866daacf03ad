"""Samples from a file: CSV, TSV, npz, npy or IDX, compressed or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tui_backprop.data import own
from tui_backprop.data.info import SCALES
from tui_backprop.data.own import FIELD, Table
from tui_backprop.data.targets import classes_of, column_of
from tui_backprop.data.text_table import read_text
from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import DecodeError
from tui_backprop.files.identity import Identity
from tui_backprop.files.known import remember
from tui_backprop.files.npz import read_npy, read_npz
from tui_backprop.files.opener import read_named
from tui_backprop.support.errors import FileError, InputError
from tui_backprop.support.format import format_bytes, printable
from tui_backprop.support.memory import available
from tui_backprop.support.paths import display_path
from tui_backprop.support.validation import one_of, quoted

Watch = Callable[[int, int], None]  # (bytes read, of how many)

USABLE = 0.15  # of free memory, for the content of a file: the samples take more
STDIN, STDIN_PATH = "-", Path("/dev/stdin")
OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open,
}  # fmt: skip
NPY, ZIP, IDX = b"\x93NUMPY", b"PK", b"\x00\x00"
IDX_DTYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
INPUTS, TARGETS = ("x", "X", "data", "inputs", "images"), ("y", "t", "target", "targets", "labels", "Y")
PIXEL = 255  # the largest value of one


def _standard(x: Array) -> Array:
    deviation = x.std(0)
    scaled: Array = (x - x.mean(0)) / np.where(deviation > 0, deviation, 1)
    return scaled


def _minmax(x: Array) -> Array:
    width = np.ptp(x, 0)
    scaled: Array = (x - x.min(0)) / np.where(width > 0, width, 1)
    return scaled


SCALERS: dict[str, Callable[[Array], Array]] = {
    "": lambda x: x,
    **dict(zip(SCALES, (_standard, _minmax), strict=True)),
}


def read_samples(
    path: str, target: str = "", scale: str = "", watch: Watch = lambda done, of: None, name: str = ""
) -> str:
    """Read the samples of a file, or of stdin for -, and return the text of the data that they are: with the column
    ``target`` as the target, the last one by default, and the inputs scaled; its ``name`` is that of the file unless
    another one is given. Raises FileError, with line and column where there are any, for a file that cannot be read
    or has something else."""
    if scale:
        one_of("scale", scale, SCALES)
    where = STDIN_PATH if path == STDIN else Path(path)
    name = name or ("stdin" if path == STDIN else where.name)
    try:
        raw = _raw(where)
        identity = Identity(raw, where)
        content = _expanded(raw)
        del raw
        table = _table(content, name, target, where, watch)
    except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, InputError):
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        there = "stdin" if path == STDIN else display_path(where)
        raise FileError(FIELD, f"{quoted(there)} cannot be read: {printable(why, 200)}") from None
    x = table.x if np.issubdtype(table.x.dtype, np.floating) else table.x.astype(float)
    scaled = SCALERS[scale](x / PIXEL if table.image else x)
    if path != STDIN:
        identity.then(lambda digest: remember(digest, where))
    return own.hold(name, identity, Table(scaled, table.target, table.classes, table.image), target, scale)


def _raw(path: Path) -> bytes:
    """Return the content of a file as it is there."""
    return read_named(path, int(USABLE * available().bytes))


def _expanded(content: bytes) -> bytes:
    """Return a content, expanded within memory if it is compressed."""
    most = int(USABLE * available().bytes)
    for mark, opener in OPENERS.items():
        if content.startswith(mark):
            from io import BytesIO

            with opener(BytesIO(content)) as file:
                content = file.read(most + 1)
            if len(content) > most:
                raise DecodeError(f"it expands to more than {format_bytes(most)}")
    return content


def _table(content: bytes, name: str, target: str, path: Path, watch: Watch) -> Table:
    if content.startswith(ZIP):
        return _of_arrays(read_npz(content, int(USABLE * available().bytes)), target)
    if content.startswith(NPY):
        return _of_matrix(read_npy(content), target)
    if content.startswith(IDX):
        return _of_idx(content, target, path)
    suffixes = [suffix for suffix in Path(name).suffixes if suffix in (".csv", ".tsv", ".txt", ".tab")]
    return read_text(content, "\t" if suffixes and suffixes[-1] in (".tsv", ".tab") else "", target, watch)


def _of_arrays(arrays: dict[str, Array], target: str) -> Table:
    x = next((arrays[name] for name in INPUTS if name in arrays), None)
    wanted = [target] if target else TARGETS
    t = next((arrays[name] for name in wanted if name in arrays), None)
    has = ", ".join(map(quoted, [*arrays][:12]))
    if x is None:
        raise DecodeError(f"it has no array called x; it has {has}")
    if t is None:
        raise InputError("target", f"there is no array called {target or 'y'}; the file has {has}")
    if not len(x) or x.shape[:1] != t.shape[:1] or t.ndim > 2:
        raise DecodeError(
            f"x of shape {x.shape} and the target of shape {t.shape} do not have a row for each sample"
        )
    return _checked(x.reshape(len(x), -1), t, _image(x))


def _of_matrix(matrix: Array, target: str) -> Table:
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        raise DecodeError(f"an array of shape {matrix.shape} has no rows of inputs and a target")
    column = column_of(target, [str(i + 1) for i in range(matrix.shape[1])])
    return _checked(np.delete(matrix, column, 1), matrix[:, column])


def _of_idx(content: bytes, target: str, path: Path) -> Table:
    images = _idx(content)
    if not target:
        raise InputError("target", "an IDX file has images alone; name the file of their labels")
    labels = _idx(_expanded(_raw(path.parent / target if "/" not in target else Path(target))))
    if labels.shape != images.shape[:1]:
        raise DecodeError(f"{len(images):,} images, but labels of shape {labels.shape}")
    return _checked(images.reshape(len(images), -1), labels, _image(images))


def _idx(content: bytes) -> Array:
    """Return the array of an IDX file: two zeros, the type, the number of sizes, the sizes, the entries."""
    if len(content) < 4 or content[2] not in IDX_DTYPES:
        raise DecodeError("it is not an IDX file")
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    dtype = np.dtype(IDX_DTYPES[content[2]])
    if len(content) != start + prod(shape) * dtype.itemsize or not prod(shape):
        raise DecodeError("it is damaged: its shape and its size do not agree")
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def _image(x: Array) -> tuple[int, int] | None:
    """Return rows and columns of samples that are pictures: bytes in three dimensions."""
    return (x.shape[1], x.shape[2]) if x.ndim == 3 and x.dtype == np.uint8 else None


def _checked(x: Array, target: Array, image: tuple[int, int] | None = None) -> Table:
    """Return a table of finite numbers. Raises DecodeError with the row of the first that is none."""
    for array, what in ((x, "x"), (target, "the target")):
        rows = array.reshape(len(array), -1)
        bad = np.flatnonzero(~np.isfinite(rows).all(1))
        if len(bad):
            raise DecodeError(f"row {bad[0] + 1:,} of {what} is NaN or infinite")
    classes, found = classes_of(target)
    return Table(x, found, classes, image)
