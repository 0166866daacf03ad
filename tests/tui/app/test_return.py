"""Coming back, from a token or from what was kept: the panel that had the keys has them again."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

import pytest

from tui_backprop.keys.panel_table import PLACES
from tui_backprop.session.autosave import Saver, load
from tui_backprop.session.share_token import decode
from tui_backprop.session.state import from_preset

XOR = from_preset("xor")


class Kept:
    """A saver that remembers what it was given."""

    trouble = None

    def __init__(self):
        self.sessions = []

    def save(self, session):
        self.sessions.append(session)

    def close(self):
        pass


@pytest.mark.parametrize(("panel", "size"), list(zip(PLACES, cycle([(80, 24), (120, 40)]), strict=False)))
async def test_the_panel_comes_back(open_app, panel, size):
    saver = Kept()
    async with open_app(XOR, size=size, saver=saver) as ui:
        await ui.app.run_action(f"panel('{panel}')")
        await ui.settled()
        there = ui.app.current_panel
        assert panel in (there, "cost")
    kept = saver.sessions[-1] if saver.sessions else ui.app.state.placed
    async with open_app(kept, size=size) as ui:
        await ui.until(lambda: ui.app.current_panel == there, "the panel")
        await ui.settled()
        assert ui.focused == there


async def test_a_token_has_the_panel_and_undo_does_not(open_app, monkeypatch):
    async with open_app(XOR) as ui:
        sent = []
        monkeypatch.setattr(ui.app, "copy_to_clipboard", sent.append)
        await ui.press("right", "b", "y")
        assert decode(sent[0]).panel == "blame"
        await ui.press("escape", "u")
        assert ui.app.current_panel == "blame"
        assert ui.app.session == XOR


async def test_a_change_of_panel_alone_is_kept(open_app, tmp_path):
    async with open_app(XOR, saver=Saver(tmp_path, every=0.0)) as ui:
        await ui.press("b")
    assert load(tmp_path) == replace(XOR, panel="blame")
