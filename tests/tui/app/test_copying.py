"""What is meant to be copied is shown whole, from the first column on, and sent to the clipboard."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tui_backprop.engine.explain.pytorch import optimizer_line
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.share_token import decode
from tui_backprop.session.state import from_preset
from tui_backprop.tui.screens.copy import Page

LONG = replace(from_preset("xor"), optimizer=OptimizerSpec("adamw", weight_decay=0.01, decay_bias=False))


@pytest.fixture
def sent(monkeypatch):
    from tui_backprop.tui.app.app import BackpropApp

    texts = []
    monkeypatch.setattr(BackpropApp, "copy_to_clipboard", lambda app, text: texts.append(text))
    return texts


def shown(ui):
    """The copied text as it stands on the screen, row by row."""
    rows = ui.app.screen.query_one(Page).text.splitlines()
    return rows[rows.index("") + 1 : -2]


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_a_step_in_pytorch_is_shown_whole(open_app, sent, size):
    async with open_app(LONG, size=size) as ui:
        await ui.press("Y")
        line = optimizer_line(LONG.optimizer, LONG.lr)
        assert sent == [line]
        assert ast.dump(ast.parse("\n".join(shown(ui)))) == ast.dump(ast.parse(line))
        await ui.press("escape")
        assert len(ui.app.screen_stack) == 1


async def test_the_number_panel_copies_its_number(open_app, sent):
    async with open_app(LONG) as ui:
        await ui.press("end", "i", "Y")
        assert ".grad[" in sent[0]
        assert shown(ui)


@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
async def test_a_token_is_shown_as_a_command_that_opens_it(open_app, sent, size):
    async with open_app(LONG, size=size) as ui:
        await ui.press("right", "y")
        command = "".join(row.removesuffix("\\") for row in shown(ui))
        assert command.startswith("backprop-tui --open ")
        token = command.split()[-1]
        assert token == sent[0]
        assert decode(token).walk.step == 1


async def test_a_line_of_the_walk_that_is_cut_says_which_key_shows_it(open_app):
    async with open_app(LONG, size=(80, 18)) as ui:
        found = ui.screen
        assert "torch   optimizer" in found
        assert ("lr=0.5" in found) == ("Y shows it" not in found)
        assert "Y shows it" in found
