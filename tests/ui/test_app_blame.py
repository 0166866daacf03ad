"""Which weights are to blame: the panel answers from the same arrays that everything else shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.engine import case as case_module
from tui_backprop.engine.blame import ranking
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.replay import Replay
from tui_backprop.session import Session, from_preset
from tui_backprop.ui.app import RANKED
from tui_backprop.ui.renderables.numbers import number
from tui_backprop.ui.widgets.blame import BlameView

NAME = r"[Wbγβ]\d+\[[\d,]+\]"


def panel(ui):
    return ui.app.query_one(BlameView).text


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
        assert listed(panel(ui)) == expected(Session(), layer=1)[:15]
        assert all(row[1][:2] in ("W1", "b1") for row in listed(panel(ui)))
        await ui.press("m")
        rows = listed(panel(ui))
        assert rows == expected(Session(), "update", 1)[: len(rows)]
        assert "α dW²" in panel(ui)
        await ui.press("m", "left", "left")
        rows = listed(panel(ui))
        assert rows == expected(Session(), "weight x gradient", 4)[: len(rows)]


async def test_the_cursor_shows_the_case_of_each(open_app):
    """Path, share, and nudges that really were run."""
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b", "right", "down", "down")
        taken = ui.app.moment.taken
        culprit = ranking(taken, "gradient", 3, 1)[2]
        found = case_module.case(taken, culprit)
        text = panel(ui)
        assert f"{culprit.tensor}[{culprit.index[0]},{culprit.index[1]}]  pixel" in text
        for hop in found.path:
            assert hop.why == "1" or hop.why in text
        for nudge in found.nudges:
            row = next(row for row in text.splitlines() if row.startswith(f"{nudge.why:<7}"))
            assert row.split()[-3:] == [number(v, sign=True) for v in (nudge.by, nudge.predicted, nudge.came)]
        along = number(found.along, sign=True)
        assert any(row.startswith("= of") and row.endswith(along) for row in text.splitlines())
        await ui.press("home")
        assert ui.app.session.rank == 0


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
