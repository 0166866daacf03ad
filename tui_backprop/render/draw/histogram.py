"""The distribution of an array as a histogram: bars over a value axis that shows the quartiles, and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, log1p

import numpy as np

from tui_backprop.engine.arrays.statistics import Bins, Distribution
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, beside, line, merge, wrap
from tui_backprop.support.format import format_number, format_share

STATISTIC_COLUMNS, LABEL_COLUMNS = 20, 9  # columns of one statistic, and of its name
COLUMN_GAP = 4  # columns between two statistics
LEAST_PLOT_COLUMNS = 36  # columns of bars, from which the statistics stand beside them, not below
LEAST_BAR_ROWS, MOST_BAR_ROWS = 4, 12  # lines of bars: with all statistics below them, and at most
MOST_BAR_COLUMNS = 4  # columns of one bar
FAINT_RATIO = 32  # a bar that many times lower than the tallest is hardly visible


def histogram(found: Distribution, columns: int, rows: int, role: str, context: RenderContext) -> list[Line]:
    """Draw bars, value axis, entries left out, and statistics, in at most ``rows`` lines."""
    if not found.low < found.high:
        return [*_all_equal(found, columns), *_left_out(found, columns)][:rows]
    table = _statistics(found, context)
    for right in (STATISTIC_COLUMNS, 2 * STATISTIC_COLUMNS + COLUMN_GAP):
        beside_it = _laid_out(table, right)
        left = columns - right - COLUMN_GAP
        if left >= LEAST_PLOT_COLUMNS and len(beside_it) <= rows:
            return beside(_plotted(found, left, rows, role, context), beside_it, left, COLUMN_GAP)
    below = _laid_out(table, columns)
    spare = rows - len(_plotted(found, columns, 0, role, context))  # with one line of bars
    if spare < len(below) + LEAST_BAR_ROWS - 1:
        below = [line((_brief(found, columns), "muted"))] if spare > 2 else []
    elif spare > len(below) + LEAST_BAR_ROWS:
        below = [(), *below]
    return [*_plotted(found, columns, rows - len(below), role, context), *below][:rows]


def _all_equal(found: Distribution, columns: int) -> list[Line]:
    """Describe an array in which no two finite entries differ."""
    finite = found.size - found.nans - found.infinite
    if not finite:
        return wrap("No entry is a finite number.", columns, "bad")
    which = "The one entry is" if found.size == 1 else "All entries are"
    if finite < found.size:
        which = "The one finite entry is" if finite == 1 else "All finite entries are"
    return wrap(f"{which} {format_number(found.low, sign=True)}.", columns)


@dataclass(frozen=True)
class BarPlot:
    """Bars of ``wide`` columns, each for values ``each`` apart, from ``start`` on. A column between two of them
    stands for 0, where ``zero`` bars are on its left (None: 0 is not inside)."""

    counts: Array
    start: float
    each: float
    wide: int
    zero: int | None

    @property
    def columns(self) -> int:
        return len(self.counts) * self.wide + (self.zero is not None)

    def column(self, value: float) -> int:
        """Return the column of a value."""
        if value == 0 and self.zero is not None:
            return self.zero * self.wide
        at = int(min(max((value - self.start) / self.each, 0), len(self.counts)) * self.wide)
        return min(at + (self.zero is not None and value > 0), self.columns - 1)

    def joined(self, cells: Sequence[str], mark: str, role: str) -> Line:
        """Join a text for each bar, with a mark at 0."""
        if self.zero is None:
            return line(("".join(cells), role))
        return line(("".join(cells[: self.zero]), role), (mark, "faint"), ("".join(cells[self.zero :]), role))


def _plot(found: Distribution, columns: int) -> BarPlot:
    """Choose as many bars as fit, fewer for few entries, so that each holds several."""
    counts, first, each = regrouped(found.bins, max(min(2 * isqrt(found.size), columns - 1), 2))
    wide = min(max((columns - 1) // len(counts), 1), MOST_BAR_COLUMNS)
    inside = found.bins.origin == 0 and 0 < -first < len(counts)
    return BarPlot(counts, found.bins.origin + first * each, each, wide, -first if inside else None)


def regrouped(bins: Bins, most: int) -> tuple[Array, int, float]:
    """Merge neighboring bins into at most ``most`` (2 or more), aligned on the origin: (their counts, the place of
    the first one counted from the origin, their width)."""
    at = bins.first + np.arange(len(bins.counts))
    several = -(-len(at) // most)
    while at[-1] // several - at[0] // several >= most:
        several += 1
    places = at // several
    counts = np.bincount(places - places[0], weights=bins.counts).astype(int)
    return counts, int(places[0]), bins.width * several


def _plotted(found: Distribution, columns: int, rows: int, role: str, context: RenderContext) -> list[Line]:
    """Draw at least one line of bars on their axis, and in words the entries that they cannot show."""
    plot = _plot(found, columns)
    tallest = int(plot.counts.max())
    steep = _steep(plot.counts)
    share = np.log1p(plot.counts) / log1p(tallest) if steep else plot.counts / tallest
    kind = "log10" if steep else "linear"
    words = (f"tallest bar {tallest:,} entries, {kind} scale", f"tallest {tallest:,}, {kind}")
    below = [
        _axis(plot, found, context),
        _ends(plot, found),
        line((next((w for w in words if len(w) <= columns), words[-1]), "muted")),
        *_left_out(found, columns),
    ]
    height = min(max(rows - len(below), 1), MOST_BAR_ROWS, max(2 * tallest, LEAST_BAR_ROWS))
    return [*_bars(plot, share, height, role, context), *below]


def _steep(counts: Array) -> bool:
    """Check whether most bars would be invisible beside the tallest."""
    there = counts[counts > 0]
    return bool(2 * np.count_nonzero(there < counts.max() / FAINT_RATIO) > len(there))


def _bars(plot: BarPlot, share: Array, rows: int, role: str, context: RenderContext) -> list[Line]:
    """Draw bars in ``rows`` lines, of heights ``share`` (0 to 1); a bar that is not empty is visible."""
    tops = context.ramp[1:] if context.plain else context.bars
    level = np.where(share > 0, np.maximum(np.rint(share * rows * len(tops)), 1), 0).astype(int)
    glyph_of = " " + tops
    return [
        plot.joined(
            [glyph_of[i] * plot.wide for i in np.clip(level - y * len(tops), 0, len(tops))],
            context.text("│"),
            role,
        )
        for y in reversed(range(rows))
    ]


def _axis(plot: BarPlot, found: Distribution, context: RenderContext) -> Line:
    """Draw the value axis: heavy from the first quartile to the third, with marks at the median and at 0."""
    low, middle, high = map(plot.column, found.quartiles)
    spans = []
    cross = None if plot.zero is None else plot.column(0.0)
    for x in range(plot.columns):
        if x == middle:
            spans.append((context.here, "strong"))
        elif low <= x <= high:
            spans.append((context.done, "text"))
        else:
            spans.append((context.text("┼") if x == cross else context.left, "faint"))
    return merge(spans)


def _ends(plot: BarPlot, found: Distribution) -> Line:
    """Draw the smallest and the largest entry below the bars that hold them, with enough digits to tell them apart,
    and 0."""
    for digits in range(3, 17):
        left, right = (format_number(value, digits, sign=True) for value in (found.low, found.high))
        if left != right:
            break
    text = left.ljust(plot.columns - len(right)) + " " * (len(left) + len(right) > plot.columns) + right
    at = plot.column(0.0)
    if plot.zero is not None and text[at - 1 : at + 2].isspace():
        text = f"{text[:at]}0{text[at + 1 :]}"
    return line((text, "muted"))


def _left_out(found: Distribution, columns: int) -> list[Line]:
    """Describe the entries that are in no bar."""
    kinds = ((found.zeros, "exact zeros"), (found.nans, "NaN"), (found.infinite, "infinite"))
    parts = [f"{n:,} {what} ({format_share(n, found.size)})" for n, what in kinds if n]
    bad = found.nans or found.infinite
    return wrap(f"not drawn: {', '.join(parts)}", columns, "bad" if bad else "text") if parts else []


def _brief(found: Distribution, columns: int) -> str:
    """Return the most important statistics in one line."""
    spread, mean, median = found.spread, found.mean, found.quartiles[1]
    parts = [
        f"mean {format_number(mean, sign=True)}",
        f"std dev {format_number(spread)}",
        f"median {format_number(median, sign=True)}",
    ]
    return first_parts(parts, columns)


def first_parts(parts: Sequence[str], columns: int) -> str:
    """Join the first parts that fit into one line."""
    text = ""
    for part in filter(None, parts):
        longer = f"{text}  {part}" if text else part
        if len(longer) > columns:
            break
        text = longer
    return text


def _statistics(found: Distribution, context: RenderContext) -> list[tuple[str, str]]:
    """Return names and values of the statistics of the finite entries."""
    first, middle, third = (format_number(q, sign=True) for q in found.quartiles)
    return [
        ("entries", f"{found.size:,}"),
        ("mean", format_number(found.mean, sign=True)),
        ("std dev", format_number(found.spread)),
        ("norm", format_number(found.norm)),
        ("zeros", format_share(found.zeros, found.size)),
        ("max", format_number(found.high, sign=True)),
        (f"{context.done} 75%", third),
        (f"{context.here} median", middle),
        (f"{context.done} 25%", first),
        ("min", format_number(found.low, sign=True)),
    ]


def _laid_out(table: Sequence[tuple[str, str]], columns: int) -> list[Line]:
    """Lay statistics out in as many columns as fit, top to bottom."""
    across = min(max((columns + COLUMN_GAP) // (STATISTIC_COLUMNS + COLUMN_GAP), 1), len(table))
    rows = -(-len(table) // across)
    cells = [
        line((f"{name:<{LABEL_COLUMNS}}", "muted"), f"{value:>{STATISTIC_COLUMNS - LABEL_COLUMNS}}")
        for name, value in table
    ]
    lines = []
    for y in range(rows):
        row = cells[y::rows]
        lines.append(
            line(
                *(
                    span
                    for i, cell in enumerate(row)
                    for span in ((" " * COLUMN_GAP * (i > 0), "text"), *cell)
                )
            )
        )
    return lines
