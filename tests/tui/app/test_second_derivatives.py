"""The Hessian in the app: of few parameters, in a dialog that scrolls."""

from __future__ import annotations

import pytest

from tui_backprop.session.state import Session, from_preset
from tui_backprop.tui.screens.text_report import ReportPage, ReportScreen


def shown(app):
    page = app.screen.query_one(ReportPage)
    return ["".join(text for text, _ in row).rstrip() for row in page.drawn(*page.size)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_second_derivatives_of_an_expression_are_shown(open_app, size):
    async with open_app(from_preset("three-uses"), size=size) as ui:
        await ui.press("H")
        assert isinstance(ui.app.screen, ReportScreen)
        assert any(line.split() == ["w", "−1.81", "3.00"] for line in shown(ui.app))
        await ui.press("escape")
        assert not isinstance(ui.app.screen, ReportScreen)


async def test_a_long_report_scrolls_to_its_end_and_back(open_app):
    async with open_app(from_preset("xor"), size=(80, 24)) as ui:
        await ui.press("H")
        assert "more lines" in shown(ui.app)[-1]
        await ui.press("pagedown", "pagedown", "pagedown")
        assert "curves" in " ".join(shown(ui.app))
        await ui.press("pageup", "pageup", "pageup")
        assert shown(ui.app)[0].startswith("Hessian of 9")


async def test_of_many_parameters_there_are_none(open_app):
    async with open_app(Session()) as ui:
        await ui.press("H")
        assert not isinstance(ui.app.screen, ReportScreen)
        assert "335,114" in ui.keys
