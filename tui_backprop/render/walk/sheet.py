"""Arrays of images, such as feature maps and kernels, as a sheet of pictures: the entry of the step is marked, and
where there is room, what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_backprop.engine.arrays.types import place_in
from tui_backprop.engine.explain.entries import first_sample
from tui_backprop.engine.explain.patches import Patch, patches_of
from tui_backprop.engine.explain.receipts.general import name_of, named_index
from tui_backprop.engine.network.tensor_names import entry_name
from tui_backprop.engine.primitives import Array, index_at, size
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.gallery import PICTURE_GAP, GalleryLayout, arranged, gallery_layout
from tui_backprop.render.draw.heatmap import extremes, largest, picture, signed_picture
from tui_backprop.render.draw.spans import Line, beside, clip, line, packed, pad, width
from tui_backprop.render.view_state import Snapshot
from tui_backprop.render.walk.shown_array import ShownArray
from tui_backprop.support.format import format_number

Box = tuple[slice, slice]  # rows and columns of an image
LEAST_ORIGIN_ROWS = 14  # lines of the sheet from which the first ones show what the entry is made of
MOST_ORIGIN_ROWS = 15
TWO_NOTES_ROWS = (
    12  # lines of the sheet from which its legend, and what an entry is made of, have a line more
)


@dataclass(frozen=True)
class _Scale:
    """How the pictures of an array are drawn: ``peak`` is the magnitude at full weight, ``ends`` and in few columns
    ``brief`` say it in words, and ``signed`` is False of pixels, which need none."""

    peak: float
    ends: str
    brief: str
    signed: bool


def _scale(name: str, array: Array, context: RenderContext, pixels: bool = False) -> _Scale:
    """Return the scale of an array of that name, or of the only one."""
    peak, lead = largest(array), f"{context.text(name)} " if name else ""
    if pixels:
        return _Scale(peak, "", "", False)
    ends, brief = "  ".join(extremes(array, context, peak)), context.text(f"±{format_number(peak)}")
    return _Scale(peak, f"{lead}{ends}", f"{lead}{brief}", True)


@dataclass(frozen=True, eq=False)
class _Tile:
    """A picture with its name: an ``image`` (height, width) and ``boxes`` in it that are marked, on the scale of
    the whole array."""

    name: str
    image: Array
    role: str
    scale: _Scale
    boxes: tuple[Box, ...] = ()
    chosen: bool = False

    def lines(self, deep: int, wide: int, context: RenderContext, room: int = 0) -> list[Line]:
        """Draw the name, for which there may be more ``room``, and the picture in so many characters."""
        doubled = self.image.repeat(2, axis=1)  # a character is twice as high as wide
        if self.scale.signed:
            drawn = signed_picture(doubled, deep, wide, self.role, context, self.scale.peak)
        else:
            drawn = picture(doubled, deep, wide, self.role, context)
        folded = 1 if self.scale.signed or context.plain else 2  # rows of pixels in a line
        for rows, columns in self.boxes:
            first, last = (_cell(row, len(doubled), folded * deep) // folded for row in _ends(rows))
            left, _ = (_cell(2 * column, doubled.shape[1], wide) for column in _ends(columns))
            _, right = (_cell(2 * column + 1, doubled.shape[1], wide) for column in _ends(columns))
            for y in range(first, last + 1):
                drawn[y] = _marked(drawn[y], left, right)
        title = clip(line((self.name, "strong" if self.chosen else "muted")), max(wide, room))
        return [title, *drawn]


def sheet(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw the images of an array: those that fit, on the page of the marked one; after the forward pass, each beside
    its gradient; and above them, where there is room, what the marked entry is made of."""
    above: list[Line] = []
    if rows >= LEAST_ORIGIN_ROWS:
        above = _origin(snapshot, shown, columns, min(rows // 2, MOST_ORIGIN_ROWS), context)
    tiles, chosen, each = _tiles(snapshot, shown, context)
    assert shown.image is not None
    scales, images = [tile.scale for tile in tiles[:each]], len(tiles) // each
    notes = 1 if rows < TWO_NOTES_ROWS else 2
    widest = _legend(images, images, scales, columns, notes, context)
    room = max(rows - len(above) - len(widest), 2)
    plan = _named(gallery_layout(shown.image, len(tiles), room, columns, coarse=True), tiles, each, columns)
    most = max(plan.most // each, 1) * each
    at, pages = chosen * each // most, -(-len(tiles) // most)
    page = tiles[at * most : (at + 1) * most]
    lines = arranged([tile.lines(plan.deep, plan.wide, context, plan.room) for tile in page], plan)
    return [*above, *lines, *_legend(at + 1, pages, scales, columns, notes, context)]


def _legend(
    page: int, pages: int, scales: Sequence[_Scale], columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Say which page is shown, and the scale of each array, in at most ``rows`` lines."""
    keys = context.words("{unit(-1)} {unit(1)}")
    long, short = (f"page {page} of {pages} ({keys})", f"{page}/{pages} {keys}") if pages > 1 else ("", "")
    ends, brief = [scale.ends for scale in scales], [scale.brief for scale in scales]
    lines: list[Line] = []
    for parts in ([long, *ends], [short, *ends], [long, *brief], [short, *brief]):
        lines = packed([[(text, "muted")] for text in parts if text], columns)
        if len(lines) <= rows:
            break
    near = [[(f"{context.zero} near 0", "muted")]] if any(ends) else []
    return packed([*lines, *near], columns)[: min(len(lines), rows)]


def _tiles(snapshot: Snapshot, shown: ShownArray, context: RenderContext) -> tuple[list[_Tile], int, int]:
    """Return the tiles of all images of the array, the number of the marked image, and how many tiles each has."""
    graph, iteration, role = snapshot.graph, snapshot.iteration, snapshot.step.phase
    value, index = graph.value_of(shown.name), shown.index
    lead = shown.values.shape[:-2]
    pixels = role == "forward" and graph.block(value) == graph.block(graph.input)
    arrays = [(shown.label, shown.values, role)]
    if graph.is_gradient(shown.name):
        arrays = [(value, first_sample(iteration, value), "forward"), *arrays]
    elif shown.updated:
        gradient = graph.gradient_of(value)
        arrays = [*arrays, (gradient, first_sample(iteration, gradient), "backward")]
    alone = len(arrays) == 1
    scales = [_scale("" if alone else name, array, context, pixels) for name, array, _ in arrays]
    chosen = place_in(index[:-2], lead)
    tiles = []
    for at in range(size(lead)):
        here = index_at(at, lead)
        for (name, array, look), scale in zip(arrays, scales, strict=True):
            title = context.text(entry_name(name, here))
            tiles.append(
                _Tile(
                    f"▸ {title}" if at == chosen else title,
                    array[here],
                    look,
                    scale,
                    (_box(*index[-2:]),) if at == chosen else (),
                    at == chosen,
                )
            )
    return tiles, chosen, len(arrays)


def _named(plan: GalleryLayout, tiles: Sequence[_Tile], each: int, columns: int) -> GalleryLayout:
    """Return the layout with room for the names, and whole pairs in a row if two fit beside each other."""
    plan = replace(plan, named=min(max(len(tile.name) for tile in tiles), columns))
    across = (columns + PICTURE_GAP) // (plan.room + PICTURE_GAP)
    return replace(plan, across=across // each * each or 1)


def _origin(
    snapshot: Snapshot, shown: ShownArray, columns: int, rows: int, context: RenderContext
) -> list[Line]:
    """Draw what the marked entry is made of: each image with the patch marked, and the patch by itself, and where
    there is room the scale of each."""
    iteration, graph, index = snapshot.iteration, snapshot.graph, shown.index
    at = (0, *index) if graph.per_sample(shown.name) else index
    patches = patches_of(iteration, snapshot.step.pieces[-1], at)
    tiles = [tile for patch in patches for tile in _of_patch(snapshot, patch, context)]
    ends = filter(None, dict.fromkeys(tile.scale.ends for tile in tiles))
    scales = packed([[(text, "muted")] for text in ends], columns)[: rows >= TWO_NOTES_ROWS]
    for deep in range(rows - 1 - len(scales), 2, -1):
        sizes = [_size(tile.image, deep) for tile in tiles]
        widths = [max(wide, len(tile.name)) for tile, (_, wide) in zip(tiles, sizes, strict=True)]
        if sum(widths) + PICTURE_GAP * (len(widths) - 1) <= columns:
            break
    else:
        return []
    lines: list[Line] = []
    for tile, (high, wide), room in zip(tiles, sizes, widths, strict=True):
        drawn = [pad(row, room) for row in tile.lines(high, wide, context, room)]
        used = width(lines[0]) if lines else 0
        lines = beside(lines, drawn, used, PICTURE_GAP) if lines else drawn
    won = [
        name_of(iteration, patch.tensor, (*patch.lead, *place)) for patch in patches for place in patch.won
    ]
    return [*lines, *scales, *([line((context.text(f"largest: {', '.join(won)}"), "text"))] if won else [])]


def _size(image: Array, deep: int) -> tuple[int, int]:
    """Return lines and columns of a picture of at most so many lines."""
    high, wide = image.shape
    lines = min(high, deep)
    return lines, max(2 * wide * lines // high, 2)


def _of_patch(snapshot: Snapshot, patch: Patch, context: RenderContext) -> list[_Tile]:
    graph, iteration = snapshot.graph, snapshot.iteration
    gradient = graph.is_gradient(patch.tensor)
    pixels = not gradient and graph.block(patch.tensor) == graph.block(graph.input)
    name = context.text(entry_name(patch.tensor, named_index(iteration, patch.tensor, patch.lead)))
    look = "backward" if gradient else "forward"
    scale = _scale(patch.tensor, iteration.tensor(patch.tensor), context, pixels)
    if 2 * patch.part.size > patch.image.size:
        return [_Tile(name, patch.image, look, scale)]
    won = tuple(_box(r - patch.rows.start, c - patch.columns.start) for r, c in patch.won)
    return [
        _Tile(name, patch.image, look, scale, ((patch.rows, patch.columns),)),
        _Tile("patch", patch.part, look, replace(scale, signed=True), won),
    ]


def _box(row: int, column: int) -> Box:
    """Return the box around one pixel."""
    return slice(row, row + 1), slice(column, column + 1)


def _ends(part: slice) -> tuple[int, int]:
    return part.start, part.stop - 1


def _cell(pixel: int, pixels: int, cells: int) -> int:
    """Return the cell that a pixel is drawn in, of so many at most."""
    return pixel if pixels <= cells else ((pixel + 1) * cells - 1) // pixels


def _marked(row: Line, left: int, right: int) -> Line:
    """Mark some columns of a line of one span."""
    ((text, role),) = row
    parts = (text[:left], role), (text[left : right + 1], "cursor"), (text[right + 1 :], role)
    return line(*parts)
