"""Arrays as small maps of characters: magnitude by the weight of a glyph, sign by its shape."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.arrays.statistics import pool
from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line
from tui_backprop.support.format import format_number

HALF_BLOCKS = " ▀▄█"  # neither half of a cell, the upper one, the lower one, both
INK = 0.4  # of the largest pixel: those above are drawn
LEVEL_FLOORS = (0.08, 0.35, 0.7)  # of the largest magnitude: below the first is drawn as zero


def fold(vector: Array, rows: int, columns: int) -> tuple[Array, int]:
    """Lay a vector out row by row in at most (rows, columns): (the matrix, entries in each cell).

    The matrix is as close to a square as fits; its last row may be padded with zeros.
    """
    rows, columns = max(rows, 1), max(columns, 1)
    n = len(vector)
    each = -(-n // (rows * columns))
    if each > 1:
        vector = pool(_filled(vector, -(-n // each) * each).reshape(-1, each), -(-n // each), 1)[:, 0]
    cells = len(vector)
    least = -(-cells // columns)
    even = [r for r in range(least, min(rows, cells) + 1) if cells % r == 0 and cells >= r * r]
    deep = even[-1] if even else least
    wide = -(-cells // deep)
    return _filled(vector, deep * wide).reshape(deep, wide), each


def _filled(vector: Array, size: int) -> Array:
    filled = np.zeros(size, vector.dtype)
    filled[: len(vector)] = vector
    return filled


def largest(values: Array) -> float:
    """Return the largest finite magnitude, 0 if there is none."""
    if not values.size:
        return 0.0
    high = max(abs(float(values.max())), abs(float(values.min())))
    if np.isfinite(high):
        return high
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def rows_of_glyphs(cells: Array, context: RenderContext, scale: float) -> list[str]:
    """Return the glyph of each cell; ``scale`` is the magnitude drawn at full weight."""
    up, down, signs = context.up, context.down, len(context.up)
    table = np.array([*reversed(down), context.zero, *up, "!"])
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(cells) / (scale or 1.0)
    level = np.searchsorted(LEVEL_FLOORS, np.nan_to_num(size, nan=0, posinf=9), side="right")
    index = np.where(np.isnan(cells), len(table) - 1, signs + np.where(cells < 0, -level, level))
    return ["".join(row) for row in table[index]]


def extremes(values: Array, context: RenderContext, scale: float) -> list[str]:
    """Return the largest and the smallest entry, each behind the glyph that it is drawn with: "█ +0.242", "≡ −0.252".
    A sign that no entry has, or none that is drawn, is left out."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return []
    ends = float(finite.max()), float(finite.min())
    (glyphs,) = rows_of_glyphs(np.array([ends]), context, scale)
    found = zip(glyphs, ends, (context.up, context.down), strict=True)
    return [f"{glyph} {format_number(end, sign=True)}" for glyph, end, sign in found if glyph in sign]


def heatmap(
    values: Array,
    rows: int,
    columns: int,
    role: str,
    context: RenderContext,
    selected: int | None = None,
    width: int | None = None,
) -> list[Line]:
    """Draw a map of at most (rows, columns) characters. A vector is folded, with cells two characters wide where
    they all fit; ``selected`` marks one of its entries, or one column of a matrix (of ``width`` columns, where
    ``values`` is a pooled version of it)."""
    if values.ndim == 1:
        double = len(values) > 1 and columns > 1 and -(-len(values) // (columns // 2)) <= rows
        cells, each = fold(values, rows, columns // 2 if double else columns)
        at = None if selected is None else divmod(selected // each, cells.shape[1])
        count = -(-len(values) // each)
    else:
        double, count = False, None
        cells = pool(values, rows, columns)
        at = None if selected is None else (-1, selected * cells.shape[1] // (width or values.shape[1]))
    drawn = []
    for y, row in enumerate(rows_of_glyphs(cells, context, largest(values))):
        if count is not None:
            row = row[: count - y * len(row)].ljust(len(row))  # padding of the last row is blank
        each_wide = 2 if double else 1
        spans = [(row, role)]
        if at is not None and at[0] in (y, -1):
            spans = [
                (row[: at[1]], role),
                (row[at[1]], "cursor" if at[0] >= 0 else "strong"),
                (row[at[1] + 1 :], role),
            ]
        drawn.append(line(*(("".join(g * each_wide for g in text), look) for text, look in spans)))
    return drawn


def mean_pool(image: Array, rows: int, columns: int) -> Array:
    """Reduce an image to at most (rows, columns), each cell the mean of the pixels it covers."""
    for axis, most in ((0, min(rows, image.shape[0])), (1, min(columns, image.shape[1]))):
        starts = np.arange(most) * image.shape[axis] // most
        sizes = np.diff([*starts, image.shape[axis]])
        image = np.add.reduceat(image, starts, axis) / (sizes[:, None] if axis == 0 else sizes)
    return image


def picture(image: Array, rows: int, columns: int, role: str, context: RenderContext) -> list[Line]:
    """Draw an image (height, width) with values that are never negative, in at most ``rows`` x ``columns`` cells: in
    half blocks, two pixels to a cell, or in shades where the terminal has no half blocks."""
    if context.plain:
        ramp = np.array(list(context.ramp))
        pooled = mean_pool(image, rows, columns)
        level = np.clip(np.ceil(pooled * (len(ramp) - 1) - 0.1), 0, len(ramp) - 1).astype(int)
        return [line(("".join(row), role)) for row in ramp[level]]
    inked = _ink(image, 2 * rows, columns)
    inked = np.pad(inked, ((0, len(inked) % 2), (0, 0)))
    cells = np.array(list(HALF_BLOCKS))[inked[::2] + 2 * inked[1::2]]
    return [line(("".join(row), role)) for row in cells]


def _ink(image: Array, rows: int, columns: int) -> Array:
    """Return the pixels of an image, pooled to at most (rows, columns), that are drawn: those near the largest."""
    pooled = mean_pool(image, rows, columns)
    inked: Array = pooled > INK * pooled.max()
    return inked


def signed_picture(
    image: Array, rows: int, columns: int, role: str, context: RenderContext, scale: float
) -> list[Line]:
    """Draw an image (height, width) with values of both signs, the largest magnitude of each cell; ``scale`` is the
    magnitude drawn at full weight."""
    return [line((row, role)) for row in rows_of_glyphs(pool(image, rows, columns), context, scale)]


def thumbnail(image: Array, rows: int, columns: int, role: str, context: RenderContext) -> list[Line]:
    """Draw an image in very few cells, in braille, whose eight dots a cell keep a digit readable."""
    if context.plain:
        return picture(image, rows, columns, role, context)
    ink = np.zeros((4 * rows, 2 * columns), bool)
    inked = _ink(image, *ink.shape)
    ink[: inked.shape[0], : inked.shape[1]] = inked
    cells = ink.reshape(rows, 4, columns, 2).transpose(0, 2, 3, 1).reshape(rows, columns, 8)
    codes = 0x2800 + cells @ np.array([0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80])
    return [line(("".join(map(chr, row)), role)) for row in codes]
