"""What is out of sight holds on to no pass."""

from __future__ import annotations

import gc

from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.keys.panel_table import PLACES
from tui_backprop.session.state import from_preset


def alive() -> int:
    gc.unfreeze()
    gc.collect()
    return sum(isinstance(each, Iteration) for each in gc.get_objects())


async def test_hidden_panels_keep_no_passes(open_app):
    before = alive()
    async with open_app(from_preset("xor"), size=(80, 24), memory=1) as ui:
        for place in PLACES:
            await ui.app.run_action(f"panel('{place}')")
            await ui.settled()
            await ui.press("f3", "n")
        assert alive() - before <= 3  # in the walk, in the replay's memory, and of the last ranking
        assert ui.app.view("graph").drawn(80, 20) == []  # rather than that the first pass is being run
        await ui.press("o")
        assert "matmul" in ui.screen
