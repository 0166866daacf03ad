"""Stepping through the walk with keys."""

from __future__ import annotations

import re

import pytest

STEPS = 21  # of the lesson's network: input, 4 x forward, 3 x activation, loss, 8 backward, 4 updates


async def test_opens_on_the_lessons_network_and_a_digit(open_app):
    async with open_app() as ui:
        assert "784·256·256·256·10" in ui.status
        assert 'sample 0, a "1"' in ui.status
        assert "step 0/20" in ui.status
        assert "335,114" in ui.form
        assert re.search(r"^parameters +335,114$", ui.form, re.MULTILINE)
        assert ui.focused == "walk"


@pytest.mark.parametrize(("on", "back"), [("right", "left"), ("l", "h")])
async def test_keys_step_on_and_back(open_app, on, back):
    async with open_app() as ui:
        await ui.press(on, on)
        assert (ui.step, "step 2/20" in ui.status) == (2, True)
        await ui.press(back)
        assert (ui.step, "step 1/20" in ui.status) == (1, True)


async def test_left_on_the_very_first_step_stays_there(open_app):
    async with open_app() as ui:
        before = ui.screen
        await ui.press("left", "h")
        assert ui.screen == before


async def test_a_step_back_shows_exactly_what_was_shown_at_every_step_and_across_iterations(open_app):
    async with open_app() as ui:
        forwards = [ui.screen]
        for _ in range(STEPS + 2):
            await ui.press("right")
            forwards.append(ui.screen)
        assert ui.app.session.t == 1
        assert len(set(forwards)) == len(forwards)
        for shown in reversed(forwards[:-1]):
            await ui.press("left")
            assert ui.screen == shown


async def test_after_the_last_step_the_next_iteration_starts_at_the_loss_that_was_promised(open_app):
    async with open_app() as ui:
        await ui.press("end")
        at_end = ui.screen
        assert f"step {STEPS - 1}/{STEPS - 1}" in ui.status
        promised = re.search(r"loss ([\d.]+) → ([\d.]+)", ui.status)
        assert promised is not None
        assert f"{promised[1]} before, {promised[2]} after" in ui.walk
        await ui.press("right")
        assert "iteration 1, step 0/20" in ui.status
        assert ui.status.rstrip().endswith(f"loss {promised[2]}")
        await ui.press("left")
        assert ui.screen == at_end


async def test_home_and_end_go_to_the_ends_of_the_walk(open_app):
    async with open_app() as ui:
        first = ui.screen
        await ui.press("end")
        assert ui.step == STEPS - 1
        await ui.press("home")
        assert ui.screen == first


async def test_brackets_jump_to_the_first_step_of_each_layer(open_app):
    async with open_app() as ui:
        places = [(ui.app.snapshot.step.phase, ui.app.snapshot.step.block)]
        while ui.step < STEPS - 1:
            await ui.press("]")
            places.append((ui.app.snapshot.step.phase, ui.app.snapshot.step.block))
        forward = [("forward", k) for k in range(5)]
        backward = [("backward", k) for k in (4, 3, 2, 1)]
        assert places == [*forward, ("loss", 4), *backward, *(("update", k) for k in range(1, 5))]
        for place in reversed(places[:-1]):
            await ui.press("[")
            assert (ui.app.snapshot.step.phase, ui.app.snapshot.step.block) == place


async def test_up_and_down_select_a_unit_going_round_and_a_lets_go(open_app):
    async with open_app() as ui:
        await ui.press("end")  # the ten outputs
        automatic = ui.walk
        unit = ui.app.snapshot.unit(4)
        await ui.press("down")
        assert f",{(unit + 1) % 10}] after" in ui.walk
        await ui.press("up", "up")
        assert f",{(unit - 1) % 10}] after" in ui.walk
        await ui.press(*["k"] * 10)
        assert f",{(unit - 1) % 10}] after" in ui.walk
        await ui.press("j", "a")
        assert ui.walk == automatic


async def test_a_selected_unit_goes_round_at_both_ends(open_app):
    async with open_app() as ui:
        await ui.press("end", *["down"] * 10)
        seen = set()
        for _ in range(10):
            await ui.press("down")
            seen.add(ui.app.snapshot.unit(4))
        assert seen == set(range(10))


async def test_each_layer_keeps_its_own_selected_unit(open_app):
    async with open_app() as ui:
        await ui.press("right", "down")
        first = ui.app.snapshot.unit(1)
        await ui.press("]", "down", "down", "[")
        assert ui.app.snapshot.unit(1) == first
        assert f"z1[{first}]" in ui.walk
