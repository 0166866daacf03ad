"""What the app holds stays within its budget; where memory runs out, that is said, and the app goes on."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from weakref import ref

import pytest
from textual._styles_cache import StylesCache

from tui_backprop.cost.measure import passes as measure
from tui_backprop.cost.race.race import Race
from tui_backprop.engine.analysis import gradient_flow, loss_slices, ranking
from tui_backprop.engine.training.iteration import run_iteration
from tui_backprop.session import misclassified
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.exit_codes import FAULT
from tui_backprop.tui.panels.walk import WalkView

SMALL = 12 * 2**20  # bytes: two iterations of the lesson's network, and some states


def no_room(*given, **named):
    raise MemoryError


def race_now(app):
    app.call_later(app.cost_lab.race.action_race)


def measure_now(app):
    app.cost_lab._begin(partial(app.cost_lab._measure, app.session.network, glance=True))


def notes(ui) -> list[str]:
    return [note.message for note in ui.app._notifications]


async def test_no_iteration_is_held_but_those_in_the_budget(open_app, monkeypatch):
    made = []

    def noted(*given):
        iteration = run_iteration(*given)
        made.append(ref(iteration))
        return iteration

    monkeypatch.setattr("tui_backprop.session.replay.run_iteration", noted)
    async with open_app(Session(), memory=SMALL) as ui:
        for panel in ("b", "g", "f", "o", "f8", "f9", "f10", "f12", "f3"):
            await ui.press(panel, "n", "t", "right")
        state = ui.app.state
        assert state.budget.bytes <= SMALL

        def held():
            gc.collect()
            return {id(each) for one in made if (each := one()) is not None}

        def kept():
            return {id(each) for each in (*state.replay._kept.values(), ui.app.snapshot.iteration)}

        await ui.until(lambda: held() <= kept(), "workers that are done to be forgotten")
        assert len(held()) <= 3 < len(made)


async def test_dialogs_that_are_closed_are_forgotten(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("question_mark", "escape")
        gc.collect()
        before = sum(isinstance(each, StylesCache) for each in gc.get_objects())
        for _ in range(5):
            await ui.press("question_mark", "escape", "ctrl+p", "escape")
        gc.collect()
        assert sum(isinstance(each, StylesCache) for each in gc.get_objects()) <= before + 4


WORK = {
    "iteration": (Replay, "take", ["n"], "This iteration failed"),
    "training": (Replay, "train", ["f10", "enter"], "Training stopped"),
    "flow": (gradient_flow, "flow", ["f8"], "Could not compute the flow panel"),
    "slices": (loss_slices, "slice_along", ["f9"], "Could not compute the curves panel"),
    "ranking": (ranking, "ranking", ["b"], "Could not rank the parameters"),
    "race": (Race, "__init__", [race_now], "No race"),
    "race under way": (Race, "status", [race_now], "Memory ran out"),
    "measurement": (measure, "measure_machine", [measure_now], "Could not measure this machine"),
    "accuracy": (misclassified, "next_mistake", ["e"], "Could not classify the samples"),
    "confusion": (misclassified, "confusion", ["C"], "Could not classify the samples"),
}


@pytest.mark.parametrize("work", WORK)
async def test_work_without_memory_is_told_of_in_a_line_and_the_session_stays(open_app, monkeypatch, work):
    owner, name, keys, told = WORK[work]
    async with open_app() as ui:
        await ui.press(*keys[:-1])
        session, real = ui.app.session, getattr(owner, name)
        monkeypatch.setattr(owner, name, no_room)
        if callable(keys[-1]):
            keys[-1](ui.app)
        else:
            await ui.pilot.press(keys[-1])
        await ui.until(lambda: notes(ui), "a note")
        assert len(notes(ui)) == 1
        assert notes(ui)[0].startswith(told)
        assert "emory ran out; " in notes(ui)[0]
        assert "choose a smaller network or batch" in notes(ui)[0]
        monkeypatch.setattr(owner, name, real)
        ui.app.cost_lab.close()
        await ui.press("escape", "f3")
        assert replace(ui.app.session, panel="") == replace(session, panel="")
        await ui.press("right")
        assert ui.step == session.walk.step + 1


async def test_a_panel_that_cannot_be_drawn_says_why_and_is_drawn_again(open_app, monkeypatch):
    async with open_app() as ui:
        real = WalkView.drawn
        monkeypatch.setattr(WalkView, "drawn", no_room)
        await ui.press("right")
        assert ui.walk.startswith("Could not draw this: memory ran out; ")
        monkeypatch.setattr(WalkView, "drawn", real)
        await ui.press("right")
        assert ui.step == 2
        assert "Could not" not in ui.walk


async def test_memory_that_runs_out_again_and_again_ends_the_app_with_one_line(open_app, monkeypatch):
    async with open_app() as ui:
        for _ in range(4):
            ui.app.memory_guard.ran_out(MemoryError())
        assert ui.app.is_running
        assert not ui.app.state.budget.bytes > SMALL
        ui.app.memory_guard.ran_out(MemoryError())
        await ui.until(lambda: not ui.app.is_running, "the end")
        assert ui.app.return_code == FAULT
        assert ui.app.ending.reason.startswith("memory ran out; ")
        assert ui.app.fault is None


async def test_an_iteration_without_memory_is_tried_again_without_the_earlier_ones(open_app, monkeypatch):
    async with open_app() as ui:
        await ui.press("n", "n")
        real, calls = Replay.take, []

        def take(replay, session):
            calls.append(len(replay._kept))
            if len(calls) == 1:
                raise MemoryError
            return real(replay, session)

        monkeypatch.setattr(Replay, "take", take)
        await ui.press("n")
        assert calls == [3, 1]
        assert notes(ui) == []
        assert "sample 3" in ui.status


async def test_a_worker_that_is_remembered_holds_nothing_of_its_work(open_app):
    """The message loop holds its last message, that a worker has finished, until the next one comes."""
    remembered = []
    async with open_app(from_preset("xor")) as ui:
        run = ui.app.run_worker
        ui.app.run_worker = lambda *given, **named: remembered.append(run(*given, **named))
        await ui.press("n", "b", "n")
        iteration = ref(ui.app.snapshot.iteration)
        await ui.press("n", "t")
        for _ in range(3):  # no iteration but the last is in the budget of nothing
            ui.app.state.replay._kept.clear()
        await ui.settled()
        gc.collect()
        assert remembered
        assert iteration() is None or iteration() is ui.app.snapshot.iteration
