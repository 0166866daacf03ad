"""Which weights are to blame: the panel answers from the same arrays that everything else shows."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine import blame as blame_module
from tui_backprop.engine import case as case_module
from tui_backprop.engine.blame import ranking
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.replay import Replay
from tui_backprop.session import Session, from_preset
from tui_backprop.ui.inquiries import RANKED
from tui_backprop.ui.renderables.numbers import number

NAME = r"[Wbγβ]\d+\[[\d,]+\]"


def panel(ui, name="blame"):
    return ui.app.query_one(f"#{name}-view").text


def listed(text):
    """(rank, name, value, gradient) of each line of the ranking."""
    rows = [row.split()[:4] for row in text.splitlines()]
    return [row for row in rows if len(row) == 4 and row[0].isdigit() and "[" in row[1]]


def expected(session, measure="gradient", layer=None):
    taken = Replay().take(session)
    return [
        [
            str(i),
            f"{c.tensor}[{','.join(map(str, c.index))}]",
            number(c.value, sign=True),
            number(c.gradient, sign=True),
        ]
        for i, c in enumerate(ranking(taken, measure, RANKED, layer), 1)
    ]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 18), (200, 60)])
async def test_the_ranking_is_that_of_all_parameters(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("b")
        assert ui.focused == "blame"
        rows = listed(panel(ui))
        assert len(rows) >= 5
        assert rows == expected(Session())[: len(rows)]


async def test_layers_and_measures_are_chosen_with_keys(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("b", "right")
        rows = listed(panel(ui))
        assert len(rows) > 10
        assert rows == expected(Session(), layer=1)[: len(rows)]
        assert "lead to one unit, 239 of layer 1" in panel(ui)
        assert all(row[1][:2] in ("W1", "b1") for row in listed(panel(ui)))
        await ui.press("m")
        rows = listed(panel(ui))
        assert rows == expected(Session(), "update", 1)[: len(rows)]
        assert "α dW²" in panel(ui)
        await ui.press("m", "left", "left")
        rows = listed(panel(ui))
        assert rows == expected(Session(), "weight x gradient", 4)[: len(rows)]


async def test_the_cursor_shows_the_case_of_each(open_app):
    """Path, share, nudges that really were run, and what it would take to change the answer."""
    async with open_app(size=(120, 60)) as ui:
        await ui.press("b", "right", "down", "down")
        taken = ui.app.moment.taken
        culprit = ranking(taken, "gradient", 3, 1)[2]
        found = case_module.case(taken, culprit, int(taken.tensor("t")[0]))
        text = panel(ui)
        assert f"{culprit.tensor}[{culprit.index[0]},{culprit.index[1]}]  pixel" in text
        for hop in found.path:
            assert hop.why == "1" or hop.why in text
        for nudge in found.nudges:
            row = next(row for row in text.splitlines() if row.startswith(f"{nudge.why:<7}"))
            assert row.split()[-3:] == [number(v, sign=True) for v in (nudge.by, nudge.predicted, nudge.came)]
        along = number(found.along, sign=True)
        assert any(row.startswith("= this path") and row.endswith(along) for row in text.splitlines())
        assert found.turn.by is not None
        assert f"{number(found.turn.by, sign=True)} to be read as {found.turn.then}" in " ".join(text.split())
        await ui.press("home")
        assert ui.app.session.rank == 0


async def test_keys_pressed_while_the_ranking_is_made_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), blame_module.ranking
    monkeypatch.setattr(blame_module, "ranking", lambda *given: gate.wait(30) and right(*given))
    async with open_app(size=(120, 40)) as ui:
        await ui.pilot.press("b", "right", "down", "down", "down", "up")
        gate.set()
        await ui.settled()
        assert ui.app.session.rank == 2
        culprit = right(ui.app.moment.taken, "gradient", 3, 1)[2]
        assert f"{culprit.tensor}[{culprit.index[0]},{culprit.index[1]}]  pixel" in panel(ui)


async def test_enter_waits_for_the_ranking(open_app, monkeypatch):
    gate, right = threading.Event(), blame_module.ranking
    monkeypatch.setattr(blame_module, "ranking", lambda *given: gate.wait(30) and right(*given))
    async with open_app(size=(120, 40)) as ui:
        await ui.pilot.press("b", "right", "enter")
        assert ui.focused == "blame"
        gate.set()
        await ui.settled()
        assert ui.focused == "walk"
        assert (ui.app.moment.step.kind, ui.app.moment.step.layer) == ("weights", 1)


async def test_the_cursor_stays_within_a_short_ranking(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b", "pagedown", "pagedown", "pagedown")
        assert ui.app.session.rank == len(expected(from_preset("xor"))) - 1
        await ui.press("up")
        assert ui.app.session.rank == len(expected(from_preset("xor"))) - 2


async def test_the_case_in_the_walk(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b", "right", "enter")
        culprit = ranking(ui.app.moment.taken, "gradient", 1, 1)[0]
        assert ui.focused == "walk"
        step = ui.app.moment.step
        assert (step.kind, step.layer) == ("weights", 1)
        assert ui.app.moment.unit(1) == culprit.index[-1]


async def test_a_batch_says_which_samples_pull_which_way(open_app):
    async with open_app(replace(Session(), batch=8, sample=3), size=(120, 40)) as ui:
        await ui.press("b")
        taken = ui.app.moment.taken
        found = case_module.case(taken, ranking(taken, "gradient", 1)[0])
        rows = {
            row.split()[0]: row.split() for row in panel(ui).splitlines() if row.startswith(("up ", "down "))
        }
        up = [pull for pull in found.pulls if pull.gradient < 0]
        assert rows["up"][-1] == str(len(up))
        assert up
        assert rows["up"][1:3] == [str(3 + up[0].sample), number(up[0].gradient, sign=True)]


async def test_what_the_network_says_is_held_against_the_label(open_app):
    async with open_app() as ui:
        await ui.press("b")
        taken = ui.app.moment.taken
        said, right = int(np.argmax(taken.tensor("a4")[0])), int(taken.tensor("t")[0])
        verdict = "right" if said == right else "wrong"
        assert panel(ui).startswith(f'a "{right}", read as "{said}": {verdict}')


async def test_the_ranking_follows_training_and_undo_brings_it_back(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b")
        before = listed(panel(ui))
        await ui.press("t")
        assert ui.app.session.iteration == 1
        assert listed(panel(ui)) == expected(ui.app.session)[: len(before)] != before
        await ui.press("u")
        assert ui.app.session.iteration == 0
        assert listed(panel(ui)) == before
        await ui.press("U")
        assert ui.app.session.iteration == 1


async def test_nothing_is_ranked_while_nobody_looks(open_app, monkeypatch):
    asked = []
    monkeypatch.setattr("tui_backprop.engine.blame.ranking", lambda *given: asked.append(given) or ())
    async with open_app(size=(120, 40)) as ui:
        await ui.press("right", "t", "n")
        assert asked == []
        await ui.press("b")
        assert len(asked) == 1
        await ui.press("3", "n")
        assert len(asked) == 1


async def test_a_network_without_any_gradient_has_no_culprit(open_app):
    spec = NetworkSpec((784, 4, 10), init="zeros", bias=False)
    async with open_app(Session(spec), size=(80, 24)) as ui:
        await ui.press("b", "right")
        assert "none is to blame" in panel(ui)
        await ui.press("enter", "down", "m")
        assert ui.focused == "blame"


async def test_beside_the_walk_stands_either_the_cost_or_the_blame(open_app):
    async with open_app(size=(120, 40)) as ui:
        assert ui.shown_panels == ["network", "walk", "cost"]
        await ui.press("b")
        assert ui.shown_panels == ["network", "walk", "blame"]
        await ui.press("2", "right")
        assert ui.shown_panels == ["network", "walk", "blame"]
        await ui.press("3")
        assert ui.shown_panels == ["network", "walk", "cost"]


async def ask(ui, text):
    await ui.press("slash")
    ui.app.screen.query_one("Input").value = text
    await ui.press("enter")


async def test_any_parameter_can_be_asked_for_by_name(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "W2[13,200]")
        assert ui.focused == "number"
        await ui.press("b")
        taken = ui.app.moment.taken
        text = panel(ui)
        assert "W2[13,200]  unit 13 to unit 200" in text
        predicted = number(0.01 * float(taken.tensor("dW2")[13, 200]), sign=True)
        row = next(row for row in text.splitlines() if row.startswith("up "))
        assert row.split()[2] == predicted
        await ui.press("down")  # back to the ranking
        assert ui.app.session.asked is None
        assert "W2[13,200]  unit" not in panel(ui)


async def test_a_value_is_shown_in_the_walk_where_it_is_made(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "delta3[7]")
        assert ui.focused == "number"
        assert (ui.app.moment.step.tensor, ui.app.moment.unit(3)) == ("δ3", 7)
        value = number(float(ui.app.moment.taken.tensor("δ3")[0, 7]), 2)
        assert "δ3[7]" in ui.walk
        assert value[:4] in ui.walk
        assert panel(ui, "number").startswith("z3[7]  pre-activation of unit 7")
        await ui.press("u")
        assert ui.app.session == Session()


async def test_the_largest_of_a_layer(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "largest W2")
        assert ui.app.session.accused == 2
        assert listed(panel(ui))[0] == expected(Session(), layer=2)[0]


async def test_what_names_nothing_is_said_and_can_be_mended(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ask(ui, "W2[999,0]")
        assert "place 999 of W2 is none; they go from 0 to 255" in ui.screen
        await ui.pilot.press("backspace")
        await ui.press("escape")
        assert ui.app.screen is ui.app.screen_stack[0]
        assert ui.app.session == Session()


async def test_a_parameter_asked_for_is_forgotten_where_the_network_has_none_such(open_app):
    async with open_app(replace(from_preset("xor"), asked=("W7", (3, 3))), size=(80, 24)) as ui:
        await ui.press("b")
        assert listed(panel(ui)) == expected(from_preset("xor"))[: len(listed(panel(ui)))]
        assert "moved" in panel(ui)


async def test_the_next_sample_that_is_read_wrong_is_one_key_away(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b", "e")
        assert ui.app.session.sample > 0
        assert ": wrong" in panel(ui).splitlines()[0]
        first = ui.app.session.sample
        await ui.press("e")
        await ui.press("E")
        assert ui.app.session.sample == first


async def test_that_there_is_no_wrong_one_is_said(open_app):
    async with open_app(from_preset("sine"), size=(80, 24)) as ui:
        await ui.press("e")
        assert [note.message for note in ui.app._notifications] == ["These samples have no classes."]
        assert ui.app.session == from_preset("sine")


async def test_an_inquiry_that_fails_is_said_once_and_the_app_goes_on(open_app, monkeypatch):
    def fail(*given):
        raise MemoryError("no room for this")

    right = case_module.case
    monkeypatch.setattr(case_module, "case", fail)
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not look into this: MemoryError: no room for this"]
        monkeypatch.setattr(case_module, "case", right)
        await ui.press("down")
        assert "moved" in panel(ui)


async def test_samples_that_cannot_be_read_are_no_end_either(open_app, monkeypatch):
    def fail(*given):
        raise MemoryError("no room for this")

    monkeypatch.setattr("tui_backprop.mistakes.next_mistake", fail)
    async with open_app(size=(80, 24)) as ui:
        await ui.press("e")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not read the samples: MemoryError: no room for this"]
