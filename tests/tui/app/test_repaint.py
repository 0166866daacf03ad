"""Only what changed is painted, and nothing is computed where keys are read."""

from __future__ import annotations

import threading
from itertools import zip_longest

import pytest

from tui_backprop.cost.measure import passes as measure
from tui_backprop.tui.widgets.canvas import Canvas

KEPT = ("home", "a", "left", "[", "r", "2", "-", "X", "f11")  # keys that change nothing on the first step


@pytest.fixture
def painted(monkeypatch):
    """(widget, cells) of every repaint that a canvas asks for; None cells: all of it."""
    seen: list[tuple[str, int | None]] = []
    real = Canvas.refresh

    def refresh(self, *regions, **options):
        seen.append((self.id, sum(region.area for region in regions) if regions else None))
        return real(self, *regions, **options)

    monkeypatch.setattr(Canvas, "refresh", refresh)
    return seen


async def test_a_step_repaints_parts_of_the_walk_and_the_status_and_nothing_else(open_app, painted):
    async with open_app() as ui:
        painted.clear()
        await ui.press(*["right"] * 20, *["left"] * 5)
        assert {widget for widget, _ in painted} == {"walk-view", "status"}
        assert None not in {cells for _, cells in painted}


async def test_a_step_repaints_the_lines_of_the_walk_that_changed_and_no_others(open_app, painted):
    async with open_app() as ui:
        view = ui.app.query_one("#walk-view")
        for _ in range(20):
            painted.clear()
            before = list(view._lines)
            await ui.press("right")
            changed = sum(old != new for old, new in zip_longest(before, view._lines))
            cells = [cells for widget, cells in painted if widget == "walk-view"]
            assert cells == [changed * view.size.width]


async def test_a_key_that_changes_nothing_repaints_nothing(open_app, painted):
    async with open_app() as ui:
        for key in KEPT:
            painted.clear()
            await ui.press(key)
            assert painted == [], key


async def test_what_is_painted_in_parts_is_what_is_painted_whole(open_app):
    async with open_app() as ui:
        for key in (*["right"] * 7, "down", "t", "n", "]", "]", "left", "end", "m", "3", "right", "2"):
            await ui.press(key)
        by_parts = ui.screen
        for canvas in ui.app.query(Canvas):
            canvas.on_resize()
        await ui.settled()
        assert ui.screen == by_parts


async def test_passes_and_measurements_are_made_in_threads_of_their_own(open_app, gate, monkeypatch):
    steady, threads = measure.measure_machine, gate.threads

    def noted(*given, **named):
        threads.append(threading.current_thread())
        return steady(*given, **named)

    async with open_app(settle=False) as ui:
        monkeypatch.setattr(measure, "measure_machine", noted)
        await ui.settled()
        await ui.press("t", "n", "end", "right", "left", "r")
        assert len(threads) >= 5
        assert threading.main_thread() not in threads
