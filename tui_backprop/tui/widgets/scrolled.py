"""Lines that may be more than fit: they scroll, and marks tell how many are out of sight."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.render.draw.spans import Line, line
from tui_backprop.tui.widgets.canvas import Canvas


class Scrolled(Canvas):
    """Shows lines from the first one on; subclasses return all of them from ``content``."""

    _first = 0

    def content(self, columns: int) -> Sequence[Line]:
        """Return all lines in so many columns."""
        return ()

    def scroll_lines(self, by: int) -> None:
        self._first = max(self._first + by, 0)
        self.redraw()

    def to_top(self) -> None:
        self._first = 0
        self.redraw()

    def to_bottom(self) -> None:
        self._first = 10**9
        self.redraw()

    def reveal(self, at: int) -> None:
        """Scroll no further than it takes to show a line, apart from the marks."""
        rows = self.size.height
        self._first = min(max(self._first, at + 2 - rows), max(at - 1, 0))
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        self._first, shown = window(self.content(columns), self._first, rows)
        return shown


def window(lines: Sequence[Line], first: int, rows: int) -> tuple[int, list[Line]]:
    """Return the number of the first line shown, which may be less than ``first``, and the lines shown; the outer
    ones tell how many are out of sight."""
    first = max(min(first, len(lines) - rows), 0)
    shown = list(lines[first : first + rows])
    below = len(lines) - first - len(shown)
    if first and shown:
        shown[0] = _more("↑", first + 1)
    if below and shown:
        shown[-1] = _more("↓", below + 1)
    return first, shown


def _more(arrow: str, count: int) -> Line:
    return line((f"{arrow} {count} more lines", "mark"))
