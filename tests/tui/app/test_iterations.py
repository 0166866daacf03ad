"""Back and forth in what was trained: every iteration has the loss that it had, to the last digit shown."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from textual import events

from tests.having import having
from tui_backprop.data.samples import load
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.support.format import format_number

XOR = from_preset("xor")


def panel(ui):
    return ui.app.query_one("#train-view").text


def loss(ui):
    return re.search(r"loss (\S+)", ui.status)[1]


def losses_by_hand(count):
    """The loss of each iteration of training xor, four samples at a time: written out, with its own gradient."""
    data = load("xor", XOR.network.seed)
    program = Replay(0).take(XOR).program
    W1, b1, W2, b2 = (program.values[name].astype(float) for name in ("W1", "b1", "W2", "b2"))
    losses = []
    for t in range(count):
        places = np.arange(4 * t, 4 * t + 4) % len(data.x)
        x, y = data.x[places], data.target[places].reshape(-1, 1)
        a = np.tanh(x @ W1 + b1)
        z = a @ W2 + b2
        losses.append(float(np.mean(np.logaddexp(0, z) - y * z)))
        d2 = (1 / (1 + np.exp(-z)) - y) / 4
        d1 = d2 @ W2.T * (1 - a**2)
        W1, b1 = W1 - XOR.lr * x.T @ d1, b1 - XOR.lr * d1.sum(0)
        W2, b2 = W2 - XOR.lr * a.T @ d2, b2 - XOR.lr * d2.sum(0)
    return losses


async def test_every_iteration_there_and_back_has_the_loss_that_it_had(open_app):
    right = [format_number(value, 4) for value in losses_by_hand(31)]
    async with open_app(XOR) as ui:
        await ui.press("T", "minus")
        for _ in range(3):  # one after the other: while it trains, enter begins nothing
            await ui.press("enter")
        assert (ui.app.session.t, loss(ui)) == (30, right[30])
        way = (
            ("left", 29),
            ("h", 28),
            ("pageup", 18),
            ("pageup", 8),
            ("pageup", 0),
            ("left", 0),
            ("right", 1),
        )
        for key, t in (*way, ("l", 2), ("pagedown", 12), ("end", 30), ("right", 30), ("home", 0)):
            await ui.press(key)
            assert (ui.app.session.t, loss(ui)) == (t, right[t])
            assert "30 updates" in panel(ui)
            assert f"update loss {format_number(float(losses_by_hand(30)[-1]))}, iteration 29" in panel(ui)


async def test_the_losses_drawn_are_those_of_the_iterations(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "minus", "enter")
        await ui.press("enter")
        np.testing.assert_allclose(ui.app.training.trained.learning.losses, losses_by_hand(20), rtol=1e-9)
        await ui.press("u", "left", "left")
        await ui.press("enter")  # on from there: the same updates once more
        assert ui.app.session.t == 18
        np.testing.assert_allclose(ui.app.training.trained.learning.losses, losses_by_hand(18), rtol=1e-9)


async def test_training_is_one_action_to_undo(open_app):
    async with open_app(XOR) as ui:
        await ui.press("right", "T", "enter")
        trained, after = ui.app.session, loss(ui)
        assert (trained.t, trained.walk.step) == (100, 1)
        await ui.press("u")
        assert ui.app.session == having(XOR, step=1)
        await ui.press("U")
        assert (ui.app.session, loss(ui)) == (trained, after)
        await ui.press("home", "u")
        assert ui.app.session == trained


async def test_an_update_by_hand_is_part_of_the_curve(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "t", "t")
        assert "2 updates" in panel(ui)
        samples = Replay(0).take(having(ui.app.session, update_log=(), sample=0)).loss
        assert ui.app.training.trained.learning.losses[0] == pytest.approx(samples)


async def test_the_scores_are_taken_at_rising_iterations(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "enter")
        await ui.press("enter")
        await ui.press("left", "enter")
        at = [score.t for score in ui.app.training.trained.learning.scores]
        assert all(a < b for a, b in pairwise(at))
        assert at[0] == 0
        assert at[-1] == ui.app.session.t


async def test_a_share_read_right_says_where_it_was_taken_when_the_walk_is_elsewhere(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "enter")
        last = ui.app.session.t
        assert f"at iteration {last:,}" not in panel(ui)
        await ui.press("left")
        assert f"at iteration {last:,}" in panel(ui)


@pytest.mark.parametrize("text", ["37", "iteration 37", "it 37"])
async def test_any_iteration_that_was_trained_is_gone_to_by_its_number(open_app, text):
    right = losses_by_hand(100)
    async with open_app(XOR) as ui:
        await ui.press("T", "enter", "home")
        for number_, t in ((text, 37), ("100", 100), ("0", 0)):
            await ui.press("slash")
            assert "or an iteration, 0 to 100" in " ".join(ui.screen.split())
            ui.app.post_message(events.Paste(number_))
            await ui.press("enter")
            assert ui.app.session.t == t
            if t < 100:
                assert ui.app.snapshot.iteration.loss == pytest.approx(right[t], rel=1e-9)
        await ui.press("u", "u")
        assert ui.app.session.t == 37


async def test_an_iteration_that_was_not_trained_is_refused_in_the_prompt(open_app):
    async with open_app(XOR) as ui:
        await ui.press("t", "t", "slash", "5", "enter")
        assert "iteration 5 is out of range (0 to 2); train further first" in ui.screen
        await ui.press("escape")
        assert ui.app.session.t == 2


async def test_the_panel_says_that_any_iteration_can_be_gone_to(open_app):
    async with open_app(XOR) as ui:
        await ui.press("T", "z")
        assert "goes to that iteration" not in panel(ui)
        await ui.press("enter")
        text = " ".join(panel(ui).split())
        assert "/ and a number goes to that iteration, 0 to 100; to make that fast," in text
        assert "iterations are kept, 0 of 256 MB" in text
