"""Arrays whose axes have names, as a map with a label for each row: of several pages, such as heads, side by side as
many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tui_backprop.engine.arrays.statistics import pool
from tui_backprop.engine.network.axes import LOOKED_AT
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.heatmap import extremes, largest, rows_of_glyphs
from tui_backprop.render.draw.spans import Line, Span, beside, line, merge, width
from tui_backprop.render.sample_text import POSITIONS, SampleText
from tui_backprop.support.format import format_number

GAP, PAGE_GAP = 1, 3  # columns between labels and cells, and between two pages


@dataclass(frozen=True)
class AxisArray:
    """An array of one sample: its ``values``, their ``axes``, the ``index`` of the entry that is selected, and
    whether its positions are those of the sample, or of a ``parameter``."""

    values: Array
    axes: tuple[str, ...]
    index: tuple[int, ...]
    parameter: bool = False

    def within(self, text: SampleText) -> AxisArray:
        """Return the part at positions that have a target."""
        if self.parameter:
            return self
        ends = (slice(len(text.read) if axis in POSITIONS else None) for axis in self.axes)
        return AxisArray(self.values[tuple(ends)], self.axes, self.index)


def axis_map(
    array: AxisArray, text: SampleText, role: str, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw an array with two axes, or with pages of them, in at most ``rows`` lines."""
    shown = array.within(text)
    page_of = _Page(shown, text, role, context)
    notes = [*page_of.looks_at(columns), *page_of.legend(columns)]
    if shown.values.ndim == 2:
        return [*page_of.drawn(shown.values, True, columns, rows - len(notes)), *notes][:rows]
    pages, here = len(shown.values), shown.index[0]
    wide = min(page_of.columns, columns)
    across = min(max((columns + PAGE_GAP) // (wide + PAGE_GAP), 1), pages)
    first = here // across * across
    lines: list[Line] = []
    for n, page in enumerate(range(first, min(first + across, pages))):
        more = f" of {pages}" if across < pages else ""
        title = line((f"{shown.axes[0]} {page}{more}", "strong" if page == here else "muted"))
        tile = [title, *page_of.drawn(shown.values[page], page == here, wide, rows - len(notes) - 1)]
        lines = beside(lines, tile, n * (wide + PAGE_GAP) - PAGE_GAP, PAGE_GAP) if n else tile
    return [*lines, *notes][:rows]


@dataclass(frozen=True)
class _Page:
    """What all pages of an array have in common."""

    array: AxisArray
    text: SampleText
    role: str
    context: RenderContext

    @property
    def _labels(self) -> list[str]:
        axis, rows = self.array.axes[-2], self.array.values.shape[-2]
        if self.array.parameter and axis in POSITIONS:
            return [str(i) for i in range(rows)]
        return [self.context.text(self.text.label(axis, i)) for i in range(rows)]

    @property
    def _signs(self) -> list[str]:
        """The sign above each column; none if columns have no signs."""
        signs = [self.text.sign(self.array.axes[-1], i) for i in range(self.array.values.shape[-1])]
        return [self.context.text(sign) for sign in signs] if any(signs) else []

    @property
    def _label(self) -> int:
        return max(map(len, self._labels)) + GAP

    @property
    def columns(self) -> int:
        """Columns of a page with cells two characters wide."""
        return self._label + 2 * int(self.array.values.shape[-1])

    def drawn(self, values: Array, here: bool, columns: int, rows: int) -> list[Line]:
        """Draw a page in at most ``rows`` lines, those around the selected row; that is marked if the entry is
        ``here``."""
        signs, labels = self._signs, self._labels
        wide = 2 if self.columns <= columns else 1
        cells = min(values.shape[1], max((columns - self._label) // wide, 1))
        row, column = self.array.index[-2:]
        room = max(rows - bool(signs), 1)
        first = min(max(row - room // 2, 0), max(len(values) - room, 0))
        glyphs = self._glyphs(values, cells)
        lines = []
        if signs:
            heads = "".join(f"{sign:<{wide}}" for sign in signs[:cells])
            lines.append(line((" " * self._label + heads, "muted")))
        marked = column * cells // values.shape[1]
        for i in range(first, min(first + room, len(values))):
            look = "cursor" if here and i == row else "muted"
            spans = [(labels[i].rjust(self._label - GAP), look), (" " * GAP, "text")]
            spans += [
                (glyph * wide, "strong" if here and (i, n) == (row, marked) else self.role)
                for n, glyph in enumerate(glyphs[i])
            ]
            lines.append(merge(spans))
        return lines

    def _glyphs(self, values: Array, cells: int) -> list[str]:
        """Return the glyphs of each row: heights if no entry is negative, else filled cells and strokes; masked
        entries are blank."""
        pooled = pool(values, len(values), cells) if cells < values.shape[1] else values
        if self._heights:
            bars = np.array([self.context.zero, *self.context.bars])
            level = np.ceil(np.nan_to_num(pooled / (self._peak or 1.0), posinf=1) * (len(bars) - 1) - 0.1)
            rows = ["".join(each) for each in bars[np.clip(level, 0, len(bars) - 1).astype(int)]]
        else:
            rows = rows_of_glyphs(pooled, self.context, self._peak)
        if self._attends:
            rows = [each[: i + 1] for i, each in enumerate(rows)]
        return rows

    @property
    def _heights(self) -> bool:
        return bool((self.array.values >= 0).all())

    @property
    def _attends(self) -> bool:
        """Whether columns are positions that are looked at."""
        return self.array.axes[-1] == LOOKED_AT

    @cached_property
    def _peak(self) -> float:
        """The largest size; of attention, without the first position, which can only look at itself."""
        values = self.array.values
        if not self._attends:
            return largest(values)
        return largest(np.tril(values)[..., 1:, :]) or largest(np.tril(values))

    def looks_at(self, columns: int) -> list[Line]:
        """Name the positions that the selected one looks at most, each with its number, as many as fit."""
        if not self._attends:
            return []
        row, axis = self.array.index[-2], LOOKED_AT
        values = self.array.values[(*self.array.index[:-1],)][: row + 1]
        order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")
        spans: list[Span] = [(self.text.label(axis, row), "cursor"), (" looks at", "muted")]
        for i in order.tolist():
            number = format_number(float(values[i]), sign=not self._heights)
            more: list[Span] = [(f"  {self.text.label(axis, i)} ", "muted"), (number, self.role)]
            if width(line(*spans, *more)) > columns:
                break
            spans += more
        return [self.context.fit(line(*spans))]

    def legend(self, columns: int) -> list[Line]:
        """Explain the glyphs: the largest entry of each sign."""
        if self._heights:
            more = " and more" if self._attends else ""
            glyphs = f"{self.context.bars[-1]} {format_number(self._peak)}{more}"
        else:
            drawn = np.tril(self.array.values) if self._attends else self.array.values
            glyphs = "  ".join(extremes(drawn, self.context, self._peak))
        rows, every = self.array.values.shape[-2], self.array.axes[-2]
        counted = f"{rows} {every}s"
        choices: Sequence[str] = (f"{glyphs}  {counted}", glyphs)
        return [line((self.context.text(next((t for t in choices if len(t) <= columns), glyphs)), "muted"))]
