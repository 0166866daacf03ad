"""Networks that are no stacks of layers: every panel and page draws, at every step of the walk."""

from __future__ import annotations

import pytest

from tui_backprop.keys.panel_table import PANEL_ROWS, PANELS
from tui_backprop.session import transitions
from tui_backprop.session.state import from_preset

MODELS = ["microgpt", "rnn"]


@pytest.mark.parametrize("name", MODELS)
async def test_every_panel_draws_beside_steps_of_each_phase(open_app, name):
    async with open_app(from_preset(name), size=(120, 40)) as ui:
        steps = len(ui.app.snapshot.steps)
        await ui.press("2")
        for panel in [row for row in PANELS if PANEL_ROWS[row].keys]:
            await ui.press(PANEL_ROWS[panel].keys.split(",")[0])
            for _ in range(3):
                here = (ui.app.session.walk.step + steps // 4) % steps
                ui.app.state.go(transitions.at_step(ui.app.session, here))
                await ui.settled()
