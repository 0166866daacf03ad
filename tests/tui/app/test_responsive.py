"""While a pass is being computed, or cannot be, keys work and what is shown stays true."""

from __future__ import annotations

import pytest

from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.support.exit_codes import FAULT


async def test_keys_pressed_before_the_first_pass_is_there_are_not_lost(open_app, gate):
    gate.shut()
    async with open_app(settle=False) as ui:
        await ui.pilot.press("right", "right", "n", "l")
        assert ui.app.snapshot is None
        assert "computing iteration 0 of" in ui.walk
        gate.open()
        await ui.settled()
        assert ui.step == 3
        assert "sample 1, a " in ui.status


@pytest.mark.parametrize("first", [True, False], ids=["first pass", "later pass"])
async def test_help_panels_and_the_form_answer_during_a_slow_pass(open_app, gate, first):
    if first:
        gate.shut()
    async with open_app(settle=False) as ui:
        if not first:
            await ui.settled()
            gate.shut()
            await ui.pilot.press("t")
        await ui.pilot.press("?")
        assert len(ui.app.screen_stack) == 2
        await ui.pilot.press("?", "3")
        assert ui.focused == "cost"
        await ui.pilot.press("1", "ctrl+u", "5")
        assert ui.field("layers") == "5"
        gate.open()
        await ui.settled()


async def test_the_last_screen_stays_until_the_new_numbers_are_there(open_app, gate):
    async with open_app() as ui:
        before = ui.screen
        gate.shut()
        await ui.pilot.press("n")
        assert ui.screen == before
        gate.open()
        await ui.settled()
        assert "sample 1, a " in ui.status


async def test_a_pass_that_comes_late_is_not_shown_as_the_session_that_is_wanted_now(open_app, gate):
    async with open_app() as ui:
        shown = []
        gate.shut()
        await ui.pilot.press("n")
        await ui.pilot.press("n", "n")
        real = ui.app.show
        ui.app.show = lambda: (shown.append((ui.app.snapshot.session, ui.app.session)), real())
        gate.open()
        await ui.settled()
        assert shown
        assert all(numbers.pass_key == wanted.pass_key for numbers, wanted in shown)
        assert "sample 3, a " in ui.status


async def test_samples_that_were_only_passed_by_are_not_computed(open_app, gate):
    async with open_app() as ui:
        gate.shut()
        gate.begun.clear()
        await ui.pilot.press("n", "n", "n", "n")
        gate.open()
        await ui.settled()
        assert [session.sample for session in gate.begun] == [1, 4]


@pytest.mark.parametrize("key", ["space", "m"])
async def test_no_key_mixes_the_wanted_sample_with_the_label_of_the_one_shown(open_app, gate, key):
    async with open_app() as ui:
        gate.shut()
        await ui.pilot.press("n", key)
        assert "sample 1" not in ui.status or 'a "1"' not in ui.status  # digit 0 is a "1", digit 1 is none
        gate.open()
        await ui.press("3" if key != "space" else "space")
        assert 'sample 1, a "1"' not in ui.status


@pytest.mark.parametrize("keys", [["end"], ["down"], ["left"], ["]", "]"], ["t", "end"]])
async def test_keys_pressed_while_another_network_is_built_fit_that_network(open_app, gate, keys):
    async with open_app() as ui:
        await ui.press("end")
        await ui.choose("preset", "xor")
        gate.shut()
        await ui.pilot.press("enter")
        await ui.pilot.press("f3", *keys)
        gate.open()
        await ui.settled()
        assert ui.app.session.network == from_preset("xor").network
        assert f"step {ui.step}/10" in ui.status


def failing(monkeypatch, error: Exception) -> None:
    def take(replay, session):
        raise error

    monkeypatch.setattr(Replay, "take", take)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("[red]no[/red]")], ids=["memory", "value"])
async def test_a_pass_that_fails_is_told_and_the_last_good_screen_stays(open_app, monkeypatch, error):
    async with open_app() as ui:
        before, session, real = (ui.walk, ui.status), ui.app.session, Replay.take
        failing(monkeypatch, error)
        await ui.press("n")
        notes = [note.message for note in ui.app._notifications]
        assert len(notes) == 1
        assert ("memory ran out" if isinstance(error, MemoryError) else "ValueError: [red]no[/red]") in notes[
            0
        ]
        assert (ui.walk, ui.status) == before
        assert ui.app.session == session
        monkeypatch.setattr(Replay, "take", real)
        await ui.press("n")
        assert "sample 1, a " in ui.status


async def test_a_first_pass_that_fails_ends_the_app_with_one_line(open_app, monkeypatch):
    failing(monkeypatch, MemoryError("too much"))
    async with open_app(settle=False) as ui:
        await ui.until(lambda: not ui.app.is_running, "the app to end")
        assert ui.app.return_code == FAULT
        assert ui.app.ending.reason.startswith("the first iteration failed: memory ran out; ")


async def test_keys_meant_for_a_network_that_failed_are_forgotten(open_app, monkeypatch, gate):
    async with open_app() as ui:
        await ui.choose("preset", "xor")
        gate.shut()
        await ui.pilot.press("enter", "f3", "right", "right")
        real = gate._real
        monkeypatch.setattr(gate, "_real", lambda *given: 1 / 0)  # the pass that waits at the gate fails
        gate.open()
        await ui.settled()
        monkeypatch.setattr(gate, "_real", real)
        await ui.press("n")
        assert ui.step == 0
