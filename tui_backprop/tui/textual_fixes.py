"""A fix for Textual, so that every change of a screen's layout is drawn.

Textual compares a layout with the previous one, and overwrites the latter whenever the position of a widget is
queried after the screen was scrolled. A widget that appeared or disappeared until then would be neither drawn (it
stays blank) nor erased (a notice stays forever)."""

from __future__ import annotations

from typing import Any, TypeVar

from textual._compositor import Compositor, CompositorMap, ReflowResult
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
