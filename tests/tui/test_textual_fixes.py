"""What comes and goes is drawn and erased, whoever asks meanwhile where things are."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widgets import Static

from tui_backprop.tui.textual_fixes import Steady, steady

SCREENS = {"question_mark": "help", "ctrl+p": "the palette", "slash": "the question"}


class Guest(Static):
    shown = resized = 0

    def on_show(self) -> None:
        self.shown += 1

    def on_resize(self) -> None:
        self.resized += 1


class House(App[None]):
    def __init__(self, kept: bool) -> None:
        super().__init__()
        self.kept = kept

    def get_default_screen(self) -> Screen[object]:
        screen = super().get_default_screen()
        return steady(screen) if self.kept else screen


async def come_and_go(kept: bool) -> tuple[Guest, bool]:
    """A widget that comes and goes after the screen was scrolled, while somebody asks where it is; and whether its
    place was drawn again when it had gone."""
    app = House(kept)
    async with app.run_test(size=(40, 10)) as pilot:
        compositor, guest = app.screen._compositor, Guest("hello")

        def looked_for() -> bool:
            compositor.reflow_visible(app.screen, app.size)  # what a scroll does
            return guest in compositor.full_map

        with app.batch_update():
            await app.screen.mount(guest)
            assert looked_for()
        await pilot.pause()
        place = guest.region
        with app.batch_update():
            await guest.remove()
            assert not looked_for()
            compositor._dirty_regions.clear()
            compositor.reflow(app.screen, app.size)
            drawn = set(compositor._dirty_regions)
        return guest, any(each.contains_region(place) for each in drawn)


async def test_a_widget_is_shown_and_erased_though_somebody_asked_where_it_is():
    guest, erased = await come_and_go(kept=True)
    assert guest.shown == guest.resized == 1
    assert erased


async def test_textual_alone_loses_both():
    """Where this fails, Textual has mended it, and steady can go."""
    guest, erased = await come_and_go(kept=False)
    assert not guest.shown
    assert not erased


@pytest.mark.parametrize("key", SCREENS)
async def test_every_screen_of_the_app_is_such_a_one(open_app, key):
    async with open_app() as ui:
        assert isinstance(ui.app.screen._compositor, Steady)
        await ui.press(key)
        assert len(ui.app.screen_stack) == 2, SCREENS[key]
        assert isinstance(ui.app.screen._compositor, Steady)
