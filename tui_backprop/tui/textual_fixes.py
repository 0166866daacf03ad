"""Fixes for Textual.

Textual compares a layout with the previous one, and overwrites the latter whenever the position of a widget is
queried after the screen was scrolled. A widget that appeared or disappeared until then would be neither drawn (it
stays blank) nor erased (a notice stays forever): ``steady`` makes every change of a screen's layout be drawn.

A cache of styles, meant for a class, has the instance in its key, and so keeps the drawn lines of a thousand widgets
that are gone, 100 MB of them: ``release_removed_widgets`` lets go of them.

An error in a handler of a message ends the app: with ``go_on_without_memory``, one for want of memory does not."""

from __future__ import annotations

from typing import Any, TypeVar

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual._styles_cache import StylesCache
from textual.geometry import Size
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

from tui_backprop.tui.partial_update import PartialUpdate, pieces_in

HANDLE = MessagePump._dispatch_message
S = TypeVar("S", bound="Screen[Any]")


class Steady(Compositor):
    """Keeps its own reference to the last layout."""

    _last: CompositorMap | None = None

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        if self._last is not None:
            self._full_map = self._last
        result = super().reflow(parent, size)
        self._last = self._full_map
        return result

    def render_partial_update(self) -> PartialUpdate | None:  # type: ignore[override]
        """Have only what changed drawn."""
        screen, regions = self.size.region, self._dirty_regions.copy()
        self._dirty_regions.clear()
        spans = self._regions_to_spans(region.intersection(screen) for region in regions)
        pieces = tuple(pieces_in(spans, self.visible_widgets))
        return PartialUpdate(pieces) if pieces else None


def steady(screen: S) -> S:
    """Prepare a screen, before it is first shown, so that it draws every change of its layout."""
    screen._compositor = Steady()
    return screen


def release_removed_widgets() -> None:
    """Let widgets be freed when they are removed."""
    colors_of = StylesCache.__dict__["get_inner_outer"]
    if not isinstance(colors_of, classmethod):
        StylesCache.get_inner_outer = classmethod(colors_of)  # type: ignore[method-assign, assignment]


async def _handle(pump: MessagePump, message: Message) -> None:
    """Handle a message; where memory runs out, have the app's guard decide how to go on."""
    try:
        await HANDLE(pump, message)
    except MemoryError as error:
        guard = getattr(pump.app, "memory_guard", None)
        if guard is None:
            raise
        guard.ran_out(error)


def go_on_without_memory() -> None:
    """Let the app go on after a message for which there was too little memory."""
    MessagePump._dispatch_message = _handle  # type: ignore[method-assign, assignment]
