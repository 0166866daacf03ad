"""Pictures of a network with one or two inputs: the curve it fits, or the predicted class over the plane.

Imports plotext, so this module is imported after the first paint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tui_backprop.engine.network.predictions import NO_CLASS
from tui_backprop.render.draw.context import RenderContext, fitted
from tui_backprop.render.draw.plotting import blank, draw_curve, painted, printed
from tui_backprop.render.draw.spans import Line, Span, line, merge, packed
from tui_backprop.session.decision_boundary import Fit, Plane
from tui_backprop.support.format import format_number

SURENESS_FLOORS = (0.65, 0.9)  # probabilities from which a class is drawn stronger
CLASS_ROLES = ("forward", "backward", "update")  # of the classes
CELLS_PER_SAMPLE = 8  # least cells per sample, so that the regions show between them
LEAST_ROWS, LEAST_COLUMNS = 4, 12  # of a map
NOT_A_NUMBER = "!"


def picture_lines(picture: Plane | Fit, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The picture in at most ``rows`` lines of ``columns``."""
    if isinstance(picture, Plane):
        lines = plane_lines(picture, columns, rows, context)
    else:
        lines = fit_lines(picture, columns, rows, context)
    return fitted(lines, columns, rows, context)


# --- classes in a plane ------------------------------------------------------------------------------------


def class_glyphs(context: RenderContext) -> tuple[str, str, str]:
    """The glyphs of each class, from unsure to sure: three families that differ without color."""
    return ("o%@", "-~=", ".:;") if context.plain else ("░▒▓", "-=≡", "·:;")


def plane_lines(plane: Plane, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The regions of the classes in shades of their probability, samples on top; as square as the room allows.
    (``picture_lines`` fits this, and what ``fit_lines`` draws, to the width and the glyphs.)"""
    key = _plane_key(plane, columns, context)
    if rows - len(key) - 1 < LEAST_ROWS:
        key = []
    labels = [format_number(plane.high[1]), format_number(plane.low[1])]
    left = max(map(len, labels)) + 1
    deep = min(rows - len(key) - 1, (columns - left) // 2)
    wide = min(2 * deep, columns - left)
    if deep < LEAST_ROWS or wide < LEAST_COLUMNS:
        return [line(("no room for the picture", "muted"))]
    cells = _points(plane, _regions(plane, deep, wide, context), context)
    margins = [labels[0], *[""] * (deep - 2), labels[1]]
    drawn = [
        line((f"{label:>{left - 1}} ", "muted"), *merge(row))
        for label, row in zip(margins, cells, strict=True)
    ]
    low, high = format_number(plane.low[0]), format_number(plane.high[0])
    below = line((f"{'':{left}}{low}{high:>{wide - len(low)}}", "muted"))
    return [*drawn, below, *key]


def _regions(plane: Plane, deep: int, wide: int, context: RenderContext) -> list[list[Span]]:
    """A span for each cell of the picture, from the cell of the plane nearest to it."""
    y = (2 * np.arange(deep) + 1) * plane.predicted.shape[0] // (2 * deep)
    x = (2 * np.arange(wide) + 1) * plane.predicted.shape[1] // (2 * wide)
    predicted = plane.predicted[np.ix_(y, x)]
    level = np.full(predicted.shape, len(SURENESS_FLOORS))
    if plane.sure is not None:
        level = np.searchsorted(SURENESS_FLOORS, np.nan_to_num(plane.sure[np.ix_(y, x)]), side="right")
    families = class_glyphs(context)
    look = {
        (c, i): (families[c % 3][i], CLASS_ROLES[c % 3]) for c in range(predicted.max() + 1) for i in range(3)
    }
    bad = (NOT_A_NUMBER, "bad")
    return [
        [look.get(cell, bad) for cell in zip(*row, strict=True)]
        for row in zip(predicted.tolist(), level.tolist(), strict=True)
    ]


def samples_drawn(plane: Plane, cells: int) -> int:
    """Number of samples drawn in so many cells: the first ones."""
    return min(len(plane.points), max(cells // CELLS_PER_SAMPLE, 1))


def _points(plane: Plane, cells: list[list[Span]], context: RenderContext) -> list[list[Span]]:
    """Samples over the regions: correct ones first, so that the wrong ones lie on them, then the current one."""
    deep, wide = len(cells), len(cells[0])
    first = np.arange(samples_drawn(plane, deep * wide))
    for i in [*first[plane.correct[first]], *first[~plane.correct[first]], plane.sample]:
        x, y = ((plane.points[i] - plane.low) / np.subtract(plane.high, plane.low)).tolist()
        row, column = min(int((1 - y) * deep), deep - 1), min(int(x * wide), wide - 1)
        cells[row][column] = _mark(plane, int(i))
    return cells


def _mark(plane: Plane, i: int) -> Span:
    """A sample: a dot where it is correct, its label where not; diamonds for the one in view."""
    correct = bool(plane.correct[i])
    if i == plane.sample:
        return ("◆" if correct else "◇"), "cursor"
    if plane.predictions[i] == NO_CLASS:
        return NOT_A_NUMBER, "bad"
    return ("●", "strong") if correct else (str(plane.classes[i]), "bad")


def _plane_key(plane: Plane, columns: int, context: RenderContext) -> list[Line]:
    """The meaning of the glyphs, fitted to two lines."""
    families, classes = class_glyphs(context), int(plane.classes.max()) + 1
    regions = [((f"{families[c % 3][-1]} {c}", CLASS_ROLES[c % 3]),) for c in range(classes)]
    wrong = " ".join(map(str, range(classes)))
    correct = bool(plane.correct[plane.sample])
    marks: list[Sequence[Span]] = [
        (("●", "strong"), (" correct", "muted")),
        ((wrong, "bad"), (" wrong", "muted")),
        (("◆" if correct else "◇", "cursor"), (" sample", "muted")),
    ]
    if (plane.predicted == NO_CLASS).any() or (plane.predictions == NO_CLASS).any():
        marks.insert(0, ((NOT_A_NUMBER, "bad"), (" no prediction", "muted")))
    return [*packed([(("class", "muted"),), *regions], columns)[:1], *packed(marks, columns)[:1]]


# --- a curve -----------------------------------------------------------------------------------------------


def fit_lines(fit: Fit, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """The target through all samples, the network's output, and the samples of the batch."""
    curve, target, dot = ("*", ".", "o") if context.plain else ("⠒", "·", "●")
    key = packed(
        [
            ((f"{curve} ", "forward"), ("output", "muted")),
            ((f"{target} ", "mark"), ("target", "muted")),
            ((f"{dot} ", "backprop"), ("batch" if len(fit.batch) > 1 else "sample", "muted")),
        ],
        columns,
    )[:1]
    deep = rows - len(key)
    if deep < LEAST_ROWS or columns < LEAST_COLUMNS:
        return [line(("no room for the picture", "muted"))]
    figure = blank(columns, deep)
    low, high = _span(fit)
    figure.draw(figure.signal(fit.points.tolist(), fit.targets.tolist(), marker=painted(target, "mark")))
    inside = np.isfinite(fit.y) & (fit.y >= low) & (fit.y <= high)
    draw_curve(figure, fit.x, fit.y, inside, painted("braille" if curve == "⠒" else curve, "forward"))
    x, t = fit.points[fit.batch], fit.targets[fit.batch]
    figure.draw(figure.signal(x.tolist(), t.tolist(), marker=painted(dot, "backprop")))
    _axes(figure, float(fit.x[0]), float(fit.x[-1]), low, high)
    return [*printed(figure), *(_missing(fit, bool(inside.any())) or key)]


def _missing(fit: Fit, drawn: bool) -> list[Line]:
    """What of the curve cannot be drawn."""
    bad = int(np.count_nonzero(~np.isfinite(fit.y)))
    if bad:
        return [line((f"output not finite at {bad} of {len(fit.y)} inputs", "bad"))]
    return [] if drawn else [line(("the output is outside the plot", "bad"))]


def _span(fit: Fit) -> tuple[float, float]:
    """The range of the targets with some air: an output far outside leaves the picture, and does not flatten it."""
    low, high = float(fit.targets.min()), float(fit.targets.max())
    air = 0.15 * (high - low) or 1.0
    return low - air, high + air


def _axes(figure: object, left: float, right: float, low: float, high: float) -> None:
    for name, ends in (("x", (left, right)), ("y", (low, high))):
        ruler = figure.ruler(name)  # type: ignore[attr-defined]
        ruler.lim(*ends)
        ticks = [ends[0], 0.0, ends[1]] if ends[0] < 0 < ends[1] else list(ends)
        ruler.ticks(ticks, [format_number(tick) for tick in ticks])
    figure.axes(False, axis="y", side="right")  # type: ignore[attr-defined]
    figure.axes(False, axis="x", side="upper")  # type: ignore[attr-defined]
