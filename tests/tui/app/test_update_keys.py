"""Training, samples, restart and play."""

from __future__ import annotations

import re

from tui_backprop.session.state import Session, from_preset


def loss(ui) -> float:
    return float(re.search(r"loss ([\d.]+)", ui.status)[1])


async def test_t_trains_one_step_and_the_cursor_stays(open_app):
    async with open_app() as ui:
        await ui.press("right", "right")
        before = loss(ui)
        await ui.press("t")
        assert "iteration 1, step 2/20" in ui.status
        assert loss(ui) < before
        await ui.press("t", "t")
        assert "iteration 3, step 2/20" in ui.status


async def test_n_takes_the_next_sample_and_capital_n_or_p_the_one_before(open_app):
    async with open_app() as ui:
        first, walk = ui.status, ui.walk
        await ui.press("n")
        assert "sample 1, a " in ui.status
        assert ui.walk != walk
        assert re.search(r"^sample +1$", ui.form, re.MULTILINE)
        await ui.press("n", "p", "N")
        assert ui.status == first
        assert ui.walk == walk


async def test_samples_go_round_at_the_ends(open_app):
    async with open_app() as ui:
        await ui.press("p")
        assert "sample 3999" in ui.status
        await ui.press("n")
        assert "sample 0" in ui.status


async def test_a_batch_moves_on_by_its_size(open_app):
    async with open_app(from_preset("xor")) as ui:
        assert "samples 0-3" in ui.status
        await ui.press("n")
        assert "samples 4-7" in ui.status


async def test_r_goes_back_to_the_first_weights(open_app):
    async with open_app() as ui:
        first = ui.screen
        await ui.press("t", "t", "right")
        assert "iteration 2" in ui.status
        await ui.press("r")
        assert ui.screen == first


async def test_stepping_back_into_an_iteration_brings_back_its_sample(open_app):
    async with open_app() as ui:
        await ui.press("t", "n", "home", "left")
        assert "iteration 0" in ui.status
        assert "sample 0" in ui.status


async def test_training_with_one_sample_lowers_its_loss_again_and_again(open_app):
    async with open_app(Session(lr=0.005)) as ui:
        losses = [loss(ui)]
        for _ in range(4):
            await ui.press("t")
            losses.append(loss(ui))
        assert losses == sorted(losses, reverse=True)


async def test_space_plays_and_pauses(open_app):
    async with open_app() as ui:
        await ui.press("+", "+", "+")
        await ui.pilot.press("space")
        assert "playing 16/s" in ui.status
        await ui.until(lambda: ui.step >= 3, "the play to go on")
        await ui.press("space")
        assert "playing" not in ui.status
        paused = ui.step
        await ui.press("right")
        assert ui.step == paused + 1


async def test_play_goes_on_into_the_next_iteration(open_app):
    async with open_app() as ui:
        await ui.press("end", "+", "+", "+", "space")
        await ui.until(lambda: ui.app.session.t == 1, "the next iteration")
        await ui.press("space")
        assert "iteration 1" in ui.status


async def test_plus_and_minus_change_the_speed_within_bounds(open_app):
    async with open_app() as ui:
        await ui.pilot.press("space")
        for keys, speed in (
            ("", "2"),
            ("+", "4"),
            ("=", "8"),
            ("--", "2"),
            ("-" * 9, "0.5"),
            ("+" * 9, "16"),
        ):
            await ui.pilot.press(*keys)
            assert f"playing {speed}/s" in ui.status
        await ui.pilot.press("space")
        assert "playing" not in ui.status
