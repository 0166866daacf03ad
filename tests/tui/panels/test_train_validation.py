"""Validation in the app: both parts beside each other, a sample held out in the walk, and the same batch again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.training_curve import score
from tui_backprop.session.transitions import after_training, other_part
from tui_backprop.support.format import format_number, format_share

SIZES = [(80, 24), (120, 40)]
MOONS = Session(NetworkSpec((2, 16, 2), "tanh"), "moons", batch=4, lr=0.3, validation=300)
MOONS = replace(MOONS, sample=MOONS.split.training.samples[0])
SINE = replace(from_preset("sine"), validation=50, sample=3)
SINE = replace(SINE, sample=SINE.split.training.after(0))


def panel(ui):
    return ui.app.query_one("#train-view").text


def row(ui, part):
    return next(text for text in panel(ui).splitlines() if text.startswith(part))


@pytest.mark.parametrize("size", SIZES)
async def test_both_parts_have_accuracy_and_loss_side_by_side(open_app, size):
    async with open_app(MOONS, size=size) as ui:
        await ui.press("T")
        assert "moons: 100 samples" in panel(ui)
        await ui.press("enter")
        end = ui.app.session
        assert end == after_training(MOONS, 100)
        found = score(end, Replay().state(end).parameters)
        for part, each in (("training", found), ("validation", found.validation)):
            assert format_share(each.accuracy, decimals=1) in row(ui, part)
            assert f"loss {format_number(each.loss)}" in row(ui, part)
        assert "• training × validation" in panel(ui)
        assert panel(ui).count("×") >= 3
        for zoomed in range(2):
            if zoomed:
                await ui.press("z")
            assert all(part in panel(ui) for part in ("training", "validation", "loss"))


@pytest.mark.parametrize("size", SIZES)
async def test_of_real_values_only_losses_are_shown(open_app, size):
    async with open_app(SINE, size=size) as ui:
        await ui.press("T", "enter")
        assert "accuracy" not in panel(ui)
        assert re.match(r"validation +loss \S", row(ui, "validation"))


@pytest.mark.parametrize("size", SIZES)
async def test_a_sample_held_out_can_be_walked_but_not_trained_on(open_app, size):
    async with open_app(MOONS, size=size) as ui:
        assert "training samples" in ui.status
        await ui.press("V")
        held_out = other_part(MOONS)
        assert ui.app.session == held_out
        assert "validation sample" in ui.status
        await ui.press("t")
        assert ui.app.session == held_out
        assert "no update" in ui.keys
        await ui.press("end", "right")
        assert ui.app.session.t == 0
        assert ui.app.session.walk.step == len(ui.app.state.snapshot.steps) - 1
        await ui.press("n")
        assert ui.app.session.is_held_out
        await ui.press("T", "enter")
        assert ui.app.session.t == 100
        assert not ui.app.session.is_held_out


async def test_looking_at_samples_held_out_adds_nothing_to_the_curve(open_app):
    async with open_app(MOONS) as ui:
        await ui.press("V", "n", "n", "V")
        assert ui.app.training.trained is None
        await ui.press("t", "V", "n", "V", "t")
        assert ui.app.training.trained.learning.done == 2


async def test_without_a_split_the_key_says_how_to_make_one(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("V")
        assert ui.app.session == from_preset("xor")
        assert "no samples are held out" in ui.keys


async def test_an_expression_has_no_batch_to_choose(open_app):
    async with open_app(from_preset("micrograd")) as ui:
        await ui.press("T", "m")
        assert ui.app.session == from_preset("micrograd")
        assert "no samples" in ui.keys
        assert "batch" not in panel(ui).splitlines()[0]


@pytest.mark.parametrize("size", SIZES)
async def test_the_same_batch_can_be_trained_on_again_and_again(open_app, size):
    async with open_app(MOONS, size=size) as ui:
        await ui.press("T", "m", "enter")
        repeated = replace(MOONS, repeat=True)
        assert ui.app.session == after_training(repeated, 100)
        assert ui.app.session.sample == MOONS.sample
        assert "same" in panel(ui).splitlines()[0]
        await ui.press("plus", "plus", "enter")  # an epoch of one batch is one update
        assert ui.app.session.t == 101
        await ui.press("u", "u")
        assert ui.app.session == after_training(repeated, 100)
        await ui.press("u", "u")
        assert ui.app.session == MOONS


async def test_the_form_splits_and_says_why_it_does_not(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.press("1")
        await ui.to_field("validation")
        await ui.type("half")
        assert "is not a share" in " ".join(ui.form.split())
        await ui.type("0.2")
        await ui.press("enter")
        assert ui.app.session.validation == 40
