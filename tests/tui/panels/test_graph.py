"""The computation graph: the operations of the network, with the walk's cursor among them."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tui_backprop.cost.accounting import operation_times
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number
from tui_backprop.tui.panels import operation_times as query_times

RICH = Session(NetworkSpec((784, 12, 12, 10), layer_norm=True, residual=True, dropout=0.3, l2=0.01), batch=3)


@pytest.fixture
def untimed(monkeypatch):
    """No times, which are as good as any other number."""
    monkeypatch.setattr(operation_times, "time_operations", lambda *given: None)
    monkeypatch.setattr(query_times, "_latest", {})


def panel(ui):
    return ui.app.query_one("#graph-view").text


def row(ui, makes):
    """The line of the operation that makes a value, in the wide table."""
    return next(text.split() for text in panel(ui).splitlines() if f" → {makes} " in f"{text} ")


def cursors(ui):
    """What the operations at the cursor make, in the wide table."""
    rows = [text.split() for text in panel(ui).splitlines() if text.startswith(("▾", "▴"))]
    return [words[words.index("→") + 1] for words in rows]


def norm(iteration, name):
    return format_number(float(np.linalg.norm(np.asarray(iteration.tensor(name), float))))


@pytest.mark.parametrize("key", ["o", "6"])
async def test_a_key_shows_every_operation_in_order(open_app, key):
    async with open_app(from_preset("vanishing"), size=(120, 60)) as ui:
        await ui.press(key, "z")
        assert ui.focused == "graph"
        lines = iter(panel(ui).splitlines())
        for op in ui.app.session.network.graph.ops:
            name = op.primitive.brief
            assert any(name in text and f" → {op.output} " in text for text in lines), op.output


@pytest.mark.parametrize("session", [from_preset("xor"), RICH], ids=["xor", "layer norm and all"])
async def test_sizes_are_those_of_the_arrays_once_the_walk_has_come_there(open_app, untimed, session):
    async with open_app(session, size=(160, 60)) as ui:
        await ui.press("o", "z")
        assert all("○" in row(ui, op.output)[0] for op in session.network.graph.ops)
        await ui.press("end")
        iteration = ui.app.snapshot.iteration
        for k in range(1, session.network.depth + 1):
            words = row(ui, f"z{k}")
            assert words[0] == "◆"
            assert norm(iteration, f"z{k}") in words
            assert words[words.index(f"δ{k}") + 1] == norm(iteration, f"δ{k}")
            assert f"dW{k} {norm(iteration, f'dW{k}')}" in " ".join(row(ui, f"u{k}"))


async def test_a_norm_is_shown_only_after_its_operation(open_app, untimed):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("o", "z", "right", "right")
        assert row(ui, "a1")[0] == "▾●"
        assert row(ui, "u2")[0] == "○"
        iteration = ui.app.snapshot.iteration
        assert norm(iteration, "a1") in row(ui, "a1")
        assert norm(iteration, "z2") not in row(ui, "z2")
        assert not any(word.startswith("δ") for op in iteration.spec.graph.ops for word in row(ui, op.output))


async def test_down_is_on_in_the_forward_pass_and_up_is_on_in_the_backward_pass(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("o", "z")
        phases = [step.phase for step in ui.app.snapshot.steps]
        for at in range(1, len(phases)):
            await ui.press("up" if phases[at - 1] == "backward" else "down")
            assert ui.step == at
        await ui.press("home")
        assert ui.step == 0
        await ui.press("end", "left", "h")
        assert ui.step == len(phases) - 3
        await ui.press("l", "right", "right")
        assert (ui.app.session.t, ui.step) == (1, 0)
        await ui.press("u")
        assert (ui.app.session.t, ui.step) == (0, len(phases) - 1)


async def test_the_cursor_is_at_the_operation_of_the_step(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("2", "g", "o", "z")
        assert ui.app.session.walk.grain == "operation"
        seen = []
        for step in ui.app.snapshot.steps:
            if step.phase == "forward" and step.kind != "input":
                assert cursors(ui) == [step.tensor]
                seen.append(step.tensor)
            if step.phase == "backward":
                assert cursors(ui)
            await ui.press("right")
        assert seen == [op.output for op in ui.app.snapshot.iteration.spec.graph.ops if op.output != "L"]


async def test_operations_are_timed_once_for_a_network(open_app, monkeypatch):
    asked, right = [], operation_times.time_operations
    monkeypatch.setattr(
        operation_times, "time_operations", lambda *given: asked.append(given) or right(given[0], 0.01)
    )
    monkeypatch.setattr(query_times, "_latest", {})
    async with open_app(from_preset("xor")) as ui:
        assert not asked
        await ui.press("o", "z", "right", "right", "t", "n", "end", "home", "2", "3", "6")
        assert len(asked) == 1
        assert "measured: forward" in panel(ui)
        await ui.choose("preset", "sine")
        await ui.press("enter", "f3", "o")
        assert len(asked) == 2
        assert "medians of" in panel(ui)


async def test_keys_pressed_while_operations_are_timed_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), operation_times.time_operations
    monkeypatch.setattr(
        operation_times, "time_operations", lambda *given: gate.wait(30) and right(given[0], 0.01)
    )
    monkeypatch.setattr(query_times, "_latest", {})
    async with open_app(from_preset("xor")) as ui:
        await ui.pilot.press("o", "z", "down", "down", "down", "up", "down")
        assert ui.step == 3
        assert "measured" not in panel(ui)
        assert cursors(ui) == ["u2", "z2"]
        gate.set()
        await ui.settled()
        assert cursors(ui) == ["u2", "z2"]
        assert "measured: forward" in panel(ui)


async def test_a_network_chosen_while_the_one_before_is_timed_gets_times_of_its_own(open_app, monkeypatch):
    asked, gate, right = [], threading.Event(), operation_times.time_operations

    def slow(iteration, seconds):
        asked.append(iteration.spec)
        assert gate.wait(30)
        return right(iteration, 0.01)

    async with open_app(from_preset("xor")) as ui:
        await ui.choose("preset", "sine")
        monkeypatch.setattr(operation_times, "time_operations", slow)
        monkeypatch.setattr(query_times, "_latest", {})
        await ui.pilot.press("f3", "o")
        await ui.until(lambda: bool(asked), "the first network to be timed")
        await ui.pilot.press("f2", "enter")
        await ui.until(lambda: ui.app.session.network == from_preset("sine").network)
        gate.set()
        await ui.settled()
        assert asked == [from_preset("xor").network, from_preset("sine").network]
        await ui.press("f3", "o", "z")
        assert "z3" in panel(ui)
        assert "measured: forward" in panel(ui)
        assert len(asked) == 2


async def test_timing_that_fails_is_said_once_and_the_graph_stays(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    monkeypatch.setattr(operation_times, "time_operations", fail)
    monkeypatch.setattr(query_times, "_latest", {})
    async with open_app(from_preset("xor")) as ui:
        await ui.press("o", "z", "right", "right")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the graph panel: ValueError: no room"]
        assert cursors(ui) == ["a1"]


async def test_large_networks_are_folded_around_the_cursor(open_app):
    async with open_app(from_preset("vanishing"), size=(80, 24)) as ui:
        await ui.press("o")
        for _ in ui.app.snapshot.steps:
            current = [text for text in panel(ui).splitlines() if text.startswith(("▾", "▴"))]
            assert current or ui.app.snapshot.step.phase == "update"
            await ui.press("right")
