"""Every change of a screen's layout is drawn.

Textual finds out what a layout has changed by holding it against the one before, and overwrites that one whenever
somebody asks where a widget is after the screen was scrolled. What came or went until then would be neither drawn
(a new widget stays blank) nor erased (a notice stays for ever).
"""

from __future__ import annotations

from typing import Any, TypeVar

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

S = TypeVar("S", bound="Screen[Any]")


class Steady(Compositor):
    """Keeps the last layout for itself."""

    _last: CompositorMap | None = None

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        if self._last is not None:
            self._full_map = self._last
        result = super().reflow(parent, size)
        self._last = self._full_map
        return result


def steady(screen: S) -> S:
    """A screen, before it is shown for the first time, that draws all of them."""
    screen._compositor = Steady()
    return screen
