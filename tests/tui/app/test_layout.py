"""Panels side by side, tabs, and the notice where there is no room."""

from __future__ import annotations

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.state import Session

PANELS = ["network", "walk", "cost"]
ALL = ["network", "walk", "cost", "blame", "number", "graph", "flow", "curves", "train", "bookmarks"]


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (116, 30)])
async def test_three_panels_stand_side_by_side_from_116x30(open_app, size):
    async with open_app(size=size) as ui:
        assert ui.shown_panels == PANELS
        assert [f" {i % 10} {name}" in ui.tabs for i, name in enumerate(ALL, 1)] == [True] * 10


@pytest.mark.parametrize("size", [(115, 40), (100, 30)])
async def test_two_from_100x30_and_the_network_s_form_while_it_has_the_keys(open_app, size):
    async with open_app(size=size) as ui:
        assert ui.shown_panels == PANELS[1:]
        await ui.press("1")
        assert ui.shown_panels == PANELS
        await ui.press("f3")
        assert ui.shown_panels == PANELS[1:]
        await ui.press("z")
        assert ui.shown_panels == ["walk"]
        await ui.press("1")
        assert ui.shown_panels == ["network"]


@pytest.mark.parametrize("size", [(99, 40), (120, 29), (80, 24), (60, 18)])
async def test_below_that_one_panel_and_tabs(open_app, size):
    async with open_app(size=size) as ui:
        assert ui.shown_panels == ["walk"]
        assert " 2 walk " in ui.tabs  # the others too, as far as there is room
        assert all(f" {i % 10} " in f"{ui.tabs} " for i in range(1, 11))
        assert (" 8 curves " in ui.tabs) == (size[0] >= 80)
        for key, name in (("1", "network"), ("f4", "cost"), ("f3", "walk"), ("3", "cost"), ("2", "walk")):
            await ui.press(key)
            assert ui.shown_panels == [name]
            assert ui.focused == name


@pytest.mark.parametrize("size", [(59, 18), (60, 17), (20, 5), (200, 10)])
async def test_under_60x18_a_notice_says_what_is_needed(open_app, size):
    async with open_app(size=size) as ui:
        assert "60x18" in " ".join(ui.screen.split())
        assert f"{size[0]}x{size[1]}" in " ".join(ui.screen.split())
        assert ui.shown_panels == []


async def test_a_size_of_one_by_one_does_no_harm(open_app):
    async with open_app(size=(1, 1)) as ui:
        await ui.press("right")
        await ui.resize(80, 24)
        assert ui.step == 1


async def test_resizing_keeps_the_state_and_the_keys(open_app):
    async with open_app() as ui:
        await ui.press("right", "right", "down", "t", "3", "right")
        session, screen = ui.app.session, ui.screen
        for size in ((99, 40), (80, 24), (59, 18), (60, 18), (120, 29), (60, 17), (120, 40)):
            await ui.resize(*size)
            assert ui.app.session == session
        assert ui.focused == "cost"
        assert ui.screen == screen


@pytest.mark.parametrize("name", PANELS)
async def test_the_panel_with_the_keys_keeps_them_through_a_terminal_that_is_too_small(open_app, name):
    async with open_app(size=(80, 24)) as ui:
        await ui.press(str(PANELS.index(name) + 1))
        screen = ui.screen
        await ui.resize(40, 10)
        await ui.resize(80, 24)
        assert ui.focused == name
        assert ui.screen == screen


async def test_the_panel_in_use_is_the_one_shown_when_the_terminal_shrinks(open_app):
    async with open_app() as ui:
        await ui.press("3")
        await ui.resize(80, 24)
        assert ui.shown_panels == ["cost"]
        assert ui.focused == "cost"


EVERYTHING = Session(
    NetworkSpec((2, 8, 8, 2), "gelu,elu", layer_norm=True, residual=True, dropout=0.1, l2=0.01),
    "moons",
    batch=4,
    optimizer=OptimizerSpec("adamw", weight_decay=0.1, clip=0.1, schedule="cosine", warmup=3),
)


@pytest.mark.parametrize("session", [Session(), EVERYTHING], ids=["lesson", "everything"])
@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40)])
async def test_formula_and_result_of_every_step_are_seen_on_a_small_screen(open_app, size, session):
    async with open_app(session, size=size) as ui:
        for _ in ui.app.snapshot.steps:
            step = ui.app.snapshot.step
            rows = ui.walk.splitlines()
            begins = f"{step.tensor} " if step.kind == "update" else step.formula.split()[0]
            assert any(row.lstrip().startswith(begins) for row in rows), ui.walk
            assert any(row.startswith("= ") for row in rows), ui.walk
            assert "…" not in next(row for row in rows if row.startswith("= "))
            await ui.press("right")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30)])
async def test_help_and_quit_are_named_in_the_key_bar_at_every_size(open_app, size):
    async with open_app(size=size) as ui:
        for panel in ("2", "3"):
            await ui.press(panel)
            assert "? help" in ui.keys
            assert "q quit" in ui.keys


async def test_the_editor_of_a_field_covers_nothing_else(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.press("f2")
        assert 'sample 0, a "1"' in ui.screen.split("\n", 2)[2]
        for _ in ui.fields:
            fields, drawn = ui.form.splitlines(), ui.screen.splitlines()[2:]
            assert [row[41:80].rstrip() for row in drawn[: len(fields)]] == [r[40:].rstrip() for r in fields]
            await ui.press("down")
