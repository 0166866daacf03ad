"""The parts of the screen that changed, as Textual's compositor has them drawn.

Textual draws every widget between the first changed line and the last, cuts all of its lines at every edge of a
widget, and then keeps the pieces that changed. Here only those pieces are cut out, of the widgets in front."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console
from textual._compositor import CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[int, int, int]  # row, first column, column after the last
Piece = tuple[int, int, Strip]  # column, row, what is there


class PartialUpdate(CompositorUpdate):
    """Pieces of lines, each with its place on the screen."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = tuple(pieces)

    def render_segments(self, console: Console) -> str:
        """Return text and control codes that draw the pieces."""
        return "".join(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.pieces)


def pieces_in(spans: Iterable[Span], widgets: Mapping[Widget, tuple[Region, Region]]) -> Iterator[Piece]:
    """Yield what is in some spans of a screen. Of each widget, those in front first, there are the region that it
    has and the region that it may draw in. A widget draws its lines once, and only if some of them are seen."""
    places = [(widget, region, region.intersection(clip)) for widget, (region, clip) in widgets.items()]
    drawn: dict[Widget, list[Strip]] = {}
    for y, start, end in spans:
        free = [(start, end)]
        for widget, region, seen in places:
            if not seen.y <= y < seen.bottom:
                continue
            left: list[tuple[int, int]] = []
            for start, end in free:
                first, last = max(start, seen.x), min(end, seen.right)
                if first >= last:
                    left.append((start, end))
                    continue
                if widget not in drawn:
                    drawn[widget] = widget.render_lines(seen.translate(-region.offset))
                yield first, y, drawn[widget][y - seen.y].crop(first - seen.x, last - seen.x)
                left += [part for part in ((start, first), (last, end)) if part[0] < part[1]]
            free = left
            if not free:
                break
