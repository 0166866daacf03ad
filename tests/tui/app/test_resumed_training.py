"""What was trained in another run of the program comes back: its curve, its accuracy, its later iterations."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.having import having
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import from_preset
from tui_backprop.session.training_curve import score
from tui_backprop.session.transitions import after_training, after_update, edit_parameter

XOR = from_preset("xor")
# Two runs of training with another rate, single updates and an edit between them.
PART = edit_parameter(after_update(having(after_training(XOR, 60), lr=0.2)), "W1", (0, 1), 0.3)
TRAINED = after_training(PART, 40)


def panel(ui):
    return ui.app.query_one("#train-view").text


def losses(session):
    """The losses of all iterations before that of a session, one by one."""
    replay, before = Replay(), [XOR, *(after_training(XOR, count) for count in range(1, 60))]
    single = having(after_training(XOR, 60), lr=0.2)
    before += [single, PART, *(after_training(PART, count) for count in range(1, 40))]
    return [replay.take(each).loss for each in before[: session.t]]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_curve_and_the_accuracy_come_back(open_app, size):
    async with open_app(having(TRAINED, panel="train", amount="10"), size=size) as ui:
        assert "[10]" in panel(ui)
        await ui.until(lambda: "101 updates" in panel(ui), "the curve")
        await ui.settled()
        learning = ui.app.training.trained.learning
        np.testing.assert_array_equal(learning.losses, losses(TRAINED))
        parameters = Replay().state(TRAINED).parameters
        assert learning.scores[-1] == score(TRAINED, parameters)
        assert (learning.first, learning.scores[0].t, learning.seconds) == (0, 0, 0)
        assert "Not trained" not in panel(ui)
        assert re.search(r"accuracy|%", panel(ui))
        assert learning.recalled == len(learning.scores)
        if size == (120, 40):
            await ui.press("z")
            assert f"read back at {learning.recalled} points" in panel(ui)
            assert panel(ui).count("•") > 2
        assert "/s" not in panel(ui)  # how long it took is not known


async def test_training_goes_on_from_there_in_one_curve(open_app):
    async with open_app(TRAINED) as ui:
        await ui.press("T", "minus", "enter")
        learning = ui.app.training.trained.learning
        assert ui.app.session.t == 111
        assert (learning.first, learning.done, learning.untimed) == (0, 111, 101)
        np.testing.assert_array_equal(learning.losses[:101], losses(TRAINED))
        await ui.press("home")
        assert ui.app.session.t == 0
        await ui.press("end")
        assert ui.app.session.t == 111


async def test_the_way_forward_is_known_before_the_panel_is_opened(open_app):
    async with open_app(TRAINED) as ui:
        ui.app.training.to_iteration(30)
        await ui.settled()
        assert (ui.app.session.t, ui.app.training.last_iteration) == (30, 101)
        await ui.press("T")
        assert ui.app.training.trained.learning.done == 101


async def test_single_updates_after_it_are_added(open_app):
    async with open_app(TRAINED) as ui:
        await ui.press("t", "t", "T")
        learning = ui.app.training.trained.learning
        assert (learning.first, learning.done) == (0, 103)
        np.testing.assert_array_equal(learning.losses[:101], losses(TRAINED))


async def test_while_they_are_read_back_the_panel_says_so(open_app, monkeypatch):
    monkeypatch.setattr(Replay, "losses", lambda replay, session: 1 / 0)
    async with open_app(having(TRAINED, panel="train")) as ui:
        await ui.until(
            lambda: "reading back the update losses of 101 updates" in " ".join(panel(ui).split()),
            "the words",
        )
        await ui.settled()
        (note,) = ui.app._notifications
        assert note.message.startswith("The losses cannot be read back: ZeroDivisionError")


def test_the_losses_of_a_replay_are_those_of_its_iterations():
    replay = Replay()
    replay.take(TRAINED)
    assert list(replay.losses(TRAINED)) == losses(TRAINED)
    slower = having(XOR, lr=0.1)  # another run from the start
    each = [slower, *(after_training(slower, count) for count in range(1, 5))]
    assert list(replay.losses(after_training(slower, 5))) == [Replay().take(one).loss for one in each]
    assert list(replay.losses(TRAINED)) == losses(TRAINED)
