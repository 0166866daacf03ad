"""The rows of a report: headings, facts, tables, sentences; and its two forms.

Written, a report is aligned text. Spoken, it is for screen readers and braille lines: one fact per line, in words
and ASCII; nothing is side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tui_backprop.render.draw.context import LINEAR, RenderContext
from tui_backprop.render.draw.spans import Line, plain, wrap
from tui_backprop.support.quantity import Content, Quantity, spoken, written

ENDLESS = 10_000  # columns: no line is broken
GAP = "  "  # between columns


@dataclass(frozen=True)
class Sentence:
    """Running text, indented by so many columns."""

    text: Content
    indent: int = 0


@dataclass(frozen=True)
class Fact:
    """A name with its value, and in brackets the reason, where there is one. Names are padded to ``columns``."""

    name: str
    value: Content
    why: str = ""
    columns: int = 9


@dataclass(frozen=True)
class Group:
    """Facts in columns below a heading; spoken, it goes before each of them."""

    heading: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table. One of quantities can be aligned by unit: numbers to the right, units to the left. Spoken,
    a cell of a column without a head belongs to the cell before it."""

    head: str
    align: Literal["left", "right", "unit"] = "right"
    spoken: str | None = None  # its head in words, if it is another one
    wrapped: bool = False  # the last column, in as many lines as it takes
    spare: bool = False  # left out, the last one first, where the table is too wide


@dataclass(frozen=True)
class Table:
    """Rows of cells. The first cell of each is its name; where that is empty, the row continues the one before."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Content, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """Lines as they are, for the eye alone."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Forms:
    """Rows that differ by more than their words: those that are written, and those that are spoken."""

    written: tuple[Row, ...] = ()
    spoken: tuple[Row, ...] = ()


Row = Sentence | Fact | Group | Table | Drawing | Forms
BLANK = Sentence("")


def text_of(rows: Iterable[Row], context: RenderContext, columns: int = ENDLESS) -> str:
    """A report in the form that the context asks for; facts and sentences broken at so many columns."""
    lines = spoken_lines(rows) if context.linear else written_lines(rows, context, columns)
    return "\n".join(lines)


# --- written ----------------------------------------------------------------------------------------------


def written_lines(rows: Iterable[Row], context: RenderContext, columns: int = ENDLESS) -> list[str]:
    """The lines of a report as aligned text."""
    return [line.rstrip() for row in rows for line in _written(row, context, columns)]


def _written(row: Row, context: RenderContext, columns: int) -> Iterable[str]:
    match row:
        case Sentence(text, indent):
            return [" " * indent + line for line in _broken(written(text), context, columns - indent)]
        case Fact(name, value):
            first, *more = _broken(written(value), context, columns - row.columns)
            name = context.text(name)
            return [f"{name:<{row.columns}}{first}", *(" " * row.columns + line for line in more)]
        case Group(heading, facts):
            return [heading, *_grouped(facts, context)]
        case Table():
            return _aligned(row, context, columns)
        case Drawing(lines):
            return [plain(context.fit(line)) for line in lines]
        case Forms():
            return written_lines(row.written, context, columns)


def _broken(text: str, context: RenderContext, columns: int) -> list[str]:
    text = context.text(text)
    return [plain(line) for line in wrap(text, columns)] if len(text) > columns else [text]


def _grouped(facts: Sequence[Fact], context: RenderContext) -> list[str]:
    cells = [(f"  {fact.name}", fact.value, f"({fact.why})" if fact.why else "") for fact in facts]
    return _aligned(Table((Column("", "left"),) * 3, tuple(cells)), context, ENDLESS)


def _aligned(table: Table, context: RenderContext, columns: int) -> list[str]:
    """A table in columns."""
    heads = [context.text(column.head) for column in table.columns]
    cells = [_cells(column, at, table.rows, context) for at, column in enumerate(table.columns)]
    last = table.columns[-1].wrapped
    placed = [
        _placed(column, [head, *each]) for column, head, each in zip(table.columns, heads, cells, strict=True)
    ][: len(cells) - last]
    lines = [GAP.join(cells) for cells in zip(*_fitting(placed, table.columns, columns), strict=True)]
    lines = lines if any(heads) else lines[1:]
    if not last:
        return lines
    room = columns - len(lines[0]) - len(GAP)
    beside = [[heads[-1]], *(_broken(cell, context, room) for cell in cells[-1])]
    return [
        (line if i == 0 else " " * len(line)) + GAP + text
        for line, texts in zip(lines, beside, strict=True)
        for i, text in enumerate(texts)
    ]


def _fitting(placed: list[list[str]], kinds: Sequence[Column], columns: int) -> list[list[str]]:
    """The columns of a table without as many of the spare ones as it is too wide for."""
    kept = [*placed]
    for texts, kind in reversed([*zip(placed, kinds, strict=False)]):
        if kind.spare and sum(len(each[0]) + len(GAP) for each in kept) - len(GAP) > columns:
            kept.remove(texts)
    return kept


def _cells(column: Column, at: int, rows: Sequence[Sequence[Content]], context: RenderContext) -> list[str]:
    """The texts of a column."""
    cells = [row[at] for row in rows]
    if column.align != "unit":
        return [context.text(written(cell)) for cell in cells]
    parts = [cell.parts if isinstance(cell, Quantity) else (written(cell), "") for cell in cells]
    wide = max((len(value) for value, _ in parts), default=0)
    return [context.text(f"{value:>{wide}} {unit}") for value, unit in parts]


def _placed(column: Column, texts: Sequence[str]) -> list[str]:
    wide = max(map(len, texts))
    return [text.rjust(wide) if column.align == "right" else text.ljust(wide) for text in texts]


# --- spoken -----------------------------------------------------------------------------------------------


def spoken_lines(rows: Iterable[Row]) -> list[str]:
    """The lines of a report for screen readers."""
    return [LINEAR.text(line).strip() for row in rows for line in _spoken(row)]


def _spoken(row: Row) -> Iterable[str]:
    match row:
        case Sentence(text):
            return [spoken(text)]
        case Fact():
            return [_fact(row)]
        case Group(heading, facts):
            return [f"{heading}, {_fact(fact)}" for fact in facts]
        case Table():
            return _facts(row)
        case Drawing():
            return []
        case Forms():
            return spoken_lines(row.spoken)


def _fact(fact: Fact) -> str:
    return f"{fact.name}: {spoken(fact.value)}" + (f" ({fact.why})" if fact.why else "")


def _facts(table: Table) -> list[str]:
    """A line for each cell of a table, with the names of row and column."""
    heads = [column.head if column.spoken is None else column.spoken for column in table.columns]
    lines: list[str] = []
    name = ""
    for first, *cells in table.rows:
        name = spoken(first) or name
        for head, cell in zip(heads[1:], map(spoken, cells), strict=True):
            if cell and head:
                lines.append(f"{name}, {head}: {cell}")
            elif cell:
                lines[-1] += f", {cell}"
    return lines
