"""Which weights are to blame: the panel answers from the same arrays that everything else shows."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.analysis import parameter_detail as case_module
from tui_backprop.engine.analysis import ranking as blame_module
from tui_backprop.engine.analysis.ranking import Ranked, ranking
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number
from tui_backprop.tui.app.ranking import RANKED

NAME = r"[Wbγβ]\d+\[[\d,]+\]"


def panel(ui, name="blame"):
    return ui.app.query_one(f"#{name}-view").text


def listed(text):
    """(rank, name, and the two numbers beside it) of each line of the ranking."""
    rows = [row.split()[:4] for row in text.splitlines()]
    return [row for row in rows if len(row) == 4 and row[0].isdigit() and "[" in row[1]]


def shown(attribution, measure):
    """What stands beside a name in the ranking: the last is what is ranked by."""
    value, gradient = (
        format_number(attribution.value, sign=True),
        format_number(attribution.gradient, sign=True),
    )
    return {
        "gradient": [value, gradient],
        "update": [gradient, format_number(attribution.score)],
        "weight x gradient": [value, format_number(attribution.value * attribution.gradient, sign=True)],
    }[measure]


def expected(session, measure="gradient", layer=None):
    iteration = Replay().take(session)
    return [
        [str(i), f"{c.tensor}[{','.join(map(str, c.index))}]", *shown(c, measure)]
        for i, c in enumerate(ranking(iteration, measure, RANKED, layer), 1)
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
        assert "the first 66 share the δ of unit 239" in " ".join(panel(ui).split())
        assert all(row[1][:2] in ("W1", "b1") for row in listed(panel(ui)))
        await ui.press("m")
        rows = listed(panel(ui))
        assert rows == expected(Session(), "update", 1)[: len(rows)]
        assert "α dW²" in panel(ui)
        assert "plain sgd: same rank as gradient" in panel(ui)
        await ui.press("m", "left", "left")
        assert "same order" not in panel(ui)
        rows = listed(panel(ui))
        assert rows == expected(Session(), "weight x gradient", 4)[: len(rows)]


async def test_the_cursor_shows_the_case_of_each(open_app):
    """Path, share, nudges that really were run, and what it would take to change the answer."""
    async with open_app(size=(120, 60)) as ui:
        await ui.press("b", "right", "down", "down")
        iteration = ui.app.snapshot.iteration
        attribution = ranking(iteration, "gradient", 3, 1)[2]
        found = case_module.parameter_detail(iteration, attribution, int(iteration.tensor("t")[0]))
        text = panel(ui)
        assert f"{attribution.tensor}[{attribution.index[0]},{attribution.index[1]}]  pixel" in text
        for hop in found.path:
            assert hop.formula == "1" or hop.formula in text
        for nudge in found.nudges:
            row = next(row for row in text.splitlines() if row.startswith(f"{nudge.name:<7}"))
            cells = row.removeprefix(nudge.name).split()
            assert cells[:3] == [
                format_number(v, sign=True) for v in (nudge.by, nudge.predicted_change, nudge.actual_change)
            ]
        along, pull = (format_number(v, sign=True) for v in (found.path_product, attribution.gradient))
        share = f"{found.path_product / attribution.gradient:.1%}"
        assert f"= {along}, {share} of the sum {pull}" in " ".join(text.split())
        assert "largest of 655,360 paths" in text
        assert f"now {format_number(found.base_loss, 4)}" in text
        assert found.flips.best is not None
        by, predicted = found.flips.best.by, found.flips.best.predicted_class
        assert f"{format_number(by, 4, sign=True)} flips it to {predicted}" in " ".join(text.split())
        await ui.press("home")
        assert ui.app.session.inspection.rank == 0


async def test_keys_pressed_while_the_ranking_is_made_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), blame_module.ranking
    monkeypatch.setattr(blame_module, "ranking", lambda *given: gate.wait(30) and right(*given))
    async with open_app(size=(120, 40)) as ui:
        await ui.pilot.press("b", "right", "down", "down", "down", "up")
        gate.set()
        await ui.settled()
        assert ui.app.session.inspection.rank == 2
        attribution = right(ui.app.snapshot.iteration, "gradient", 3, 1)[2]
        assert f"{attribution.tensor}[{attribution.index[0]},{attribution.index[1]}]  pixel" in panel(ui)


async def test_enter_waits_for_the_ranking(open_app, monkeypatch):
    gate, right = threading.Event(), blame_module.ranking
    monkeypatch.setattr(blame_module, "ranking", lambda *given: gate.wait(30) and right(*given))
    async with open_app(size=(120, 40)) as ui:
        await ui.pilot.press("b", "right", "enter")
        assert ui.focused == "blame"
        gate.set()
        await ui.settled()
        assert ui.focused == "walk"
        assert (ui.app.snapshot.step.kind, ui.app.snapshot.step.block) == ("weights", 1)


async def test_the_cursor_stays_within_a_short_ranking(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b", "pagedown", "pagedown", "pagedown")
        assert ui.app.session.inspection.rank == len(expected(from_preset("xor"))) - 1
        await ui.press("up")
        assert ui.app.session.inspection.rank == len(expected(from_preset("xor"))) - 2


async def test_the_case_in_the_walk(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b", "right", "enter")
        attribution = ranking(ui.app.snapshot.iteration, "gradient", 1, 1)[0]
        assert ui.focused == "walk"
        step = ui.app.snapshot.step
        assert (step.kind, step.block) == ("weights", 1)
        assert ui.app.snapshot.unit(1) == attribution.index[-1]


async def test_a_batch_says_which_samples_pull_which_way(open_app):
    async with open_app(replace(Session(), batch=8, sample=3), size=(120, 40)) as ui:
        await ui.press("b")
        iteration = ui.app.snapshot.iteration
        found = case_module.parameter_detail(iteration, ranking(iteration, "gradient", 1)[0])
        rows = {
            row.split()[0]: row.split() for row in panel(ui).splitlines() if row.startswith(("up ", "down "))
        }
        up = [pull for pull in found.sample_gradients if pull.gradient < 0]
        assert rows["up"][-1] == str(len(up))
        assert up
        assert rows["up"][1:3] == [str(3 + up[0].sample), format_number(up[0].gradient, sign=True)]


async def test_what_the_network_says_is_held_against_the_label(open_app):
    async with open_app() as ui:
        await ui.press("b")
        iteration = ui.app.snapshot.iteration
        said, right = int(np.argmax(iteration.tensor("a4")[0])), int(iteration.tensor("t")[0])
        verdict = "correct" if said == right else "wrong"
        assert panel(ui).startswith(f"label {right}, predicted {said}: {verdict}")


async def test_the_ranking_follows_training_and_undo_brings_it_back(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("b")
        before = listed(panel(ui))
        await ui.press("t")
        assert ui.app.session.t == 1
        assert listed(panel(ui)) == expected(ui.app.session)[: len(before)] != before
        await ui.press("u")
        assert ui.app.session.t == 0
        assert listed(panel(ui)) == before
        await ui.press("U")
        assert ui.app.session.t == 1


async def test_nothing_is_ranked_while_nobody_looks(open_app, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "tui_backprop.engine.analysis.ranking.ranking", lambda *given: asked.append(given) or Ranked((), 0)
    )
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
        assert "no parameter is to blame" in panel(ui)
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
        iteration = ui.app.snapshot.iteration
        text = panel(ui)
        assert "W2[13,200]  unit 13 to unit 200" in text
        predicted = format_number(0.01 * float(iteration.tensor("dW2")[13, 200]), sign=True)
        row = next(row for row in text.splitlines() if row.startswith("up "))
        assert row.split()[2] == predicted
        await ui.press("down")  # back to the ranking
        assert ui.app.session.inspection.number is None
        assert "W2[13,200]  unit" not in panel(ui)


async def test_a_value_is_shown_in_the_walk_where_it_is_made(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "delta3[7]")
        assert ui.focused == "number"
        assert (ui.app.snapshot.step.tensor, ui.app.snapshot.unit(3)) == ("δ3", 7)
        value = format_number(float(ui.app.snapshot.iteration.tensor("δ3")[0, 7]), 2)
        assert "δ3[7]" in ui.walk
        assert value[:4] in ui.walk
        assert panel(ui, "number").startswith("z3[7]  pre-activation of unit 7")
        await ui.press("u")
        assert ui.app.session == Session()


async def test_an_array_or_a_block_is_shown_in_the_walk(open_app):
    async with open_app(from_preset("microgpt"), size=(120, 40)) as ui:
        await ui.press("slash")
        assert "A1, dA1, attention 1" in " ".join(ui.screen.split())
        await ui.press("escape")
        for typed, tensor in (("A1", "A1"), ("dS1", "dS1"), ("attention", "n1"), ("C1", "C1")):
            await ask(ui, typed)
            assert (ui.focused, ui.app.snapshot.step.tensor) == ("walk", tensor)
        await ask(ui, "t")
        assert "no step of the walk computes t: it is given" in ui.keys


async def test_the_largest_of_a_layer(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "largest W2")
        assert ui.app.session.inspection.layer == 2
        assert listed(panel(ui))[0] == expected(Session(), layer=2)[0]


async def test_what_names_nothing_is_said_and_can_be_mended(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ask(ui, "W2[999,0]")
        assert "index 999 of W2 is out of range (0 to 255)" in ui.screen
        await ui.pilot.press("backspace")
        await ui.press("escape")
        assert ui.app.screen is ui.app.screen_stack[0]
        assert ui.app.session == Session()


async def test_a_parameter_asked_for_is_forgotten_where_the_network_has_none_such(open_app):
    async with open_app(having(from_preset("xor"), number=("W7", (3, 3))), size=(80, 24)) as ui:
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

    right = case_module.parameter_detail
    monkeypatch.setattr(case_module, "parameter_detail", fail)
    async with open_app(size=(120, 40)) as ui:
        await ui.press("b")
        notes = [note.message for note in ui.app._notifications]
        assert len(notes) == 1
        assert notes[0].startswith("Could not rank the parameters: memory ran out; ")
        monkeypatch.setattr(case_module, "parameter_detail", right)
        await ui.press("down")
        assert "moved" in panel(ui)


async def test_samples_that_cannot_be_read_are_no_end_either(open_app, monkeypatch):
    def fail(*given):
        raise MemoryError("no room for this")

    monkeypatch.setattr("tui_backprop.session.misclassified.next_mistake", fail)
    async with open_app(size=(80, 24)) as ui:
        await ui.press("e")
        notes = [note.message for note in ui.app._notifications]
        assert len(notes) == 1
        assert notes[0].startswith("Could not classify the samples: memory ran out; ")


# --- the parameter under the cursor is the number that every panel shows ------------------------------------


def named(attribution):
    return f"{attribution.tensor}[{','.join(map(str, attribution.index))}]"


@pytest.mark.parametrize("keys", [("m", "m"), ("down",), ("left", "down", "down"), ("down", "down", "down")])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_curves_dial_and_number_are_of_the_parameter_under_the_cursor(open_app, size, keys):
    for there, name, words in (
        (("c",), "curves", "loss along {}"),
        (("i",), "number", "{}  "),
        (("3", "v", "v", "v"), "step_size", "{}"),
    ):
        async with open_app(size=size) as ui:
            await ui.press("b", "right", *keys)
            attribution = ui.app.ranking.blame_state.chosen
            await ui.press(*there)
            assert ui.focused == name
            assert words.format(named(attribution)) in panel(ui, name)
            assert ui.app.snapshot.weights[0] == (attribution.tensor, attribution.index)
            if name == "curves":
                assert (
                    f"relu, layer 1, unit {attribution.index[-1]}" in panel(ui, name)
                    or attribution.tensor[1] != "1"
                )
            await ui.press("b")
            assert ui.app.ranking.blame_state.chosen == attribution


@pytest.mark.parametrize("grain", ["equation", "operation", "layer"])
@pytest.mark.parametrize("tensor", ["W1", "b1", "W3", "b4"])
async def test_enter_shows_the_very_parameter_in_the_walk_its_gradient_and_its_update(
    open_app, tensor, grain
):
    index = (460, 179) if tensor == "W1" else (7, 3) if tensor == "W3" else (5,)
    name = f"{tensor}[{','.join(map(str, index))}]"
    async with open_app(having(Session(), number=(tensor, index), grain=grain), size=(120, 60)) as ui:
        await ui.press("b", "enter")
        assert ui.focused == "walk"
        assert ui.app.snapshot.unit(int(tensor[1:])) == index[-1]
        gradient = float(ui.app.snapshot.iteration.tensor(f"d{tensor}")[index])
        row = next(row for row in ui.walk.splitlines() if row.startswith(f"= d{name} "))
        assert float(row.split()[2].replace("−", "-")) == pytest.approx(
            gradient, abs=0.006 * abs(gradient) + 1e-9
        )
        while ui.app.snapshot.step.kind != "update" or ui.app.snapshot.step.block != int(tensor[1:]):
            await ui.press("right")
        assert f"{name} before" in ui.walk
        await ui.press("down")  # another unit of the walk has its own
        assert f"{name} before" not in ui.walk


async def test_the_curves_unit_moves_with_the_number_and_a_goes_back_to_the_walks(open_app):
    async with open_app(having(Session(), number=("W1", (460, 179)))) as ui:
        await ui.press("c", "down")
        assert ui.app.snapshot.number == ("W1", (460, 180))
        assert "relu, layer 1, unit 180" in panel(ui, "curves")
        assert "loss along W1[460,180]" in panel(ui, "curves")
        await ui.press("up", "up")
        assert ui.app.snapshot.number == ("W1", (460, 178))
        await ui.press("a")
        assert ui.app.session.inspection.number is None
        unit = ui.app.snapshot.unit(1)
        await ui.press("down")
        assert ui.app.session.walk.unit(1) == unit + 1
        assert f"relu, layer 1, unit {unit + 1}" in panel(ui, "curves")


async def test_in_the_walk_a_goes_back_to_the_unit_that_is_most_to_blame(open_app):
    async with open_app(size=(120, 40)) as ui:
        telling = ui.app.snapshot.unit(2)
        await ask(ui, "W2[13,200]")
        assert (ui.app.snapshot.unit(1), ui.app.snapshot.unit(2)) == (13, 200)
        await ui.press("2", "a")
        assert ui.app.snapshot.unit(2) == telling
        assert ui.app.session.inspection.number is None


async def test_what_is_asked_for_is_shown_in_the_place_of_a_unit_selected_before(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("right", "down", "b", "right")
        attribution = ui.app.ranking.blame_state.chosen
        assert ui.app.session.walk.unit(1) != attribution.index[-1]
        await ui.press("c")
        assert ui.app.snapshot.unit(1) == attribution.index[-1]


async def test_the_largest_of_a_layer_is_the_number_of_the_curves(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ask(ui, "largest W2")
        first = ranking(ui.app.snapshot.iteration, "gradient", 1, 2)[0]
        await ui.press("c")
        assert f"loss along {named(first)}" in panel(ui, "curves")


async def test_the_walk_s_number_stays_where_the_ranking_is_only_passed_by(open_app):
    async with open_app(size=(120, 40)) as ui:
        for key in ("2", "o", "f", "T"):
            await ui.press("b", key)
            assert ui.app.session.inspection.number is None


async def test_a_panel_that_is_asked_for_before_the_ranking_is_there_gets_its_number_then(
    open_app, monkeypatch
):
    gate, right = threading.Event(), blame_module.ranking
    monkeypatch.setattr(blame_module, "ranking", lambda *given: gate.wait(30) and right(*given))
    async with open_app(size=(120, 40)) as ui:
        await ui.pilot.press("b", "right")
        await ui.until(lambda: ui.app.ranking.computing, "the ranking to begin")
        await ui.pilot.press("down", "c")
        gate.set()
        await ui.settled()
        attribution = right(ui.app.snapshot.iteration, "gradient", 2, 1)[1]
        assert ui.app.snapshot.number == (attribution.tensor, attribution.index)
        assert f"loss along {named(attribution)}" in panel(ui, "curves")


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_ten_weights_are_in_sight_and_a_bias_among_them_is_said(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("b", "right")
        names = [row[1] for row in listed(panel(ui))]
        assert len([name for name in names if name[0] == "W"]) >= 10
        others = sum(name[0] != "W" for name in names[:10])
        assert others == 1
        assert "1 of the first 10 is a bias" in panel(ui)


@pytest.mark.parametrize(
    ("size", "layer"), [((60, 18), "all"), ((80, 24), 1), ((120, 40), 2), ((200, 60), 3), ((116, 30), 4)]
)
async def test_no_number_in_the_panel_is_cut(open_app, size, layer):
    async with open_app(size=size) as ui:
        await ui.press("b", *["right"] * (0 if layer == "all" else layer))
        for key in ("down", "m", "pagedown", "m", "down"):
            await ui.press(key)
            text = panel(ui)
            assert "…" not in text, text
            nudged = [row for row in text.splitlines() if "by" in row.split() and "actual" in row.split()]
            assert len(nudged) == 1, text


async def test_with_another_optimizer_the_update_has_an_order_of_its_own(open_app):
    session = replace(Session(), optimizer=OptimizerSpec("adam"))
    async with open_app(session, size=(120, 40)) as ui:
        await ui.press("b", "m")
        assert "same order as gradient" not in " ".join(panel(ui).split())
        rows = listed(panel(ui))
        assert rows == expected(session, "update")[: len(rows)]


async def test_the_walk_beside_a_panel_follows_what_is_asked_for(open_app):
    async with open_app(size=(120, 40)) as ui:
        at = next(
            i for i, step in enumerate(ui.app.snapshot.steps) if (step.kind, step.block) == ("weights", 1)
        )
        await ui.press(*["right"] * at)
        for text in ("W1[460,239]", "b1[239]", "W1[267,239]", "b1[7]"):
            await ask(ui, text)
            assert f"= d{text} " in ui.walk
