"""Pictures in rows and columns, each with its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui_backprop.engine.primitives import Array
from tui_backprop.render.draw.spans import Line, beside, clip

LEAST_PICTURE_ROWS, WANTED_PICTURES = (
    7,
    4,
)  # minimum lines of a picture, and number of pictures wanted at that size
PICTURE_GAP = 2  # columns between two pictures


@dataclass(frozen=True)
class GalleryLayout:
    """A layout of pictures of ``deep`` x ``wide`` characters, ``across`` in a row and ``down`` in a column; names may
    take more columns, ``named``."""

    deep: int
    wide: int
    across: int
    down: int
    named: int = 0

    @property
    def room(self) -> int:
        """Columns of a picture with its name."""
        return max(self.wide, self.named)

    @property
    def most(self) -> int:
        return self.across * self.down


def gallery_layout(
    shape: tuple[int, int], wanted: int, rows: int, columns: int, *, coarse: bool = False
) -> GalleryLayout:
    """Choose the layout of up to ``wanted`` pictures of (height, width) pixels, each with a line for its name: a
    column for every pixel where there is room; several pictures if they are large enough, in the size that fills the
    room. A character is twice as high as wide, so a line holds two rows of pixels; more if ``coarse``."""
    height, width = shape
    found = []
    for deep in range(min(height, max(rows - 1, 1)), 0, -1):
        wide = min(2 * deep * width // height, columns)
        found.append(
            GalleryLayout(
                deep,
                wide,
                max((columns + PICTURE_GAP) // (wide + PICTURE_GAP), 1),
                max(rows // (deep + 1), 1),
            )
        )
    fits = [each for each in found if 2 * each.deep * width // height <= columns]
    fits = fits if coarse else [each for each in fits if 2 * each.deep >= height] or fits
    for least in (min(wanted, WANTED_PICTURES), min(wanted, 2)):
        large = [each for each in fits if each.deep >= LEAST_PICTURE_ROWS and each.most >= least]
        if large:
            return max(large, key=lambda each: each.deep * each.wide * min(each.most, wanted))
    return (fits or found)[0]


def gallery(
    pictures: Sequence[tuple[Line, Array]], plan: GalleryLayout, draw: Callable[[Array, int, int], list[Line]]
) -> list[Line]:
    """Draw pictures with their names by a layout; ``draw`` takes an image, rows and columns."""
    tiles = []
    for name, image in pictures[: plan.most]:
        doubled = image.repeat(2, axis=1)  # two characters for each pixel, which the drawing may pool
        tiles.append([clip(name, plan.wide), *draw(doubled, plan.deep, plan.wide)])
    return arranged(tiles, plan)


def arranged(tiles: Sequence[Sequence[Line]], plan: GalleryLayout) -> list[Line]:
    """Put tiles, each of a name and a picture, in the rows and columns of a layout."""
    lines: list[Line] = []
    for first in range(0, len(tiles), plan.across):
        row, *more = map(list, tiles[first : first + plan.across])
        for i, tile in enumerate(more, 1):
            row = beside(row, tile, i * (plan.room + PICTURE_GAP) - PICTURE_GAP, PICTURE_GAP)
        lines += row
    return lines
