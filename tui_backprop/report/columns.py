"""A table of texts in aligned columns, for what is printed without a screen."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), gap: int = 2) -> list[str]:
    """Lines of the rows (all of one length, the first may be the heads); columns not in ``left`` are set to
    the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]

    def placed(i: int, cell: str) -> str:
        return cell.ljust(widths[i]) if i in left else cell.rjust(widths[i])

    return [(" " * gap).join(placed(i, cell) for i, cell in enumerate(row)).rstrip() for row in rows]
