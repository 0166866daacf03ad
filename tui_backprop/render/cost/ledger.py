"""The ledger of one pass: multiply-accumulates, time and kept bytes by layer, forward, for deltas and for dW."""

from __future__ import annotations

from collections.abc import Callable

from tui_backprop.cost.accounting.ledger import Entry, Ledger, Share, deep, nearly_three
from tui_backprop.engine.network.spec import backprop_ratio
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, wrap
from tui_backprop.support.format import format_bytes, format_number, format_short_count

LABEL, CELL = 8, 9  # columns of a layer's name, and of a number
WIDE = 77  # columns from which MACs and time stand in one table
TIME, KEPT = 8, 10  # columns of a time, and of kept bytes
HEADS = ("forward", "delta", "dW")
ROLES = ("forward", "backward", "backward")


def ledger_lines(
    ledger: Ledger, columns: int, rows: int, context: RenderContext, first: int = 0
) -> list[Line]:
    """At most ``rows`` lines: the tables with the layers from ``first`` on, totals, ratios and their reason."""
    words = sentences(ledger, columns)
    if columns >= WIDE:
        tables = _table(
            ledger, rows - len(words) - 1, first, _wide_head(), lambda e: _wide(e, ledger, columns, context)
        )
    else:
        each = (rows - len(words) - 2) // 2
        macs = _table(ledger, each, first, _head("MACs"), lambda e: _row(e, [_macs(s) for s in e.shares]))
        time = _table(
            ledger,
            each,
            first,
            _head("µs"),
            lambda e: _row(e, [_micro(s) for s in e.shares]),
        )
        if each < 5:  # no room for both
            tables = _table(
                ledger,
                rows - len(words) - 1,
                first,
                _head("MACs"),
                lambda e: _row(e, [_macs(s) for s in e.shares]),
            )
        else:
            tables = [*macs, (), *time] if ledger.timed else macs
    return [*tables, (), *words][:rows]


def _table(ledger: Ledger, rows: int, first: int, head: Line, row: Callable[[Entry], Line]) -> list[Line]:
    """A heading, as many layers as fit, and the total."""
    layers = ledger.layers
    fitting = max(min(rows - 2, len(layers)), 1)
    start = min(max(first, 0), len(layers) - fitting)
    shown = layers[start : start + fitting]
    return [head, *(row(entry) for entry in shown), row(ledger.total)]


def _head(unit: str) -> Line:
    cells = [(f"{name:>{CELL}}", "muted") for name in HEADS]
    return line((f"{unit:<{LABEL}}", "muted"), *cells)


def _row(entry: Entry, cells: list[str]) -> Line:
    total = entry.kind == "total"
    spans = [
        (f"{cell:>{CELL}}", "strong" if total else role) for cell, role in zip(cells, ROLES, strict=True)
    ]
    return line((f"{entry.kind:<{LABEL}}", "strong" if total else "text"), *spans)


def _macs(share: Share) -> str:
    return f"{share.macs:,}" if share.macs < 10_000_000 else format_short_count(share.macs)


def _micro(share: Share) -> str:
    return format_number(1e6 * share.seconds)


def _wide_head() -> Line:
    macs = "".join(f"{name:>{CELL + 1}}" for name in HEADS)
    time = "".join(f"{name:>{TIME}}" for name in HEADS)
    return line((f"{'MACs':<{LABEL}}{macs}   {'µs':<2}{time}{'kept':>{KEPT}}", "muted"))


def _wide(entry: Entry, ledger: Ledger, columns: int, context: RenderContext) -> Line:
    """MACs and times side by side, and a bar: this layer's part of all MACs."""
    total = entry.kind == "total"
    cells = [
        (f"{_macs(s):>{CELL + 1}}", "strong" if total else r)
        for s, r in zip(entry.shares, ROLES, strict=True)
    ]
    times = [
        (f"{_micro(s) if ledger.timed else '':>{TIME}}", "strong" if total else r)
        for s, r in zip(entry.shares, ROLES, strict=True)
    ]
    used = LABEL + 3 * (CELL + 1) + 5 + 3 * TIME + KEPT
    room = min(columns - used - 2, 30)
    share = sum(s.macs for s in entry.shares) / max(sum(s.macs for s in ledger.total.shares), 1)
    bar = "" if total or room < 4 else "  " + context.done * max(round(share * (room - 2)), 0)
    return line(
        (f"{entry.kind:<{LABEL}}", "strong" if total else "text"),
        *cells,
        "     ",
        *times,
        (f"{format_bytes(entry.kept):>{KEPT}}", "muted"),
        (bar, "faint"),
    )


def sentences(ledger: Ledger, columns: int) -> list[Line]:
    """The ratio, why it is not three, which network would come near it, and what is kept for it."""
    spec = ledger.spec
    heads = [line((f"{ledger.ratio:.2f}x", "strong"), (" a forward pass in MACs", "muted"))]
    if ledger.ratio_in_time:
        heads.append(
            line((f"{ledger.ratio_in_time:.2f}x", "strong"), (" in time, as measured here", "muted"))
        )
    words = []
    if spec.depth == 1:
        words.append("Not 3x: its only layer needs no gradient of its input.")
    else:
        words.append(
            f"Not 3x: layer 1 has {ledger.first_share:.0%} of the weights, and needs no gradient of its input."
        )
    ten = backprop_ratio(deep(spec, 10))
    width = max(spec.layers[1:-1] or spec.layers)
    near = nearly_three(spec)
    there = f", {near} to 2.9x" if near else ""
    words.append(f"Ten hidden layers of {width} come to {ten:.2f}x{there}; 3x is the limit.")
    words.append(
        f"Without dW (as Nielsen counts) {ledger.without_dw:.2f}x. Kept for the way back:"
        f" {format_bytes(ledger.total.kept)}."
    )
    return [*heads, *(row for text in words for row in wrap(text, columns, "muted"))]
