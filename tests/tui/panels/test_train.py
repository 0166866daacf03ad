"""The training panel: updates in a worker, stopped at any time, and every iteration of them there to go back to."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace

import pytest

from tests.waits import GENEROUS
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number
from tui_backprop.tui.panels import train as train_panel

XOR = from_preset("xor")


@pytest.fixture(autouse=True)
async def ended(monkeypatch):
    """Set when training has ended; which it does with the test, even if nothing stops it."""
    over, ended, right = threading.Event(), threading.Event(), Replay.train

    def train(*given):
        try:
            for losses in right(*given):
                yield losses
                if over.is_set():
                    return
        finally:
            ended.set()

    monkeypatch.setattr(Replay, "train", train)
    yield ended
    over.set()


def panel(ui):
    return ui.app.query_one("#train-view").text


def chosen(ui):
    return re.search(r"\[(.+?)\]", panel(ui))[1]


def loss(ui):
    return re.search(r"loss (\S+)", ui.status)[1]


@pytest.mark.parametrize("key", ["T", "9"])
async def test_minus_and_plus_choose_how_much(open_app, key):
    async with open_app(XOR) as ui:
        await ui.press(key)
        assert ui.focused == "train"
        assert chosen(ui) == "100"
        for keys, amount in (
            (["minus"], "10"),
            (["minus", "minus"], "1"),
            (["plus"] * 9, "endless"),
            (["minus", "equals_sign", "minus"], "epoch"),
        ):
            await ui.press(*keys)
            assert chosen(ui) == amount
        assert ui.app.session == replace(XOR, amount="epoch")
        await ui.press("u")
        assert ui.app.session == XOR


@pytest.mark.parametrize(("ups", "updates"), [(2, 1), (1, 10), (0, 100)])
async def test_enter_trains_so_much(open_app, ups, updates):
    async with open_app(XOR) as ui:
        await ui.press("T", *["minus"] * ups, "enter")
        assert ui.app.session.t == updates
        assert f"iteration {updates}," in ui.status
        assert panel(ui).splitlines()[2].startswith(f"{updates} update")


async def test_an_epoch_is_once_through_the_data_set(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "plus", "plus", "enter")
        assert chosen(ui) == "epoch"
        assert ui.app.session.t == 50  # 200 samples, four at a time
        assert ui.app.session.sample == 0


async def test_esc_stops_and_what_was_done_stays(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "plus", "plus", "plus")
        assert chosen(ui) == "endless"
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        await ui.until(lambda: "until stopped" in panel(ui), "the panel to tell how it goes")
        await ui.press("escape")
        done = ui.app.session.t
        assert done > 0
        assert f"{done:,} updates in" in panel(ui)
        assert "until stopped" not in panel(ui)
        again = Replay().take(ui.app.session)
        assert loss(ui) == format_number(again.loss, 4)
        await ui.press("home", "end")
        assert (ui.app.session.t, loss(ui)) == (done, format_number(again.loss, 4))


async def test_esc_with_nothing_going_on_does_nothing(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "escape", "escape")
        assert ui.app.session == XOR
        await ui.press("enter")
        assert ui.app.session.t == 100


async def test_the_walk_goes_on_while_it_trains(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "plus", "plus", "plus")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        await ui.pilot.press("2", "right", "right", "down", "right")
        assert ui.app.session.walk.step == 3
        assert ui.app.session.t == 0
        await ui.press("9", "escape")
        assert ui.app.session.walk.step == 3
        assert ui.app.session.t == ui.app.training.trained.to.t > 0
        assert loss(ui) == format_number(Replay().take(ui.app.session).loss, 4)


async def test_updates_by_hand_and_travels_while_it_trains_do_no_harm(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "plus", "plus", "plus")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        await ui.pilot.press("t", "n", "t", "left", "right", "enter", "r", "d", "s", "T", "end", "home", "u")
        await ui.press("escape")
        await ui.press("home")
        assert loss(ui) == format_number(Replay().take(ui.app.session).loss, 4)


async def test_measurements_are_postponed_as_long_as_it_trains(open_app, monkeypatch):
    async with open_app(XOR) as ui:
        postponed = []
        await ui.press("T", "plus", "plus", "plus")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        monkeypatch.setattr(ui.app.training, "_postpone", lambda: postponed.append(ui.app.training.trained))
        await ui.until(lambda: len(set(map(id, postponed))) > 1, "two reports")
        await ui.press("escape")


async def test_quitting_ends_training(open_app, ended):
    async with open_app(XOR) as ui:
        await ui.press("T", "plus", "plus", "plus")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        await ui.pilot.press("q")
    assert await asyncio.to_thread(ended.wait, GENEROUS)


async def test_another_network_ends_training_and_can_be_trained_itself(open_app, ended):
    async with open_app() as ui:
        await ui.choose("preset", "xor")
        await ui.pilot.press("f3", "T", "plus", "plus", "plus", "enter")
        await ui.until(lambda: ui.app.training.trained is not None, "the first updates")
        await ui.pilot.press("f2", "enter")
        await ui.until(lambda: ui.app.snapshot and ui.app.session.network == XOR.network, "the other network")
        assert await asyncio.to_thread(ended.wait, GENEROUS), "the network that is gone is still trained"
        await ui.press("f3", "T", "minus", "minus", "minus", "enter")
        assert (ui.app.session.network, ui.app.session.t) == (XOR.network, 100)
        assert loss(ui) == format_number(Replay().take(ui.app.session).loss, 4)


async def test_training_that_fails_is_said_and_the_app_stays_where_it_is(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    async with open_app(XOR) as ui:
        await ui.press("T", "enter")
        await ui.press("home")
        right = Replay.train
        monkeypatch.setattr(Replay, "train", fail)
        await ui.press("enter")
        assert [note.message for note in ui.app._notifications] == ["Training stopped: ValueError: no room"]
        assert ui.app.session.t == 0
        monkeypatch.setattr(Replay, "train", right)
        await ui.press("enter")
        assert ui.app.session.t == 100


async def test_a_picture_that_cannot_be_made_is_said_once(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    monkeypatch.setattr(
        train_panel, "PANEL", replace(train_panel.PANEL, query=replace(train_panel.PANEL.query, find=fail))
    )
    async with open_app(XOR) as ui:
        await ui.press("T", "minus", "plus", "2", "right", "T")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the train panel: ValueError: no room"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 18)])
async def test_a_loss_that_is_lost_is_said(open_app, size):
    async with open_app(replace(Session(), lr=1e30), size=size) as ui:
        await ui.press("T", "minus", "enter")
        assert "The loss is not finite" in " ".join(panel(ui).split())


async def test_keys_pressed_before_training_is_done_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), Replay.train
    monkeypatch.setattr(Replay, "train", lambda *given: gate.wait(30) and right(*given))
    async with open_app(XOR) as ui:
        await ui.pilot.press("T", "minus", "enter", "s", "2", "right", "right", "T", "plus")
        gate.set()
        await ui.settled()
        now = ui.app.session
        assert (now.t, now.walk.step, len(now.bookmarks.items), chosen(ui)) == (10, 2, 1, "100")
