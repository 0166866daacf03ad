"""With the ASCII set of glyphs the panels are ASCII, and as well aligned as with the full set."""

from __future__ import annotations

import pytest

from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.session.state import from_preset
from tui_backprop.tui.widgets.canvas import Canvas


def texts(ui) -> dict[str, str]:
    return {canvas.id: canvas.text for canvas in ui.app.screen.query(Canvas)}


@pytest.mark.parametrize("preset", ["lesson", "xor", "sine"])
async def test_every_panel_is_ascii_at_every_step(open_app, preset):
    async with open_app(from_preset(preset), context=ASCII) as ui:
        for _ in ui.app.snapshot.steps:
            for name, text in texts(ui).items():
                assert text.isascii(), f"{name}: {text}"
            await ui.press("right")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_no_glyph_is_lost_as_a_question_mark(open_app, size):
    async with open_app(size=size, context=ASCII) as ui:
        for panel in "123":
            await ui.press(f"f{int(panel) + 1}")
            for name, text in texts(ui).items():
                assert "?" not in text.replace("? help", ""), f"{name}: {text}"


async def test_borders_forms_help_and_messages_are_ascii(open_app):
    async with open_app(context=ASCII) as ui:
        assert ui.screen.isascii()
        await ui.press("?")
        assert ui.screen.isascii(), {c for c in ui.screen if not c.isascii()}
        await ui.press("?", "f2", *["down"] * 11)
        assert ui.screen.isascii()
        await ui.type("x")
        assert ui.screen.isascii()
        await ui.resize(50, 10)
        assert ui.screen.isascii()


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_quit_stays_in_the_key_bar(open_app, size):
    async with open_app(size=size, context=ASCII) as ui:
        assert "q quit" in ui.keys


async def test_the_values_of_the_form_stand_in_one_column(open_app):
    async with open_app(context=UTF8) as ui, open_app(context=ASCII) as plain:
        rows = zip(ui.form.splitlines()[: len(ui.fields)], plain.form.splitlines(), strict=False)
        assert all(row[11:] == other[11:] for row, other in rows)


async def test_the_words_of_the_help_stand_in_one_column(open_app):
    async with open_app(context=UTF8) as ui, open_app(context=ASCII) as plain:
        pages = []
        for app in (ui, plain):
            await app.press("?")
            pages.append(texts(app)["help-page"].splitlines())
        for row, other in zip(*pages, strict=True):
            if row.isascii() and row.startswith("  "):
                assert row == other
        assert next(row for row in pages[1] if row.startswith("  down j "))[12:] == "Select the next one."
