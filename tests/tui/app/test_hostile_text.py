"""Whatever a text on the screen is made of, no control character of it reaches the terminal."""

from __future__ import annotations

import pytest

from tui_backprop.tui import theme
from tui_backprop.tui.widgets.frame import Frame

HOSTILE = "\x1b]0;evil\x07\x1b[2J\x9b31m\x7f\u202e"


def drawn(ui) -> str:
    """Return the text of everything that is drawn, as it is sent."""
    return "".join(segment.text for strip in ui.app.screen._compositor.render_strips() for segment in strip)


async def show(ui, where):
    match where:
        case "title":
            ui.app.query_one("#walk", Frame).border_title = f"failed: {HOSTILE}"
        case "key bar":
            ui.app.say(f"failed: {HOSTILE}")
        case "panel":
            ui.app.panels.wait(f"failed: {HOSTILE}")
    await ui.until(lambda: "failed:" in drawn(ui), where)


@pytest.mark.parametrize("where", ["title", "key bar", "panel"])
async def test_no_control_character_is_drawn(open_app, where):
    async with open_app(size=(120, 40)) as ui:
        await show(ui, where)
        text = drawn(ui)
        assert text.isprintable()
        assert "]0;evil" in text


async def test_without_the_filter_it_would_be(open_app, monkeypatch):
    monkeypatch.setattr(theme.Printable, "apply", lambda self, segments, background: segments)
    async with open_app(size=(120, 40)) as ui:
        await show(ui, "key bar")
        assert not drawn(ui).isprintable()


def test_what_is_replaced_keeps_its_width():
    assert theme.printable_cells("a\x1b[31m\u202eδ") == "a[31mδ"
