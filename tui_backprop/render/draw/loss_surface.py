"""The loss over two weights as a map of shades; the lightest is the lowest loss."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

import numpy as np

from tui_backprop.engine.analysis.loss_slices import Slice
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.line_chart import ChartMarks
from tui_backprop.render.draw.spans import Line, line, merge
from tui_backprop.support.format import format_number


class ShadeMap:
    """Cells (high, wide), each a glyph in a role, over two offsets from −1 to 1: to the right, and upward."""

    def __init__(self, context: Array) -> None:
        self.cells = [[(str(glyph), "loss") for glyph in row] for row in context]
        self._high, self._wide = context.shape

    def put(self, place: Iterable[float], mark: str, role: str) -> None:
        """Mark a position, if it is on the map."""
        across, up = place
        column, row = (1 + across) / 2 * (self._wide - 1), (1 - up) / 2 * (self._high - 1)
        if -0.5 < column < self._wide - 0.5 and -0.5 < row < self._high - 0.5:
            self.cells[round(row)][round(column)] = mark, role


def surface(
    found: Slice, marks: ChartMarks, context: RenderContext, update: bool, columns: int, rows: int
) -> list[Line]:
    """Draw the map: the first weight increases to the right, the second upward. Dots lead from the current weights
    straight against the gradient; ``update`` marks the weights after the update."""
    x, y = found.values
    labels = [format_number(float(value), sign=True) for value in (y[-1], found.here[1], y[0])]
    margin = max(map(len, labels)) + 1
    wide, high = (
        max(n - 1 + n % 2, 1) for n in (columns - margin, rows - 2)
    )  # odd, so that the current weights are in the middle
    across, up = (np.rint(np.linspace(0, len(v) - 1, n)).astype(int) for v, n in ((x, wide), (y, high)))
    drawn = ShadeMap(_shades(found, context)[np.ix_(across, up)].T[::-1])
    reach = [float(values[-1] - values[0]) / 2 or 1.0 for values in (x, y)]
    downhill = [-slope / far for slope, far in zip(found.gradient, reach, strict=True)]
    steepest = max(map(abs, downhill))
    if isfinite(steepest) and steepest > 0:
        for part in np.linspace(0, 1, (wide + high) // 4 + 1):
            drawn.put((float(part) * each / steepest for each in downhill), marks.dots, "backward")
    if update:
        moved = zip(found.updated, found.here, reach, strict=True)
        drawn.put(((new - old) / far for new, old, far in moved), marks.coming, "update")
    drawn.put((0.0, 0.0), marks.here, "strong")
    return [*_beside_axis(drawn, labels, margin), *_axis(found, margin, wide)]


def _beside_axis(drawn: ShadeMap, labels: list[str], margin: int) -> list[Line]:
    """Add the second weight's values on the left of the map."""
    last = len(drawn.cells) - 1
    sides = dict(zip((0, last, last // 2), (labels[0], labels[2], labels[1]), strict=True))
    return [
        merge([(f"{sides.get(i, ''):>{margin - 1}}", "muted"), ("┤" if i in sides else "│", "grid"), *row])
        for i, row in enumerate(drawn.cells)
    ]


def _axis(found: Slice, margin: int, wide: int) -> list[Line]:
    """Draw the first weight's values below the map: at both ends, and the current one between them if there is
    room."""
    values = found.values[0]
    low, here, high = (format_number(float(v), sign=True) for v in (values[0], found.here[0], values[-1]))
    side = max(len(low), len(high))
    room = wide - 2 * side
    between = f"{here if len(here) + 2 <= room else '':^{max(room, 0)}}"
    below = f"{low:<{side}}{between}{high:>{side}}" if room > 0 else f"{here:^{wide}}"
    return [
        line((" " * (margin - 1), "muted"), ("└" + "─" * wide, "grid")),
        line((" " * margin + below, "muted")),
    ]


def _shades(found: Slice, context: RenderContext) -> Array:
    """Return a glyph for each point: a shade, ! where the loss is not finite, a blank where it is not known yet."""
    low, high = lowest_and_highest(found)
    levels = len(context.ramp)
    with np.errstate(all="ignore"):
        level = np.clip((found.losses - low) / ((high - low) or 1.0) * levels, 0, levels - 1)
    level = np.where(np.isfinite(found.losses), np.nan_to_num(level), levels).astype(int)
    level.flat[found.done :] = levels + 1
    glyph: Array = np.array([*context.ramp, "!", " "])[level]
    return glyph


def lowest_and_highest(found: Slice) -> tuple[float, float]:
    """Return the range of the finite losses; the loss itself, twice, if none is finite."""
    finite = found.losses[np.isfinite(found.losses)]
    return (float(finite.min()), float(finite.max())) if finite.size else (found.base, found.base)


def shades_legend(found: Slice, context: RenderContext) -> Line:
    """Name the losses of the lightest and the darkest shade."""
    low, high = (format_number(each) for each in lowest_and_highest(found))
    return line((f"low {low} ", "muted"), (context.ramp, "loss"), (f" {high} high", "muted"))
