"""The tour of the first start: it shows around, goes on by itself, and takes nothing away."""

from __future__ import annotations

import pytest

from tests.having import having
from tui_backprop.keys.panel_table import PLACES
from tui_backprop.keys.remap import read_key
from tui_backprop.keys.table import KEYS
from tui_backprop.lesson.tour import CARDS
from tui_backprop.session.state import Session
from tui_backprop.support.paths import state_folder
from tui_backprop.tui.app.first_run import NAME, tour_wanted
from tui_backprop.tui.app.tour import DONE, Progress, reached
from tui_backprop.tui.widgets.tour import TourStrip


@pytest.fixture
def shown_around(open_app):
    """``open_app`` with the tour."""
    return lambda *given, **more: open_app(*given, tour=True, **more)


def card(ui) -> str:
    """Which card is shown: 1/7; nothing without a tour."""
    strips = [strip for strip in ui.app.query(TourStrip) if strip.display]
    return next((word for strip in strips for word in strip.text.split() if "/" in word), "")


def to(ui, phase):
    """Keys from the input to the first step of a phase."""
    steps = ui.app.snapshot.steps
    return ["right"] * (next(step.index for step in steps if step.phase == phase) - ui.step)


async def test_it_goes_on_with_what_is_done(shown_around):
    async with shown_around() as ui:
        seen = [card(ui)]
        for keys in (["right"], ["down"], to(ui, "loss")[1:], ["right"], ["b"], ["3"]):
            await ui.press(*keys)
            seen.append(card(ui))
        assert seen == [f"{i}/7" for i in range(1, 8)]
        await ui.press("question_mark")
        assert "Reading the maps" in ui.screen or "In the cost panel" in ui.screen
        await ui.press("question_mark")
        assert card(ui) == ""
        assert "end of the tour; . starts it again" in ui.keys


async def test_who_only_steps_is_not_held_up(shown_around):
    async with shown_around() as ui:
        await ui.press(*to(ui, "loss"))
        assert card(ui) == "4/7"


async def test_it_takes_no_key_away(shown_around, open_app):
    free = {
        "quit",
        "tour",
        "end_tour",
        "help",
        "find",
        "confusion",
        "suspend_process",
        "token",
        "torch",
        "play",
        "command_palette",
        "resume",
    }
    keys = [key.keys.split(",")[0] for key in KEYS if key.id not in free and not key.id.startswith("panel")]
    sessions = []
    for opened in (open_app, shown_around):
        async with opened() as ui:
            for key in keys:
                await ui.press(key)
            sessions.append(ui.app.session)
            assert ui.focused == "walk"
    assert sessions[0] == sessions[1] != Session()


async def test_one_key_goes_to_the_next_card_and_one_ends_it(shown_around):
    async with shown_around() as ui:
        await ui.press("full_stop")
        assert card(ui) == "2/7"
        await ui.press("comma")
        assert card(ui) == ""
        before = ui.screen
        await ui.press("comma")
        assert ui.screen == before


async def test_after_the_last_card_it_is_over_and_can_begin_again(shown_around):
    async with shown_around() as ui:
        await ui.press(*["full_stop"] * len(CARDS))
        assert card(ui) == ""
        await ui.press("full_stop")
        assert card(ui) == "1/7"


async def test_begun_again_at_some_step_it_waits_for_a_step_all_the_same(shown_around):
    async with shown_around() as ui:
        await ui.press("right", "right", "comma")
        assert "end of the tour" in ui.keys
        await ui.press("full_stop")
        assert "end of the tour" not in ui.keys
        assert ui.app.tour.card == 0
        await ui.press("v")  # which shows all anew
        assert ui.app.tour.card == 0
        await ui.press("right")
        assert ui.app.tour.card == 1


async def test_the_first_card_takes_no_notice_away(shown_around):
    async with shown_around() as ui:
        await ui.press("v", "u")
        assert card(ui) == "1/7"
        assert "undone: view of the array" in ui.keys
        ui.app.refresh_panels()
        await ui.settled()
        assert "undone: view of the array" in ui.keys


async def test_it_may_be_ended_and_begun_as_fast_as_one_types(shown_around):
    async with shown_around() as ui:
        await ui.press(*["comma", "full_stop"] * 5, *["full_stop"] * 9)
        assert card(ui) == "2/7"


async def test_without_it_a_key_begins_it(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", lambda: tmp_path)
    async with open_app(having(Session(), step=3)) as ui:
        assert card(ui) == ""
        await ui.press("full_stop")
        assert card(ui) == "1/7"
        await ui.press("right")  # and goes on from wherever one is
        assert card(ui) == "2/7"


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40), (200, 60)], ids="{0[0]}x{0[1]}".format)
async def test_it_stands_above_the_key_bar_and_takes_its_rows_from_the_panels(shown_around, size):
    async with shown_around(size=size) as ui:
        strip = ui.app.query_one(TourStrip)
        keys, panels = ui.app.query_one("#keys").region, ui.app.query_one("#panels").region
        assert keys.bottom == size[1]
        assert strip.region.bottom == keys.y
        assert panels.bottom == strip.region.y
        assert strip.region.height == (1 if size[1] < 20 else 2 if size[0] >= 120 else 3)
        await ui.press("comma")
        assert ui.app.query_one("#panels").region.bottom == keys.y


async def test_a_resize_gives_it_the_rows_that_it_needs(shown_around):
    async with shown_around(size=(120, 40)) as ui:
        for size, rows in (((60, 18), 1), ((120, 40), 2), ((80, 24), 3)):
            await ui.resize(*size)
            assert ui.app.query_one(TourStrip).region.height == rows


async def test_in_the_form_its_keys_are_typed(shown_around):
    async with shown_around() as ui:
        await ui.press("1", "full_stop", "comma")
        assert card(ui) == "1/7"
        assert "F3 leads back" in ui.app.query_one(TourStrip).text
        await ui.press("f3")
        assert "→ runs the first operation" in ui.app.query_one(TourStrip).text


async def test_it_leaves_a_mark(shown_around):
    async with shown_around():
        assert (state_folder() / NAME).exists()


async def test_a_folder_that_cannot_be_written_does_no_harm(open_app, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", lambda: tmp_path / "file" / "state")
    async with open_app(tour=True) as ui:
        await ui.press("right")
        assert card(ui) == "2/7"


def test_it_is_wanted_once(monkeypatch, tmp_path):
    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", lambda: tmp_path)
    assert tour_wanted(None)
    assert tour_wanted(True)
    assert not tour_wanted(False)
    (tmp_path / NAME).touch()
    assert not tour_wanted(None)
    assert tour_wanted(True)


def test_without_a_home_it_is_wanted(monkeypatch):
    def nowhere():
        raise OSError("this user has no home folder")

    monkeypatch.setattr("tui_backprop.tui.app.first_run.state_folder", nowhere)
    assert tour_wanted(None)


def test_every_card_can_be_done():
    for each in CARDS:
        assert each.done
        assert set(each.done) <= set(DONE)
    assert reached(0, Progress(), Progress(step=1)) == 1
    assert reached(0, Progress(), Progress()) == 0


def test_its_keys_work_in_every_panel():
    for key in KEYS:
        if key.id in ("tour", "end_tour"):
            assert key.places == PLACES
            assert all(read_key(name) for name in key.keys.split(","))
