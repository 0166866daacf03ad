"""Fixes for Textual.

Textual compares a layout with the previous one, and overwrites the latter whenever the position of a widget is
queried after the screen was scrolled. A widget that appeared or disappeared until then would be neither drawn (it
stays blank) nor erased (a notice stays forever): ``steady`` makes every change of a screen's layout be drawn.

A cache of styles, meant for a class, has the instance in its key, and so keeps the drawn lines of a thousand widgets
that are gone, 100 MB of them: ``release_removed_widgets`` lets go of them."""

from __future__ import annotations

from typing import Any, TypeVar

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual._styles_cache import StylesCache
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

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


def steady(screen: S) -> S:
    """Prepare a screen, before it is first shown, so that it draws every change of its layout."""
    screen._compositor = Steady()
    return screen


def release_removed_widgets() -> None:
    """Let widgets be freed when they are removed."""
    colors_of = StylesCache.__dict__["get_inner_outer"]
    if not isinstance(colors_of, classmethod):
        StylesCache.get_inner_outer = classmethod(colors_of)  # type: ignore[method-assign, assignment]
