"""Memory on the ledger page: bytes for training and for inference, with their formulas as far as there is room."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.cost.accounting.memory_ledger import MemoryLedger, MemoryRow
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.support.format import format_bytes

NAME, CELL, GAP = 16, 11, 2  # columns of a name, of a number of bytes, and before a formula
LEAST_COLUMNS = NAME + 2 * CELL


def memory_lines(memory: MemoryLedger, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """Draw the longest of these forms that fits in ``rows`` lines: a table with formulas and their numbers, one with
    numbers, one with bytes alone, a sentence; or nothing."""
    forms = [_sentence(memory, columns)]
    if columns >= LEAST_COLUMNS:
        notes = (_both, lambda row: row.numbers, lambda row: "")
        forms = [*(_table(memory, columns, note) for note in notes), *forms]
    fitting = (form for form in forms if len(form) <= rows)
    return [context.fit(row) for row in next(fitting, [])]


def _both(row: MemoryRow) -> str:
    return f"{row.formula} = {row.numbers}" if row.training or row.inference else row.formula


def _table(memory: MemoryLedger, columns: int, note: Callable[[MemoryRow], str]) -> list[Line]:
    """Draw a row for each kind, with a note beside it or below it."""
    lines = [line((f"{'memory':<{NAME}}{'training':>{CELL}}{'inference':>{CELL}}", "muted"))]
    for row in memory.rows:
        lines += _row(row, note(row), columns)
    total = format_bytes(memory.training), format_bytes(memory.inference)
    return [*lines, line((f"{'total':<{NAME}}{total[0]:>{CELL}}{total[1]:>{CELL}}", "strong"))]


def _row(row: MemoryRow, note: str, columns: int) -> list[Line]:
    cells = line(
        (f"{row.name:<{NAME}}", "text"),
        (f"{format_bytes(row.training):>{CELL}}{format_bytes(row.inference):>{CELL}}", "text"),
    )
    if not note:
        return [cells]
    beside = LEAST_COLUMNS + GAP
    if beside + len(note) <= columns:
        return [line(*cells, (f"{'':<{GAP}}{note}", "muted"))]
    return [cells, *(line((f"{'':<{GAP}}", "text"), *part) for part in wrap(note, columns - GAP, "muted"))]


def _sentence(memory: MemoryLedger, columns: int) -> list[Line]:
    parts = [f"{row.name} {format_bytes(row.training)}" for row in memory.rows if row.training]
    rest = [f"{row.name} {format_bytes(row.inference)}" for row in memory.rows if row.inference]
    words = f"Memory for training: {format_bytes(memory.training)} ({', '.join(parts)}); for inference:"
    words += f" {format_bytes(memory.inference)} ({', '.join(rest)})."
    return wrap(words, columns, "muted")
