"""The sums of a receipt, and whether they add up."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from tui_backprop.engine.explain.receipts.rows import ReceiptRow

ROUNDING = 1e-4  # of the sum of the magnitudes: more than rounding makes in either precision
MISSING = "does not add up"  # label of a row with what the result has more than its terms come to


def sums(rows: Sequence[ReceiptRow]) -> list[Sequence[ReceiptRow]]:
    """Split a receipt into its sums: a summand after a result begins the next one."""
    starts = [i for i in range(1, len(rows)) if rows[i - 1].sign in "=≠" and rows[i].sign in "+-"]
    return [rows[start:end] for start, end in zip([0, *starts], [*starts, len(rows)], strict=True)]


def discrepancy(rows: Sequence[ReceiptRow]) -> float:
    """Return what the first result of a sum has more than its rows come to; 0.0 where they agree up to rounding, and
    where the result is a function of the rows, or not finite."""
    total = scale = 0.0
    for row in rows:
        match row.sign:
            case "+" | "-":
                total += row.value if row.sign == "+" else -row.value
                scale += abs(row.value)
            case "*":
                total, scale = total * row.value, scale * abs(row.value)
            case "/":
                if not row.value:
                    return 0.0
                total, scale = total / row.value, scale / abs(row.value)
            case "=":
                more = row.value - total
                given = row is rows[0] or " = " in row.label  # a number as it is, or a function
                return more if not given and isfinite(more) and abs(more) > ROUNDING * scale else 0.0
            case _:
                return 0.0
    return 0.0


def balanced(rows: Sequence[ReceiptRow]) -> list[ReceiptRow]:
    """Add to each sum that does not add up a row with the difference."""
    found: list[ReceiptRow] = []
    for part in sums(rows):
        more = discrepancy(part)
        found += [*part, ReceiptRow("≠", MISSING, more)] if more else part
    return found
