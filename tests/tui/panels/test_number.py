"""The number panel: any number of the pass, its gradient, and the way from one to the next by keys."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number
from tui_backprop.tui.panels import number as number_panel


def panel(ui, name="number"):
    return ui.app.query_one(f"#{name}-view").text


def figure(ui, label):
    """The number behind a label of the panel."""
    return next(row.split()[1] for row in panel(ui).splitlines() if row.startswith(label + " "))


def there(iteration, tensor, index, gradient=False):
    """An entry of the pass, of the first sample."""
    name = "z" + tensor[1:] if tensor == f"a{iteration.spec.depth}" else tensor
    if gradient:
        name = "δ" + name[1:] if name[0] == "z" else "d" + name
    array = iteration.tensor(name)
    return float(array[index] if tensor[0] in "Wbγβ" else array[(0, *index)])


def agrees(ui):
    """Whether the panel shows the numbers of the pass."""
    iteration, (tensor, index) = ui.app.snapshot.iteration, ui.app.snapshot.number
    assert panel(ui).startswith(f"{tensor}[{','.join(map(str, index))}]  ")
    assert figure(ui, "value") == format_number(there(iteration, tensor, index), 6, sign=True)
    if tensor[0] in "xm":  # the input, and masks of dropout
        assert "none: it is a constant" in panel(ui)
    else:
        assert figure(ui, "gradient") == format_number(
            there(iteration, tensor, index, gradient=True), 6, sign=True
        )
    if tensor[0] in "Wbγβ":
        assert figure(ui, "after") == format_number(float(iteration.new[tensor][index]), 6, sign=True)
    return True


RICH = Session(NetworkSpec((784, 12, 12, 10), layer_norm=True, residual=True, dropout=0.3, l2=0.01), batch=3)


@pytest.mark.parametrize("key", ["i", "5"])
async def test_a_key_gives_the_number_of_the_step_and_it_follows_the_walk(open_app, key):
    async with open_app(from_preset("xor")) as ui:
        await ui.press(key)
        assert ui.focused == "number"
        assert ui.shown_panels == ["network", "walk", "number"]
        for _ in ui.app.snapshot.steps:
            assert agrees(ui)
            await ui.press("2", "right")


@pytest.mark.parametrize(
    "session", [Session(), from_preset("xor"), RICH], ids=["lesson", "xor", "layer norm and all"]
)
async def test_brackets_go_through_every_tensor_and_round(open_app, session):
    async with open_app(session) as ui:
        await ui.press("i", "]")
        seen = []
        while ui.app.snapshot.number[0] not in seen:
            assert agrees(ui)
            seen.append(ui.app.snapshot.number[0])
            await ui.press("]")
        assert {"x", "W1", "b1", "z1", "a1", "W2", "z2"} <= set(seen)
        assert ("γ1" in seen) == session.network.layer_norm
        await ui.press("[")
        assert ui.app.snapshot.number[0] == seen[-1]


async def test_arrows_go_along_rows_and_columns_and_round(open_app):
    async with open_app(having(Session(), number=("W4", (255, 0)))) as ui:
        await ui.press("i")
        for keys, index in (("down", (0, 0)), ("up", (255, 0)), ("left", (255, 9)), ("l", (255, 0))):
            await ui.press(keys)
            assert ui.app.snapshot.number == ("W4", index)
            assert agrees(ui)


async def test_in_a_vector_every_arrow_goes_along_it(open_app):
    async with open_app(having(Session(), number=("z4", (0,)))) as ui:
        await ui.press("i")
        for key, unit in (("down", 1), ("right", 2), ("up", 1), ("left", 0), ("left", 9)):
            await ui.press(key)
            assert ui.app.snapshot.number == ("z4", (unit,))


async def test_m_goes_to_the_largest_gradient_of_the_tensor_and_a_back_to_the_walks(open_app):
    async with open_app(having(Session(), number=("W2", (3, 3)))) as ui:
        await ui.press("i", "m")
        gradients = np.abs(ui.app.snapshot.iteration.tensor("dW2"))
        assert ui.app.snapshot.number[0] == "W2"
        assert gradients[ui.app.snapshot.number[1]] == gradients.max()
        await ui.press("a")
        assert ui.app.session.inspection.number is None
        assert ui.app.snapshot.number[0] == "x"


async def test_the_rank_is_among_all_gradients(open_app):
    async with open_app(having(Session(), number=("W2", (3, 3)))) as ui:
        await ui.press("i", "z")
        for key in ("m", "down", "]", "m"):
            await ui.press(key)
            if not ui.app.snapshot.iteration.tensor(f"d{ui.app.snapshot.number[0]}")[
                ui.app.snapshot.number[1]
            ]:
                assert "zero gradient" in panel(ui)
                continue
            iteration, (tensor, index) = ui.app.snapshot.iteration, ui.app.snapshot.number
            every = np.abs(np.concatenate([iteration.tensor(f"d{name}").ravel() for name in iteration.new]))
            larger = int((every > abs(iteration.tensor(f"d{tensor}")[index])).sum())
            assert f"{larger + 1:,} of 335,114 by size" in panel(ui)


async def test_each_of_these_keys_is_undone_and_done_again(open_app):
    async with open_app(having(Session(), number=("W2", (3, 3)))) as ui:
        await ui.press("i")
        states = [(ui.app.session, panel(ui))]
        for key in ("up", "[", "]", "left", "m", "w", "a"):
            await ui.press(key)
            assert ui.app.session != states[-1][0]
            states.append((ui.app.session, panel(ui)))
        for state in reversed(states[:-1]):
            await ui.press("u")
            assert (ui.app.session, panel(ui)) == state
        for state in states[1:]:
            await ui.press("U")
            assert (ui.app.session, panel(ui)) == state


async def test_a_pinned_weight_and_the_next_one_make_the_pair_of_the_curves(open_app):
    async with open_app(having(from_preset("xor"), number=("W1", (0, 1)))) as ui:
        await ui.press("i", "w", "down", "c")
        assert ui.app.session.inspection.pinned == ("W1", (0, 1))
        assert "loss: W1[1,1] across, W1[0,1] up" in panel(ui, "curves")


async def test_how_it_came_to_be_adds_up_to_the_number(open_app):
    async with open_app(having(Session(), number=("z2", (7,)))) as ui:
        await ui.press("i", "z")
        iteration = ui.app.snapshot.iteration
        by_hand = iteration.tensor("a1")[0] @ iteration.tensor("W2")[:, 7] + iteration.tensor("b2")[7]
        rows = [row.split() for row in panel(ui).splitlines()]
        assert ["=", "z2[7]", format_number(float(by_hand), sign=True)] in rows
        terms = [row for row in rows if row[:1] and row[0].startswith("a1[") and row[1] == "·"]
        assert len(terms) >= 2
        for left, _, right, a, _, w, product in terms:
            i = int(left[3:-1])
            assert right == f"W2[{i},7]"
            assert a == format_number(float(iteration.tensor("a1")[0, i]))
            assert w == format_number(float(iteration.tensor("W2")[i, 7]))
            assert product == f"{iteration.tensor('a1')[0, i] * iteration.tensor('W2')[i, 7]:+.3f}".replace(
                "-", "−"
            )
        assert [str(256 - len(terms)), "more", "terms"] in [row[:3] for row in rows]


async def test_an_input_has_no_heading_without_lines_below(open_app):
    async with open_app() as ui:
        await ui.press("i")
        assert ui.app.snapshot.number[0] == "x"
        assert "PyTorch" not in panel(ui)
        await ui.press("]")
        i, j = ui.app.snapshot.number[1]
        assert f"W1.grad[{i}, {j}] nn.Linear stores Wᵀ: weight.grad[{j},{i}]" in " ".join(panel(ui).split())


async def test_keys_pressed_while_gradients_are_counted_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), number_panel.PANEL.query
    slow = replace(right, find=lambda *given: gate.wait(30) and right.find(*given))
    monkeypatch.setattr(number_panel, "PANEL", replace(number_panel.PANEL, query=slow))
    async with open_app(having(Session(), number=("b3", (0,)))) as ui:
        await ui.pilot.press("i", "z", "down", "down", "right", "left", "right", "m", "down", "up")
        assert "counting …" in panel(ui)
        iteration, number = ui.app.snapshot.iteration, ui.app.snapshot.number
        assert number == ("b3", (int(np.abs(iteration.tensor("db3")).argmax()),))
        gate.set()
        await ui.settled()
        every = np.abs(np.concatenate([iteration.tensor(f"d{name}").ravel() for name in iteration.new]))
        own = abs(iteration.tensor("db3")[number[1]])
        assert f"{int((every > own).sum()) + 1:,} of 335,114 by size" in panel(ui)


async def test_a_network_chosen_while_it_is_counted_has_its_own_numbers(open_app, monkeypatch):
    gate, right = threading.Event(), number_panel.PANEL.query
    slow = replace(right, find=lambda *given: gate.wait(30) and right.find(*given))
    async with open_app(having(Session(), number=("W2", (200, 200)))) as ui:
        await ui.choose("preset", "xor")
        monkeypatch.setattr(number_panel, "PANEL", replace(number_panel.PANEL, query=slow))
        await ui.pilot.press("f3", "i", "f2", "enter")
        gate.set()
        await ui.settled()
        await ui.press("f3", "end", "i")
        assert ui.app.session.network == from_preset("xor").network
        assert agrees(ui)
        await ui.press("z")
        assert "of 9 by size" in panel(ui)


async def test_counting_that_fails_is_said_once_and_the_app_goes_on(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no [room]")

    right = number_panel.PANEL.query
    monkeypatch.setattr(number_panel, "PANEL", replace(number_panel.PANEL, query=replace(right, find=fail)))
    async with open_app(having(Session(), number=("W2", (3, 3)))) as ui:
        await ui.press("i", "z")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the number panel: ValueError: no [room]"]
        monkeypatch.setattr(number_panel, "PANEL", replace(number_panel.PANEL, query=right))
        await ui.press("m")
        assert agrees(ui)
        assert "of 335,114 by size" in panel(ui)


async def test_from_a_weight_to_the_unit_before_it_and_back_to_the_same_weight(open_app):
    async with open_app(having(Session(), number=("W2", (13, 200)))) as ui:
        await ui.press("i")
        for key, number in (
            ("[", ("a1", (13,))),
            ("]", ("W2", (13, 200))),
            ("]", ("b2", (200,))),
            ("[", ("W2", (13, 200))),
            ("[", ("a1", (13,))),
            ("[", ("z1", (13,))),
            ("]", ("a1", (13,))),
            ("down", ("a1", (14,))),
            ("]", ("W2", (14, 200))),
            ("]", ("b2", (200,))),
            ("]", ("z2", (200,))),
            ("]", ("a2", (200,))),
        ):
            await ui.press(key)
            assert ui.app.snapshot.number == number, key
            assert agrees(ui)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
async def test_a_gradient_of_0_is_explained_by_what_shut_the_unit(open_app, size):
    async with open_app(having(Session(), number=("W2", (13, 200))), size=size) as ui:
        await ui.press("i")
        iteration = ui.app.snapshot.iteration
        z = float(iteration.tensor("z1")[0, 13])
        assert (float(iteration.tensor("dW2")[13, 200]), float(iteration.tensor("a1")[0, 13])) == (0, 0)
        assert z < 0
        text = " ".join(panel(ui).split())
        why = f"a1[13] is 0, because z1[13] = {format_number(z)} < 0: relu is inactive"
        assert f"zero gradient: {why}" in text
        assert "by size" not in text
        assert "unchanged by the update" in text
        await ui.press("[", "[")  # to z1[13], whose own derivative is shut the same way
        text = " ".join(panel(ui).split())
        assert f"δ1[13] is 0, because z1[13] = {format_number(z)} < 0: relu is inactive" in text


async def test_in_a_batch_it_is_said_in_which_samples(open_app):
    async with open_app(having(Session(), number=("W1", (0, 239)), batch=8)) as ui:
        await ui.press("i")
        assert "x[0] is 0 in all 8 samples" in " ".join(panel(ui).split())


async def test_how_far_the_update_moves_a_parameter_is_no_change_of_the_loss(open_app):
    async with open_app(having(Session(), number=("b4", (2,)))) as ui:
        await ui.press("i")
        iteration = ui.app.snapshot.iteration
        by = float(iteration.new["b4"][2]) - float(iteration.tensor("b4")[2])
        assert f"the update moves it {format_number(by, sign=True)}" in panel(ui)


@pytest.mark.parametrize("name", ["delta1", "a1"])
async def test_the_largest_of_a_value_is_found_by_name(open_app, name):
    async with open_app() as ui:
        await ui.press("slash", *f"largest {name}", "enter")
        iteration, tensor = ui.app.snapshot.iteration, {"delta1": "δ1"}.get(name, name)
        unit = int(np.abs(iteration.tensor(tensor)[0]).argmax())
        assert ui.app.session.inspection.number == ({"δ1": "z1"}.get(tensor, tensor), (unit,))
        assert ui.app.snapshot.step.tensor == tensor
