"""A chart with an axis on the left and one below, and the marks of its curves and points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.plotting import blank, draw_curve, painted, printed
from tui_backprop.render.draw.spans import Line
from tui_backprop.support.format import format_number


@dataclass(frozen=True)
class ChartMarks:
    """Characters of a chart: a curve and its sample in a legend; a dotted curve; and points: of the curve, of the
    dotted one, and of the next update."""

    curve: str
    sample: str
    dots: str
    here: str
    other: str
    coming: str


UTF8_MARKS = ChartMarks("braille", "⠤", "·", "●", "○", "◇")
ASCII_MARKS = ChartMarks("*", "*", "+", "@", "o", "X")


def marks_of(context: RenderContext) -> ChartMarks:
    """Return the marks for a character set."""
    return ASCII_MARKS if context.plain else UTF8_MARKS


class Chart:
    """A chart in ``columns`` x ``rows`` over the ranges ``x`` and ``y``. The width of the tick labels decides how
    many columns are left to draw in."""

    def __init__(
        self,
        columns: int,
        rows: int,
        x: tuple[float, float],
        y: tuple[float, float],
        ticks: tuple[Sequence[float], Sequence[float]],
        sign: bool = False,
    ) -> None:
        self._figure = blank(columns, rows)
        self._x, self._y = limits(x), y
        far = 0
        for axis, range_, wanted, share, side in (
            ("x", self._x, ticks[0], 0.25, "upper"),
            ("y", self._y, ticks[1], 1.5 / rows, "right"),
        ):
            shown = _with_room(wanted, range_, share)
            labels = [format_number(value, sign=sign) for value in shown]
            ruler = self._figure.ruler(axis)
            ruler.lim(*range_)
            ruler.ticks(shown, labels)
            self._figure.axes(False, axis=axis, side=side)
            far = max(map(len, labels), default=0)
        self.inner = max(columns - far - 1, 2)

    def draw(self, x: Sequence[float] | Array, y: Sequence[float] | Array, role: str, marker: str) -> None:
        """Draw points."""
        self._run(x, y, role, marker, joined=False)

    def curve(self, x: Array, y: Array, role: str, marker: str) -> None:
        """Draw a line through points, with a gap at values that are not finite."""
        self._run(x, y, role, marker, joined=True)

    def dotted(self, x: Array, y: Array, role: str, marker: str) -> None:
        """Draw a line in every other column, so that another is visible between. ``x`` is evenly spaced."""
        at = np.rint(np.linspace(0, len(x) - 1, self.inner)).astype(int)[::2]
        self._run(x[at], y[at], role, marker, joined=False)

    def _run(
        self, x: Sequence[float] | Array, y: Sequence[float] | Array, role: str, marker: str, *, joined: bool
    ) -> None:
        x, y = np.asarray(x, float), np.asarray(y, float)
        (left, right), (low, high) = self._x, self._y
        inside = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        if joined:
            draw_curve(self._figure, x, y, inside, painted(marker, role))
        elif inside.any():
            points = x[inside].tolist(), y[inside].tolist()
            self._figure.draw(self._figure.signal(*points, marker=painted(marker, role)))

    def lines(self) -> list[Line]:
        return printed(self._figure)


def _with_room(values: Sequence[float], range_: tuple[float, float], share: float) -> list[float]:
    """Return the values inside a range that are no closer to an earlier one than that share of it."""
    low, high = range_
    shown: list[float] = []
    for value in values:
        if low <= value <= high and all(abs(value - each) > share * (high - low) for each in shown):
            shown.append(value)
    return shown


def limits(values: Iterable[float] | Array, margin: float = 0.0) -> tuple[float, float]:
    """Return the range of the finite values, with a share of it as margin on both sides; around a single value, 1 on
    each side (or more for a large value)."""
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    room = margin * (high / 2 - low / 2) * 2 if high > low else max(1.0, abs(low) / 8)
    return low - room, high + room
