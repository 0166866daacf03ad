"""The ledger page: multiply-accumulates, time and kept bytes by layer, forward, for deltas and for dW."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.cost.accounting.ledger import Ledger, LedgerRow, OperationCost
from tui_backprop.cost.accounting.ledger_findings import Finding, findings
from tui_backprop.cost.accounting.memory_ledger import MemoryLedger
from tui_backprop.render.cost.memory import memory_lines
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, line, plain, wrap
from tui_backprop.support.format import format_bytes, format_number, format_short_count
from tui_backprop.support.quantity import Quantity, written

LABEL, CELL = 8, 9  # columns of a layer's name, at least, and of a number
NUMBER = 3  # characters of the number at the end of a name, which is not cut off
WIDE = 77  # columns from which MACs and time are in one table
LEAST_LAYERS = 4  # rows of a table that memory does not take
TIME, KEPT = 8, 10  # columns of a time, and of kept bytes
TIMING = "timing each operation on this machine …"
COLUMN_HEADS = ("forward", "delta", "dW")
ROLES = ("forward", "backward", "backward")


def ledger_lines(
    ledger: Ledger,
    memory: MemoryLedger,
    columns: int,
    rows: int,
    context: RenderContext,
    first: int = 0,
    in_time: Quantity | None = None,
) -> list[Line]:
    """Draw at most ``rows`` lines: tables with the layers from ``first`` on, totals, ratios and their reasons, and
    memory as far as there is room. ``in_time`` is the ratio in time of whole passes of one sample."""
    words = finding_lines(ledger, columns, in_time)
    tables = 1 if columns >= WIDE or not ledger.timed else 2
    room = rows - tables * (min(ledger.spec.graph.depth, LEAST_LAYERS) + 3) - len(words) - 1
    held = memory_lines(memory, columns, room, context)
    below = [(), *held] if held else []
    return [*_lines(ledger, words, columns, rows - len(below), context, first), *below]


def _lines(
    ledger: Ledger, words: list[Line], columns: int, rows: int, context: RenderContext, first: int
) -> list[Line]:
    label = _label(ledger, columns)
    if columns >= WIDE:
        tables = _table(
            ledger,
            rows - len(words) - 1,
            first,
            _wide_head(ledger.unit, label),
            lambda e: _wide(e, ledger, columns, label, context),
        )
    else:
        each = (rows - len(words) - 2) // 2
        macs = _table(
            ledger,
            each,
            first,
            _head(ledger.unit, label),
            lambda e: _row(e, _counted(e, ledger.unit), label),
        )
        time = _table(
            ledger,
            each,
            first,
            _head("µs", label),
            lambda e: _row(e, [_micro(s) for s in e.costs], label),
        )
        if each < 5:  # no room for both
            tables = _table(
                ledger,
                rows - len(words) - 1,
                first,
                _head(ledger.unit, label),
                lambda e: _row(e, _counted(e, ledger.unit), label),
            )
        else:
            tables = [*macs, (), *(time if ledger.timed else wrap(TIMING, columns, "muted"))]
    return [*tables, (), *words][:rows]


def _table(ledger: Ledger, rows: int, first: int, head: Line, row: Callable[[LedgerRow], Line]) -> list[Line]:
    """Draw a heading, as many layers as fit, and the total."""
    layers = ledger.layers
    fitting = max(min(rows - 2, len(layers)), 1)
    start = min(max(first, 0), len(layers) - fitting)
    shown = layers[start : start + fitting]
    total = row(ledger.total)
    if fitting < len(layers):  # the sum is not that of the layers shown
        name, role = total[0]
        total = line((f"{cut(f'all {len(layers)}', LABEL - 1):<{len(name)}}", role), *total[1:])
    return [head, *(row(entry) for entry in shown), total]


def _label(ledger: Ledger, columns: int) -> int:
    """Return the columns of names: as many as the longest takes, if there is room."""
    room = columns - (WIDE - LABEL if columns >= WIDE else 3 * CELL)
    return max(LABEL, min(max(len(entry.kind) for entry in ledger.layers) + 1, room))


def _name(entry: LedgerRow, label: int) -> str:
    """Return the name of a row; where it is too long, the number at its end stays."""
    first, _, number = entry.kind.rpartition(" ")
    room = label - 1
    if len(entry.kind) > room and first and len(number) <= NUMBER:
        return f"{f'{cut(first, room - len(number) - 1)} {number}':<{label}}"
    return f"{cut(entry.kind, room):<{label}}"


def _head(unit: str, label: int) -> Line:
    cells = [(f"{name:>{CELL}}", "muted") for name in COLUMN_HEADS]
    return line((f"{unit:<{label}}", "muted"), *cells)


def _row(entry: LedgerRow, cells: list[str], label: int) -> Line:
    total = entry.kind == "total"
    spans = [
        (f"{cell:>{CELL}}", "strong" if total else role) for cell, role in zip(cells, ROLES, strict=True)
    ]
    return line((_name(entry, label), "strong" if total else "text"), *spans)


def _counted(entry: LedgerRow, unit: str) -> list[str]:
    counts = [share.counted(unit) for share in entry.costs]
    return [f"{count:,}" if count < 10_000_000 else format_short_count(count) for count in counts]


def _micro(share: OperationCost) -> str:
    return format_number(1e6 * share.seconds)


def _wide_head(unit: str, label: int) -> Line:
    macs = "".join(f"{name:>{CELL + 1}}" for name in COLUMN_HEADS)
    time = "".join(f"{name:>{TIME}}" for name in COLUMN_HEADS)
    return line((f"{unit:<{label}}{macs}   {'µs':<2}{time}{'kept':>{KEPT}}", "muted"))


def _wide(entry: LedgerRow, ledger: Ledger, columns: int, label: int, context: RenderContext) -> Line:
    """Draw MACs and times side by side, and a bar of this layer's share of all MACs."""
    total = entry.kind == "total"
    cells = [
        (f"{text:>{CELL + 1}}", "strong" if total else role)
        for text, role in zip(_counted(entry, ledger.unit), ROLES, strict=True)
    ]
    times = [
        (f"{_micro(s) if ledger.timed else '':>{TIME}}", "strong" if total else r)
        for s, r in zip(entry.costs, ROLES, strict=True)
    ]
    used = label + 3 * (CELL + 1) + 5 + 3 * TIME + KEPT
    room = min(columns - used - 2, 30)
    all_of_it = sum(s.counted(ledger.unit) for s in ledger.total.costs)
    share = sum(s.counted(ledger.unit) for s in entry.costs) / max(all_of_it, 1)
    bar = "" if total or room < 4 else "  " + context.done * max(round(share * (room - 2)), 0)
    return line(
        (_name(entry, label), "strong" if total else "text"),
        *cells,
        "     ",
        *times,
        (f"{format_bytes(entry.kept):>{KEPT}}", "muted"),
        (bar, "faint"),
    )


def finding_lines(ledger: Ledger, columns: int, in_time: Quantity | None = None) -> list[Line]:
    """Draw the findings on the ledger, figures highlighted."""
    return [row for finding in findings(ledger, in_time) for row in _finding(finding, columns)]


def _finding(finding: Finding, columns: int) -> list[Line]:
    if finding.figure is None:
        return wrap(finding.text.written, columns, "muted")
    figure = finding.figure.written
    first, *rest = wrap(f"{figure} {written(finding.words)}", columns, "muted")
    return [line((figure, "strong"), (plain(first).removeprefix(figure), "muted")), *rest]
