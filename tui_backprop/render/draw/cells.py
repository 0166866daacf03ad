"""A grid of cells to draw straight lines and texts in: lines in braille, or in the strokes of ASCII."""

from __future__ import annotations

from tui_backprop.render.draw.spans import Line, merge

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of a braille cell: rows of two dots
Dashes = tuple[int, int]
SOLID, DASHED, DOTTED = (1, 1), (6, 3), (4, 1)  # dots along a line: a period, and how many of it are drawn
BRAILLE = 0x2800


class Cells:
    """``rows`` lines of ``columns`` cells. What is drawn later covers what was drawn before."""

    def __init__(self, columns: int, rows: int, plain: bool) -> None:
        self._columns, self._rows, self._plain = columns, rows, plain
        self._dots: dict[tuple[int, int], int] = {}
        self._glyphs: dict[tuple[int, int], str] = {}
        self._roles: dict[tuple[int, int], str] = {}

    def text(self, x: int, y: int, text: str, role: str) -> None:
        """Write a text from a cell on."""
        for i, glyph in enumerate(text, x):
            self._glyphs[i, y], self._roles[i, y] = glyph, role

    def connect(
        self, x: tuple[int, int], y: tuple[int, int], role: str, thick: int = 1, dashes: Dashes = SOLID
    ) -> None:
        """Draw a line through the cells ``x[0]`` to ``x[1]``, from the middle of row ``y[0]`` to that of ``y[1]``."""
        if x[1] >= x[0]:
            (self._strokes if self._plain else self._braille)(x, y, role, thick, dashes)

    def _braille(self, x: tuple[int, int], y: tuple[int, int], role: str, thick: int, dashes: Dashes) -> None:
        first, last = 2 * x[0], 2 * x[1] + 1
        top, slope = 4 * y[0] + 1.5, 4 * (y[1] - y[0]) / max(last - first, 1)
        before = None
        for at in range(first, last + 1):
            height = round(top + slope * (at - first))
            steps = range(min(before or height, height), max(before or height, height) + 1)
            middle = [dot for dot in steps if dot != before] or [height]
            before = height
            if (at - first) % dashes[0] >= dashes[1]:
                continue
            for dot in {each + more for each in middle for more in range(thick)}:
                cell = at // 2, dot // 4
                self._dots[cell] = self._dots.get(cell, 0) | DOTS[dot % 4][at % 2]
                self._roles[cell] = role

    def _strokes(self, x: tuple[int, int], y: tuple[int, int], role: str, thick: int, dashes: Dashes) -> None:
        wide = max(x[1] - x[0], 1)
        heights = [round(y[0] + (y[1] - y[0]) * i / wide) for i in range(x[1] - x[0] + 1)]
        for i, (height, following) in enumerate(zip(heights, [*heights[1:], y[1]], strict=True)):
            if dashes == DASHED and i % 3 == 2:
                continue
            if dashes == DOTTED:
                self._glyphs[x[0] + i, height], self._roles[x[0] + i, height] = ".", role
                continue
            flat = "=" if thick > 1 else "-"
            glyph = flat if following == height else "\\" if following > height else "/"
            for row in range(min(height, following), max(height, following)) or (height,):
                self._glyphs[x[0] + i, row], self._roles[x[0] + i, row] = glyph, role

    def lines(self) -> list[Line]:
        """Return the rows as lines."""
        return [
            merge((self._glyph(x, y), self._roles.get((x, y), "text")) for x in range(self._columns))
            for y in range(self._rows)
        ]

    def _glyph(self, x: int, y: int) -> str:
        glyph = self._glyphs.get((x, y))
        if glyph is not None:
            return glyph
        dots = self._dots.get((x, y))
        return chr(BRAILLE + dots) if dots else " "
