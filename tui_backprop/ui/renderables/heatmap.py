"""Arrays as small maps of characters: the size of a value by its glyph's weight, its sign by its shape."""

from __future__ import annotations

import numpy as np

from tui_backprop.engine.primitives import Array
from tui_backprop.ui.renderables.glyphs import Glyphs
from tui_backprop.ui.renderables.spans import Line, line

FLOORS = (0.08, 0.35, 0.7)  # of the largest magnitude: below the first is drawn as zero


def pool(values: Array, rows: int, columns: int) -> Array:
    """A matrix reduced to at most (rows, columns): of each block the entry largest in magnitude, signed.

    NaN wins over any number, so that it cannot hide.
    """
    for axis, most in ((0, rows), (1, columns)):
        n = values.shape[axis]
        if n > most:
            starts = np.arange(most) * n // most
            high = np.maximum.reduceat(values, starts, axis)
            low = np.minimum.reduceat(values, starts, axis)
            with np.errstate(invalid="ignore"):
                values = np.where(high >= -low, high, low)
    return values


def fold(vector: Array, rows: int, columns: int) -> tuple[Array, int]:
    """A vector laid out row by row in at most (rows, columns): (the matrix, how many entries a cell stands for).

    Cells past the end of the vector are NaN-free padding of zero, so the matrix may hold a few more cells.
    """
    rows, columns = max(rows, 1), max(columns, 1)
    n = len(vector)
    each = -(-n // (rows * columns))
    if each > 1:
        padded = np.zeros(-(-n // each) * each, vector.dtype)
        padded[:n] = vector
        vector = pool(padded.reshape(-1, each), len(padded) // each, 1)[:, 0]
    cells = len(vector)
    least = -(-cells // columns)
    deep = next((r for r in range(least, min(rows, cells) + 1) if cells % r == 0 and cells // r <= 4 * r * 4), least)
    wide = -(-cells // deep)
    laid = np.zeros(deep * wide, vector.dtype)
    laid[:cells] = vector
    return laid.reshape(deep, wide), each


def largest(values: Array) -> float:
    """The largest finite magnitude, 0 where there is none."""
    if not values.size:
        return 0.0
    high = max(abs(float(values.max())), abs(float(values.min())))
    if np.isfinite(high):
        return high
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def rows_of_glyphs(cells: Array, glyphs: Glyphs, scale: float) -> list[str]:
    """The glyph of each cell: ``scale`` is the magnitude drawn at full weight."""
    up, down, signs = glyphs.up, glyphs.down, len(glyphs.up)
    table = np.array([*reversed(down), glyphs.zero, *up, "!"])
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.abs(cells) / (scale or 1.0)
    level = np.searchsorted(FLOORS, np.nan_to_num(size, nan=0, posinf=9), side="right")
    index = np.where(np.isnan(cells), len(table) - 1, signs + np.where(cells < 0, -level, level))
    return ["".join(row) for row in table[index]]


def heatmap(
    values: Array, rows: int, columns: int, role: str, glyphs: Glyphs, selected: int | None = None
) -> list[Line]:
    """A map of at most (rows, columns) cells. A vector is folded; ``selected`` marks one of its entries, or
    one column of a matrix."""
    if values.ndim == 1:
        cells, each = fold(values, rows, columns)
        at = None if selected is None else divmod(selected // each, cells.shape[1])
    else:
        cells = pool(values, rows, columns)
        at = None if selected is None else (-1, selected * cells.shape[1] // values.shape[1])
    drawn = []
    for y, row in enumerate(rows_of_glyphs(cells, glyphs, largest(values))):
        if at is not None and at[0] in (y, -1):
            x = at[1]
            drawn.append(line((row[:x], role), (row[x], "cursor"), (row[x + 1 :], role)))
        else:
            drawn.append(line((row, role)))
    return drawn


def picture(image: Array, rows: int, columns: int, role: str, glyphs: Glyphs) -> list[Line]:
    """An image (height, width) with values in 0..1, each cell the mean of the pixels it covers."""
    rows, columns = min(rows, image.shape[0]), min(columns, image.shape[1])
    for axis, most in ((0, rows), (1, columns)):
        starts = np.arange(most) * image.shape[axis] // most
        sizes = np.diff([*starts, image.shape[axis]])
        image = np.add.reduceat(image, starts, axis) / (sizes[:, None] if axis == 0 else sizes)
    ramp = np.array(list(glyphs.ramp))
    level = np.clip(np.ceil(image * (len(ramp) - 1) - 0.1), 0, len(ramp) - 1).astype(int)
    return [line(("".join(row), role)) for row in ramp[level]]
