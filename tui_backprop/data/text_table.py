"""Samples in text: a line for each, with numbers between separators, and names in the first line if it has any.

Blocks of plain numbers are read as JSON, three times as fast as by numpy; any other block is read line by line, and
the first thing that is wrong in it is named with line and column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from math import isfinite

import msgspec
import numpy as np

from tui_backprop.data.own import Table
from tui_backprop.data.targets import classes_of, column_of
from tui_backprop.engine.primitives import Array
from tui_backprop.files.decoder import DecodeError
from tui_backprop.support.validation import quoted

BLOCK = 2**16  # bytes that are read at a time, so that their numbers stay in the cache
SEPARATORS = ",;\t "
MOST_CLASSES = 1000
MISSING = frozenset(("", "?", "na", "n/a", "nan", "null", "none"))
NEWLINE = 10

numbers = msgspec.json.Decoder(list[float])


class Columns:
    """The columns of a table: their names, and the place of the target. Classes are numbered as they are found."""

    def __init__(self, names: list[str], target: int) -> None:
        self.names, self.target = names, target
        self.classes: dict[str, int] = {}
        self.text = False  # the target has names of classes

    def label(self, name: str) -> float:
        """Return the number of a class. Raises DecodeError if there are too many."""
        if len(self.classes) == MOST_CLASSES and name not in self.classes:
            raise DecodeError(
                f"the target has more than {MOST_CLASSES:,} different texts; name another column"
            )
        return float(self.classes.setdefault(name, len(self.classes)))


def read_text(content: bytes, separator: str, target: str, watch: Callable[[int, int], None]) -> Table:
    """Read the samples of a text; without a ``separator``, that of the first line. Raises DecodeError with line and
    column, InputError for a target that is not there."""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    first = content[: content.find(b"\n") % (len(content) + 1)].decode("utf-8", "replace")
    separator = separator or max(SEPARATORS, key=first.count)
    cells = _cells(first, separator)
    if len(cells) < 2:
        raise DecodeError("its first line has no separator: a comma, semicolon, tab or space")
    headed = not any(_is_number(cell) for cell in cells)
    names = cells if headed else [str(i + 1) for i in range(len(cells))]
    columns = Columns(names, column_of(target, names))
    width, at, done = len(names) - 1, columns.target, 0
    most = min(content.count(b"\n"), len(content) // (2 * len(names))) + 1  # rows; a cell takes two bytes
    x, wanted = np.empty((most, width)), np.empty(most)
    for start, end, line in _blocks(content, len(first.encode()) + 1 if headed else 0, 1 + headed):
        block = _block(content[start:end], separator, columns, line)
        rows = slice(done, done + len(block))
        x[rows, :at], wanted[rows], x[rows, at:] = block[:, :at], block[:, at], block[:, at + 1 :]
        done += len(block)
        watch(end, len(content))
    if not done:
        raise DecodeError("it has no samples")
    x, wanted = x[:done], wanted[:done]
    if columns.text:
        order = {name: i for i, name in enumerate(sorted(columns.classes))}
        place = np.array([order[name] for name in columns.classes])
        return Table(x, place[wanted.astype(np.int64)], tuple(order))
    classes, labels = classes_of(wanted)
    return Table(x, labels, classes)


def _blocks(content: bytes, start: int, line: int) -> Iterator[tuple[int, int, int]]:
    """Iterate over blocks of whole lines: where they begin and end, and the number of their first line."""
    while start < len(content):
        end = content.find(b"\n", min(start + BLOCK, len(content)))
        end = len(content) if end < 0 else end + 1
        yield start, end, line
        line += content.count(b"\n", start, end)
        start = end


def _block(text: bytes, separator: str, columns: Columns, line: int) -> Array:
    """Return the rows of a block, with the number of its class for a text in the column of the target."""
    width = len(columns.names)
    if not columns.text and separator != " ":
        found = _plain(text, separator, width)
        if found is not None:
            return found
    rows: list[list[float]] = []
    decoded = text.decode("utf-8", "replace").splitlines()
    for number, each in enumerate(decoded, line):
        if each.strip():
            rows.append(_row(_cells(each, separator), columns, number, first=not rows and line <= 2))
    return np.array(rows, float).reshape(len(rows), width)


def _plain(text: bytes, separator: str, width: int) -> Array | None:
    """Return the rows of a block that has nothing but numbers as JSON writes them; None for any other."""
    lines = text if text.endswith(b"\n") else text + b"\n"
    at = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(at == NEWLINE)
    places = np.flatnonzero(at == ord(separator))
    if len(places) != (width - 1) * len(ends):
        return None
    of_line = places.reshape(-1, width - 1)
    if (of_line[:, -1] > ends).any() or (of_line[1:, 0] < ends[:-1]).any():
        return None  # a line has more, and another one fewer
    joined = lines[:-1].replace(separator.encode(), b",") if separator != "," else lines[:-1]
    try:
        found = numbers.decode(b"[" + joined.replace(b"\n", b",") + b"]")
        return np.fromiter(found, float, len(found)).reshape(-1, width)
    except (msgspec.MsgspecError, ValueError):
        return None


def _row(cells: list[str], columns: Columns, line: int, first: bool) -> list[float]:
    """Return the numbers of a line. Raises DecodeError for the first cell that is none."""
    if len(cells) != len(columns.names):
        raise DecodeError(f"line {line:,} has {len(cells)} columns instead of {len(columns.names)}")
    numbers = [_number(cell) for cell in cells]
    label = cells[columns.target]
    if label.casefold() not in MISSING:
        columns.text |= first and numbers[columns.target] is None
        if columns.text:
            numbers[columns.target] = columns.label(label)
    row = [number for number in numbers if number is not None]
    if len(row) < len(cells):
        place = numbers.index(None)
        name, cell = columns.names[place], cells[place]
        where = f"line {line:,}, column {place + 1}" + (f" ({name})" if name != str(place + 1) else "")
        raise DecodeError(f"{where}: {_wrong(cell, name, first)}")
    return row


def _wrong(cell: str, name: str, first: bool) -> str:
    """Say why a cell is no number; in the ``first`` line, that its column may be meant as the target."""
    if cell.casefold() in MISSING:
        return "a value is missing"
    if _is_number(cell.replace(",", ".")):
        return f"{quoted(cell)} is not a number; write {cell.replace(',', '.')}"
    meant = f"; if it is a class, give --target {name}" if first else ""
    return f"{quoted(cell)} is not a number{meant}"


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without the blanks and quotes around them."""
    if separator == " ":
        return line.split()
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise DecodeError(f"{quoted(line)} is no line of a table: {error}") from None
    return [cell.strip() for cell in cells]


def _number(cell: str) -> float | None:
    """Return the finite number that a cell is; None if it is none."""
    try:
        number = float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


def _is_number(cell: str) -> bool:
    return _number(cell) is not None
