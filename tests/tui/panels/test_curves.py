"""The curves: a unit's activation function, and the loss along one weight or over two, really run."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.analysis import loss_slices as slices
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number

XOR = having(from_preset("xor"), number=("W1", (0, 1)))


def panel(ui):
    return ui.app.query_one("#curves-view").text


def row(ui, label):
    """The numbers of a point of the slice: the weights, how the loss changes, the loss."""
    text = next(text[text.index(label) :] for text in panel(ui).splitlines() if f" {label} " in text)
    return text.split()[1:]


def loss(iteration, **moved):
    """The mean binary cross-entropy of the network of xor, worked out anew, with entries moved: W1=((0, 1), 0.5)."""
    W = {name: iteration.tensor(name).astype(float).copy() for name in ("W1", "b1", "W2", "b2")}
    for name, (index, value) in moved.items():
        W[name][index] = value
    z = np.tanh(iteration.tensor("x") @ W["W1"] + W["b1"]) @ W["W2"] + W["b2"]
    return float(np.mean(np.logaddexp(0, z) - iteration.tensor("t").reshape(z.shape) * z))


@pytest.mark.parametrize("key", ["c", "8"])
async def test_the_activation_of_the_unit_of_the_step(open_app, key):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("right", key)
        assert ui.focused == "curves"
        iteration = ui.app.snapshot.iteration
        for unit in (ui.app.snapshot.unit(1), 1 - ui.app.snapshot.unit(1)):
            z = float(iteration.tensor("z1")[0, unit])
            assert f"tanh, layer 1, unit {unit}" in panel(ui)
            assert f"z1[{unit}] {format_number(z)}" in panel(ui)
            assert f"f(z) {format_number(float(np.tanh(z)))}" in panel(ui)
            assert f"f'(z) {format_number(float(1 - np.tanh(z) ** 2))}" in panel(ui)
            await ui.press("down")
        await ui.press("up")
        assert f"unit {1 - ui.app.snapshot.unit(1)}" not in panel(ui).splitlines()[0]


async def test_the_loss_along_a_weight_is_that_of_the_network_run_anew(open_app):
    async with open_app(XOR) as ui:
        await ui.press("c", "z")
        iteration = ui.app.snapshot.iteration
        here, new = float(iteration.tensor("W1")[0, 1]), float(iteration.new["W1"][0, 1])
        now, came = loss(iteration), loss(iteration, W1=((0, 1), new))
        gradient = float(iteration.tensor("dW1")[0, 1])
        assert now == pytest.approx(iteration.loss, rel=1e-12)
        assert "loss along W1[0,1]" in panel(ui)
        assert f"gradient {format_number(gradient, sign=True)}" in panel(ui)
        assert row(ui, "now") == [format_number(here, sign=True), "0", format_number(now, 4)]
        assert row(ui, "updated")[1:] == [format_number(came - now, sign=True), format_number(came, 4)]
        assert row(ui, "1st-order")[1] == format_number(gradient * (new - here), sign=True)


async def test_the_lowest_point_is_as_low_as_it_says(open_app):
    async with open_app(XOR) as ui:
        await ui.press("c", "z")
        iteration, found = ui.app.snapshot.iteration, ui.app.queries.results["curves"].found
        losses = [loss(iteration, W1=((0, 1), value)) for value in found.values[0]]
        np.testing.assert_allclose(found.losses, losses, rtol=1e-12)
        assert row(ui, "lowest")[2] == format_number(min(losses), 4)


async def test_w_goes_over_two_weights_and_back_and_u_undoes_it(open_app):
    async with open_app(XOR) as ui:
        await ui.press("c", "z")
        one = panel(ui)
        await ui.press("w")
        assert ui.app.session.inspection.pair
        (first, _), (second, index) = ui.app.snapshot.weights
        assert (first, second) == ("W1", "W1")
        assert f"loss: W1[0,1] across, W1[{index[0]},{index[1]}] up" in panel(ui)
        iteration, found = ui.app.snapshot.iteration, ui.app.queries.results["curves"].found
        step = iteration.new["W1"]
        values = iteration.tensor("W1").copy()
        values[0, 1], values[index] = step[0, 1], step[index]
        z = np.tanh(iteration.tensor("x") @ values + iteration.tensor("b1")) @ iteration.tensor(
            "W2"
        ) + iteration.tensor("b2")
        t = iteration.tensor("t").reshape(z.shape)
        assert found.actual_change == pytest.approx(
            float(np.mean(np.logaddexp(0, z) - t * z)) - loss(iteration), abs=1e-12
        )
        await ui.press("u")
        assert panel(ui) == one
        await ui.press("w", "w")
        assert panel(ui) == one


async def test_arrows_step_and_the_function_follows_the_layer(open_app):
    async with open_app() as ui:
        await ui.press("c")
        for _ in ui.app.snapshot.steps:
            layer = ui.app.snapshot.step.block or 1
            assert f", layer {layer}, unit {ui.app.snapshot.unit(layer)}" in panel(ui).splitlines()[0]
            await ui.press("right")
        await ui.press("left", "h", "l")
        assert ui.step == len(ui.app.snapshot.steps) - 1


async def test_points_are_run_again_after_an_update_but_not_for_every_step(open_app, monkeypatch):
    asked, right = [], slices.slice_along
    monkeypatch.setattr(slices, "slice_along", lambda *given: asked.append(given) or right(*given))
    async with open_app(XOR) as ui:
        await ui.press("c", "z", "right", "right", "left")
        assert len(asked) == 1
        await ui.press("t")
        assert len(asked) == 2
        assert row(ui, "now")[-1] == format_number(loss(ui.app.snapshot.iteration), 4)


async def test_keys_pressed_while_the_first_points_are_run_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), slices.slice_along

    def slow(*given):
        assert gate.wait(30)
        yield from right(*given)

    monkeypatch.setattr(slices, "slice_along", slow)
    async with open_app(from_preset("xor")) as ui:
        await ui.pilot.press("c", "z", "right", "down", "right", "w", "right", "right")
        assert "evaluating the loss with this weight moved" in panel(ui)
        gate.set()
        await ui.settled()
        assert (ui.step, ui.app.session.inspection.pair) == (4, True)
        assert ui.app.queries.results["curves"].found.weights == ui.app.snapshot.weights
        names = [f"{name}[{','.join(map(str, index))}]" for name, index in ui.app.snapshot.weights]
        assert f"loss: {names[0]} across, {names[1]} up" in panel(ui)


async def test_points_that_nobody_waits_for_any_more_are_not_run(open_app, monkeypatch):
    """Another weight is asked for: the slice that was begun is dropped where it stands."""
    begun, run, gate, right = [], [], threading.Event(), slices.slice_along

    def counted(iteration, weights):
        begun.append(weights)
        for part in right(iteration, weights):
            run.append(weights)
            yield part
            assert gate.wait(30)

    monkeypatch.setattr("tui_backprop.tui.app.background_queries.OFTEN", 0.0)
    monkeypatch.setattr(slices, "slice_along", counted)
    async with open_app(XOR) as ui:
        await ui.pilot.press("c")
        await ui.until(lambda: bool(run), "the first part")
        await ui.pilot.press("i", "down", "c")
        gate.set()
        await ui.settled()
        assert begun[-1] == ui.app.snapshot.weights == (("W1", (1, 1)),)
        assert run.count((("W1", (0, 1)),)) < slices.MOST_POINTS[1]
        assert run.count(begun[-1]) == slices.MOST_POINTS[1] + 1


async def test_a_network_chosen_while_points_are_run_gets_its_own(open_app, monkeypatch):
    gate, right = threading.Event(), slices.slice_along

    def slow(*given):
        assert gate.wait(30)
        yield from right(*given)

    async with open_app(having(Session(), number=("W2", (200, 200)))) as ui:
        await ui.choose("preset", "xor")
        monkeypatch.setattr(slices, "slice_along", slow)
        await ui.pilot.press("f3", "c", "f2", "enter")
        gate.set()
        await ui.settled()
        await ui.press("f3", "c", "z")
        assert row(ui, "now")[-1] == format_number(loss(ui.app.snapshot.iteration), 4)


async def test_points_that_cannot_be_run_are_said_once_and_the_function_stays(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    right = slices.slice_along
    monkeypatch.setattr(slices, "slice_along", fail)
    async with open_app(XOR) as ui:
        await ui.press("c", "z", "right", "right")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the curves panel: ValueError: no room"]
        assert "tanh, layer 1" in panel(ui)
        monkeypatch.setattr(slices, "slice_along", right)
        await ui.press("t")
        assert row(ui, "now")[-1] == format_number(loss(ui.app.snapshot.iteration), 4)


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 18)])
async def test_the_only_weight_of_a_network_has_no_pair(open_app, columns, rows):
    one = Session(NetworkSpec((1, 1), loss="mse", bias=False), "sine")
    async with open_app(one, size=(columns, rows)) as ui:
        await ui.press("c", "w")
        assert ui.app.snapshot.weights == (("W1", (0, 0)),)
        assert "loss along W1[0,0]" in panel(ui)


async def test_the_title_names_both_weights(open_app):
    async with open_app(having(Session(), number=("W2", (200, 200))), size=(120, 40)) as ui:
        await ui.press("c", "w")
        names = [f"{name}[{','.join(map(str, index))}]" for name, index in ui.app.snapshot.weights]
        assert f"loss: {names[0]} across, {names[1]} up" in " ".join(panel(ui).split())


async def test_the_left_half_is_of_the_unit_that_the_weight_leads_to(open_app):
    async with open_app(having(Session(), number=("W2", (13, 200)), units=(0, 5, 7))) as ui:
        await ui.press("c")
        assert panel(ui).startswith("relu, layer 2, unit 200")
        await ui.press("right", "right")
        assert panel(ui).startswith("relu, layer 2, unit 200")


async def test_where_the_slice_ends_in_its_lowest_point_it_says_so(open_app):
    for asked, falls in ((("W1", (267, 239)), True), (("W1", (0, 0)), False)):
        async with open_app(having(Session(), number=asked)) as ui:
            await ui.press("c")
            found, text = ui.app.queries.results["curves"].found, " ".join(panel(ui).split())
            at_end = found.lowest[0][0] in (found.values[0][0], found.values[0][-1])
            assert (at_end and found.lowest[1] < found.base) is falls
            assert ("lowest at the edge, still falling" in text) is falls
            assert ("at edge" in text) is falls
