"""The grain of the walk: by layers, by equations, by single operations."""

from __future__ import annotations

import pytest

from tui_backprop.session.session_parts import GRAINS
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training


async def test_one_key_goes_through_the_grains_and_stays_in_place(open_app):
    async with open_app() as ui:
        await ui.press("right", "right", "right")
        assert "z2" in ui.walk
        shown = ui.walk
        await ui.press("g")
        assert ui.app.session.walk.grain == "operation"
        assert "operation 5/" in ui.status  # input, matmul, bias add, relu, matmul, bias add
        await ui.press("g")
        assert ui.app.session.walk.grain == "layer"
        assert "layer 2/" in ui.status
        await ui.press("g")
        assert ui.app.session.walk.grain == "equation"
        assert "step 4/20" in ui.status  # at the end of what the layer's step did
        await ui.press("left")
        assert ui.walk == shown


@pytest.mark.parametrize("grain", GRAINS)
async def test_every_grain_goes_through_the_whole_iteration_and_back_from_the_next(open_app, grain):
    async with open_app(from_preset("xor")) as ui:
        while ui.app.session.walk.grain != grain:
            await ui.press("g")
        steps = len(ui.app.snapshot.steps)
        seen = [ui.screen]
        for _ in range(steps):
            await ui.press("right")
            seen.append(ui.screen)
        assert ui.app.session.t == 1
        for shown in reversed(seen[:-1]):
            await ui.press("left")
            assert ui.screen == shown


async def test_a_grain_chosen_while_a_pass_is_being_taken_counts_its_own_steps(open_app):
    async with open_app() as ui:
        await ui.pilot.press("t", "g", "g", "end", "right")
        await ui.settled()
        assert ui.app.session.walk.grain == "layer"
        assert (ui.app.session.t, ui.step) == (2, 0)


async def test_enter_in_the_ranking_finds_the_step_in_every_grain(open_app):
    async with open_app() as ui:
        for _ in GRAINS:
            await ui.press("g", "b", "enter")
            assert ui.focused == "walk"
            assert "dW" in ui.walk


async def test_a_sum_before_its_bias_is_found_by_its_name(open_app):
    async with open_app() as ui:
        await ui.press("slash", "u", "2", "left_square_bracket", "7", "right_square_bracket", "enter")
        assert ui.app.session.walk.grain == "operation"
        assert "u2[7]" in ui.walk


@pytest.mark.parametrize("grain", GRAINS)
async def test_one_key_goes_on_to_the_gradient_by_the_input_and_another_time_leaves_it_out(open_app, grain):
    async with open_app(after_training(from_preset("xor"), 3)) as ui:
        while ui.app.session.walk.grain != grain:
            await ui.press("g")
        steps, before = len(ui.app.snapshot.steps), ui.app.snapshot.iteration
        await ui.press("x")
        assert ui.app.snapshot.step.tensor == "dx"
        assert len(ui.app.snapshot.steps) == steps + 1
        assert ui.app.session.t == 3
        assert ui.app.snapshot.iteration.loss == before.loss
        assert "dx" in ui.walk
        await ui.press("x")
        assert len(ui.app.snapshot.steps) == steps
        assert "dx" not in ui.walk
        await ui.press("u")
        assert ui.app.snapshot.step.tensor == "dx"
