"""Keys of a convolutional network: entries of kernels, channels of maps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tui.panels.test_gpt_keys import walked_to
from tui_backprop.engine.explain.entries import entry_at
from tui_backprop.session.state import from_preset
from tui_backprop.tui.app.inspection import look_at

LENET = from_preset("lenet")


def entry(ui):
    """The entry that the walk shows of its step."""
    snapshot = ui.app.snapshot
    return entry_at(snapshot.graph, snapshot.step, snapshot.unit(snapshot.step.block))


def steepest(ui, name, channel):
    """The entry with the largest gradient in a channel of a map."""
    sizes = np.abs(ui.app.snapshot.iteration.tensor(f"d{name}")[0, channel])
    return name, (channel, *map(int, np.unravel_index(sizes.argmax(), sizes.shape)))


@pytest.mark.parametrize("index", [(4, 0, 3, 1), (2, 0, 0, 0), (5, 0, 4, 4)])
async def test_an_entry_of_a_kernel_selects_its_channel_and_no_place_in_the_image(open_app, index):
    async with open_app(walked_to(look_at(LENET, "W1", index), "u1"), size=(80, 24)) as ui:
        for name in ("u1", "z1", "a1", "p1"):
            assert ui.app.snapshot.step.tensor == name
            assert entry(ui) == steepest(ui, name, index[0])
            await ui.press("right")


async def test_from_blame_to_the_walk_the_entry_stays_the_one_of_the_kernel(open_app):
    async with open_app(walked_to(look_at(LENET, "W1", (4, 0, 3, 1)), "dW1"), size=(80, 24)) as ui:
        await ui.press("b", "enter")
        assert entry(ui) == ("W1", (4, 0, 3, 1))
        await ui.press("left", "left")
        assert entry(ui)[1][0] == 4


async def test_up_and_down_among_kernels_choose_no_row_of_a_map(open_app):
    async with open_app(walked_to(LENET, "dW1"), size=(80, 24)) as ui:
        await ui.press("down")
        channel = entry(ui)[1][0]
        await ui.press("left")
        name, index = entry(ui)
        assert index == steepest(ui, name, channel)[1]
