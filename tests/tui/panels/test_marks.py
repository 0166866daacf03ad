"""Bookmarks: set anywhere, gone back to, and held against each other or against now."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.having import having
from tui_backprop.engine.analysis import comparison as difference_module
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.render.draw.context import ASCII
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.support.format import format_number

XOR = from_preset("xor")


def panel(ui):
    return ui.app.query_one("#bookmarks-view").text


def table(ui):
    """What is said of each tensor: how far it moved, the share, and the entry that moved most."""
    rows = [text.split() for text in panel(ui).splitlines()]
    return {
        row[0]: row[1:] for row in rows if row and row[0].lstrip("dδ")[:1] in "WbzγB1234" and len(row) > 4
    }


def moved(one, other, name):
    """The norm of the difference, and the entry that differs most."""
    before, after = (iteration.tensor(name).astype(float) for iteration in (one, other))
    at = np.unravel_index(np.abs(after - before).argmax(), before.shape)
    return float(np.linalg.norm(after - before)), at, float(before[at]), float(after[at])


def agrees(ui, one, other, names):
    before, after = Replay(0).take(one), Replay(0).take(other)
    assert f"loss  {format_number(before.loss, 4)} → {format_number(after.loss, 4)}" in panel(ui)
    for name in names:
        far, at, was, is_ = moved(before, after, name)
        row = table(ui)[name]
        assert row[0] == format_number(far)
        assert row[-3:] == [
            f"{name}[{','.join(map(str, at))}]",
            format_number(was, sign=True),
            format_number(is_, sign=True),
        ]


@pytest.mark.parametrize("key", ["d", "0"])
async def test_without_bookmarks_the_panel_says_how_to_set_one(open_app, key):
    async with open_app(XOR) as ui:
        await ui.press(key)
        assert ui.focused == "bookmarks"
        assert panel(ui).startswith("s sets a bookmark")
        await ui.press("enter", "w", "x", "up", "down")
        assert ui.app.session.bookmarks.items == ()
        assert ui.app.session.walk.step == 0


async def test_a_bookmark_against_now_after_training(open_app):
    async with open_app(XOR) as ui:
        await ui.press("right", "s", "t", "t", "d", "z")
        assert ui.app.session.bookmarks.items == (having(XOR, step=1),)
        assert "from bookmark 1 to now" in panel(ui)
        assert "iteration 0 → 2" in panel(ui)
        now = having(ui.app.session, items=())
        agrees(ui, XOR, now, ("W1", "b1", "W2", "b2", "z1", "z2", "dW1", "dW2", "δ1", "δ2"))


async def test_the_difference_follows_the_walk_of_iterations(open_app):
    async with open_app(XOR) as ui:
        await ui.press("s", "d", "z")
        assert "every number is the same" in panel(ui)
        for _ in range(3):
            await ui.press("t")
            agrees(ui, XOR, having(ui.app.session, items=()), ("W1", "W2"))
        await ui.press("u", "u", "u")
        assert "every number is the same" in panel(ui)


async def test_one_held_is_compared_with_the_others(open_app):
    async with open_app(XOR) as ui:
        await ui.press("s", "t", "s", "t", "s", "d", "z", "up", "up")
        assert ui.app.session.bookmarks.cursor == 0
        await ui.press("w", "down")
        assert (ui.app.session.bookmarks.held, ui.app.session.bookmarks.cursor) == (0, 1)
        assert "from bookmark 1 to bookmark 2" in panel(ui)  # always from the earlier one
        first, second, _ = ui.app.session.bookmarks.items
        agrees(ui, first, second, ("W1", "z2"))
        await ui.press("up", "w")
        assert ui.app.session.bookmarks.held is None
        assert "from bookmark 1 to now" in panel(ui)


async def test_enter_goes_there_and_the_bookmarks_stay(open_app):
    async with open_app(XOR) as ui:
        await ui.press("right", "right", "s", "end", "t", "n", "d")
        marks = ui.app.session.bookmarks.items
        await ui.press("enter")
        assert having(ui.app.session, items=()) == having(XOR, step=2)
        assert ui.app.session.bookmarks.items == marks
        assert "iteration 0, step 2/10" in ui.status
        assert "every number is the same" in panel(ui)


async def test_dropping_one_and_the_cursor_at_the_ends(open_app):
    async with open_app(XOR) as ui:
        await ui.press("s", "t", "s", "t", "s", "d", *["up"] * 5)
        assert ui.app.session.bookmarks.cursor == 0
        await ui.press(*["down"] * 5)
        assert ui.app.session.bookmarks.cursor == 2
        await ui.press("x")
        assert (len(ui.app.session.bookmarks.items), ui.app.session.bookmarks.cursor) == (2, 1)
        await ui.press("x", "delete")
        assert ui.app.session.bookmarks.items == ()
        assert panel(ui).startswith("s sets a bookmark")


async def test_each_of_these_keys_is_undone(open_app):
    async with open_app(XOR) as ui:
        await ui.press("d", "z")
        states = [(ui.app.session, panel(ui))]
        for key in ("s", "t", "s", "up", "w", "down", "enter", "x"):
            before = ui.app.session
            await ui.press(key)
            if ui.app.session != before:
                states.append((ui.app.session, panel(ui)))
        assert len(states) >= 7
        for state in reversed(states[:-1]):
            await ui.press("u")
            assert (ui.app.session, panel(ui)) == state


async def test_another_network_is_compared_by_what_both_have(open_app):
    async with open_app(XOR) as ui:
        await ui.press("s")
        await ui.choose("preset", "vanishing")
        await ui.press("enter", "f3", "d", "z")
        text = " ".join(panel(ui).split())
        assert "data xor → moons" in text
        assert "layers 2·2·1 → 2·3·3·3" in text
        assert "every number is the same" not in text
        assert "in only one, or of another shape: W1, b1" in text
        await ui.press("enter")
        assert ui.app.session.network == XOR.network
        assert "every number is the same" in panel(ui)


async def test_keys_pressed_while_it_is_compared_are_not_lost(open_app, monkeypatch):
    gate, right = threading.Event(), difference_module.difference
    monkeypatch.setattr(difference_module, "difference", lambda *given: gate.wait(30) and right(*given))
    async with open_app(XOR) as ui:
        await ui.pilot.press("s", "t", "d", "z", "s", "t", "up", "t")
        assert "comparing …" in panel(ui)
        gate.set()
        await ui.settled()
        assert (ui.app.session.t, ui.app.session.bookmarks.cursor) == (3, 0)
        agrees(ui, XOR, having(ui.app.session, items=()), ("W1", "W2", "δ1"))


async def test_a_network_chosen_while_it_is_compared_is_compared_itself(open_app, monkeypatch):
    gate, right = threading.Event(), difference_module.difference
    async with open_app(XOR) as ui:
        await ui.press("s")
        await ui.choose("preset", "sine")
        monkeypatch.setattr(difference_module, "difference", lambda *given: gate.wait(30) and right(*given))
        await ui.pilot.press("f3", "t", "d", "f2", "enter")
        gate.set()
        await ui.settled()
        await ui.press("f3", "d", "z")
        assert "data xor → sine" in panel(ui)
        loss = Replay(0).take(having(ui.app.session, items=())).loss
        assert f"→ {format_number(loss, 4)}" in panel(ui)


async def test_a_comparison_that_fails_is_said_once_and_the_app_goes_on(open_app, monkeypatch):
    def fail(*given):
        raise ValueError("no room")

    right = difference_module.difference
    monkeypatch.setattr(difference_module, "difference", fail)
    async with open_app(XOR) as ui:
        await ui.press("s", "d", "z", "right", "right")
        notes = [note.message for note in ui.app._notifications]
        assert notes == ["Could not compute the bookmarks panel: ValueError: no room"]
        monkeypatch.setattr(difference_module, "difference", right)
        await ui.press("t")
        agrees(ui, XOR, having(ui.app.session, items=()), ("W1",))


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 18)])
async def test_long_names_in_ascii_cut_no_number_short(open_app, columns, rows):
    """gamma for γ takes more columns; a line that then is too long would lose its last number."""
    rich = Session(NetworkSpec((784, 12, 12, 10), layer_norm=True), batch=4)
    async with open_app(rich, size=(columns, rows), context=ASCII) as ui:
        await ui.press("s", "t", "d")
        for _ in ui.app.snapshot.steps:
            assert not [text for text in panel(ui).splitlines() if text.endswith("~")]
            await ui.press("2", "right", "d")


async def test_from_where_to_where_is_shown_beside_the_walk_too(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("s", "t", "d")
        head = next(text for text in panel(ui).splitlines() if "entry" in text)
        assert head.split() == ["moved", "%", "entry", "from", "to"]
        one, other = (Replay(0).take(place) for place in (Session(), having(ui.app.session, items=())))
        far, at, was, is_ = moved(one, other, "W1")
        row = next(text for text in panel(ui).splitlines() if text.startswith("W1 "))
        share = 100 * far / np.linalg.norm(one.tensor("W1").astype(float))
        place = f"[{','.join(map(str, at))}]"
        assert row.split() == [
            "W1",
            f"{format_number(share, 2)}%",
            place,
            format_number(was, 2, True),
            format_number(is_, 2, True),
        ]


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
@pytest.mark.parametrize(("on", "back"), [("]", "["), ("pagedown", "pageup")])
async def test_every_tensor_can_be_scrolled_to(open_app, size, on, back):
    async with open_app(size=size) as ui:
        await ui.press("s", "t", "n", "d")
        first, seen = panel(ui), set()
        for _ in range(9):
            rows = [text for text in panel(ui).splitlines() if "[" in text and "[ ]" not in text]
            seen |= {text.split()[0] for text in rows}
            await ui.press(on)
        names = {f"{d}{kind}{k}" for d in ("", "d") for kind in "Wb" for k in range(1, 5)}
        assert names | {f"{kind}{k}" for kind in "zδ" for k in range(1, 5)} <= seen
        assert "of 24 tensors" in panel(ui)
        await ui.press(*[back] * 9)
        assert panel(ui) == first


async def test_one_that_is_held_is_not_compared_with_itself(open_app):
    async with open_app(XOR) as ui:
        await ui.press("s", "t", "s", "d", "z", "w")
        assert (ui.app.session.bookmarks.held, ui.app.session.bookmarks.cursor) == (0, 0)
        assert "from bookmark 1 to now" in panel(ui)
        assert "= is the base: ↑ ↓ choose what to compare with it" in panel(ui)
        await ui.press("down")
        assert "from bookmark 1 to bookmark 2" in panel(ui)
        assert "is the base:" not in panel(ui)


async def test_an_earlier_iteration_comes_first_also_if_that_is_now(open_app):
    async with open_app(XOR) as ui:
        await ui.press("t", "t", "s", "d", "z", "r")
        assert "from now to bookmark 1" in panel(ui)
        assert "iteration 0 → 2" in panel(ui)
        agrees(ui, XOR, ui.app.session.bookmarks.items[0], ("W1", "W2"))


async def test_two_places_about_different_samples_are_called_so(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.press("s", "n", "d")
        text = " ".join(panel(ui).split())
        assert "Different samples: loss, z, δ and gradients would differ" in text
