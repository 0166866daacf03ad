"""The gradient flow: its figures are those of the pass, and it says what is wrong by which rule."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.analysis import gradient_flow as flow_module
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_update
from tui_backprop.support.format import format_number


def panel(ui):
    return ui.app.query_one("#flow-view").text


def layers(ui):
    """The lines of the wide chart, by layer: words without bars, marks and flags."""
    found = {}
    for text in panel(ui).splitlines():
        words = [word.rstrip("!") for word in text.replace("▸", "").split() if set(word) - set("━=")]
        if len(words) > 2 and words[0].isdigit():
            found[int(words[0])] = words[1:]
    return found


def rms(values):
    return format_number(float(np.sqrt(np.mean(np.square(values.astype(float))))))


def size(values):
    return format_number(float(np.linalg.norm(values.astype(float))))


@pytest.mark.parametrize("key", ["f", "7"])
@pytest.mark.parametrize("session", [Session(), from_preset("vanishing")], ids=["lesson", "vanishing"])
async def test_every_layer_has_the_figures_of_the_iteration(open_app, key, session):
    async with open_app(session) as ui:
        await ui.press(key, "z")
        assert ui.focused == "flow"
        iteration, shown = ui.app.snapshot.iteration, layers(ui)
        assert list(shown) == list(range(1, session.network.depth + 1))
        for k, words in shown.items():
            moved = iteration.new[f"W{k}"] - iteration.tensor(f"W{k}")
            ratio = np.linalg.norm(moved.astype(float)) / np.linalg.norm(
                iteration.tensor(f"W{k}").astype(float)
            )
            assert words[:2] == [rms(iteration.tensor(f"δ{k}")), size(iteration.tensor(f"dW{k}"))]
            assert float(words[2].replace("−", "-")) == pytest.approx(ratio, rel=0.01)


async def test_saturated_outputs_are_counted_over_the_data_set(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("f", "z")
        from tui_backprop.data.samples import load

        iteration, data = ui.app.snapshot.iteration, load("xor", ui.app.session.network.seed)
        a = np.tanh(data.x @ iteration.tensor("W1") + iteration.tensor("b1"))
        assert layers(ui)[1][3:] == ["sat.", f"{np.mean(np.abs(a) > 0.97):.0%}"]
        assert f"judged on all {len(data.x)} samples" in panel(ui)


async def test_the_layer_of_the_step_is_marked_and_arrows_step(open_app):
    async with open_app(from_preset("vanishing")) as ui:
        await ui.press("f", "z")
        for at, step in enumerate(ui.app.snapshot.steps):
            assert ui.step == at
            marked = [text for text in panel(ui).splitlines() if text.startswith("▸")]
            assert [int(text.split()[1]) for text in marked] == [step.block] * (step.block > 0)
            await ui.press("right")
        await ui.press("left", "h")
        assert ui.step == len(ui.app.snapshot.steps) - 2
        await ui.press("u")
        assert ui.step == len(ui.app.snapshot.steps) - 1


async def test_a_vanishing_gradient_is_named(open_app):
    async with open_app(from_preset("vanishing")) as ui:
        await ui.press("f")
        assert "! vanishing" in panel(ui)
        assert "try: 3 hidden layers" in panel(ui)
        assert "judged on all 400 samples" in " ".join(panel(ui).split())
    async with open_app() as ui:
        await ui.press("f")
        text = " ".join(panel(ui).split())
        assert "no rule broken: neither vanishing nor exploding" in text


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 18)])
async def test_a_network_that_diverged_is_named_not_finite(open_app, columns, rows):
    session = after_update(after_update(Session(NetworkSpec((784, 16, 10)), lr=1e30)))
    async with open_app(session, size=(columns, rows)) as ui:
        await ui.press("f")
        assert "! not finite" in panel(ui)


async def test_a_report_is_computed_once_for_an_iteration_and_again_after_an_update(open_app, monkeypatch):
    asked, right = [], flow_module.flow
    monkeypatch.setattr(flow_module, "flow", lambda *given: asked.append(given) or right(*given))
    async with open_app(from_preset("xor")) as ui:
        await ui.press("f", "z", "right", "right", "left")
        assert len(asked) == 1
        before = panel(ui)
        await ui.press("t")
        assert len(asked) == 2
        assert panel(ui) != before
        assert layers(ui)[1][0] == rms(ui.app.snapshot.iteration.tensor("δ1"))
        await ui.press("u")
        assert panel(ui) == before


async def test_figures_of_another_iteration_are_never_shown(open_app, monkeypatch):
    """While the figures of the new iteration are computed, those of the old one are not shown."""
    gate, right = threading.Event(), flow_module.flow
    async with open_app(from_preset("xor")) as ui:
        await ui.press("f", "z")
        monkeypatch.setattr(flow_module, "flow", lambda *given: gate.wait(30) and right(*given))
        await ui.pilot.press("t", "t", "right", "t", "left")
        await ui.until(lambda: ui.app.snapshot.session.t == 3)
        assert "computing the gradient" in panel(ui)
        gate.set()
        await ui.settled()
        assert (ui.app.session.t, ui.step) == (3, 0)
        assert layers(ui)[2][0] == rms(ui.app.snapshot.iteration.tensor("δ2"))


async def test_a_network_chosen_during_the_computation_gets_its_own_figures(open_app, monkeypatch):
    gate, right = threading.Event(), flow_module.flow
    async with open_app() as ui:
        await ui.choose("preset", "xor")
        monkeypatch.setattr(flow_module, "flow", lambda *given: gate.wait(30) and right(*given))
        await ui.pilot.press("f3", "f", "f2", "enter")
        gate.set()
        await ui.settled()
        await ui.press("f3", "f", "z")
        assert list(layers(ui)) == [1, 2]
        assert layers(ui)[2][0] == rms(ui.app.snapshot.iteration.tensor("δ2"))


async def test_a_report_that_fails_is_notified_once_and_the_app_goes_on(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    right = flow_module.flow
    monkeypatch.setattr(flow_module, "flow", fail)
    async with open_app(having(from_preset("xor"), step=2)) as ui:
        await ui.press("f", "z", "right")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the flow panel: ValueError: no room"]
        assert ui.step == 3
        assert "computing" not in panel(ui)
        monkeypatch.setattr(flow_module, "flow", right)
        await ui.press("t")
        assert layers(ui)[1][0] == rms(ui.app.snapshot.iteration.tensor("δ1"))
