"""The network form: fields, choices, applying."""

from __future__ import annotations

import re

import pytest

from tui_backprop.presets import PRESETS
from tui_backprop.session import from_preset
from tui_backprop.ui.form import FIELDS, texts_of

ROWS = {field.name: i for i, field in enumerate(FIELDS)}


async def test_f2_takes_the_keys_to_the_form_and_f3_back_to_the_walk(open_app):
    async with open_app() as ui:
        await ui.press("f2")
        assert ui.focused == "network"
        assert "apply" in ui.keys
        await ui.press("f3")
        assert ui.focused == "walk"
        assert "step" in ui.keys
        await ui.press("right")
        assert ui.step == 1


async def test_enter_builds_the_network_that_was_typed(open_app):
    async with open_app() as ui:
        await ui.press("end")
        await ui.to_field("layers")
        await ui.type("784,32,10")
        assert "784·256·256·256·10" in ui.status
        assert "enter builds this network" in ui.form
        await ui.press("enter")
        assert "784·32·10" in ui.status
        assert "step 0/" in ui.status
        assert "(1,784)" in ui.walk
        assert ui.field("preset") == "custom"


async def test_the_parameter_sum_is_shown_while_typing_and_adds_up(open_app):
    async with open_app() as ui:
        terms = re.findall(r"^([\d,]+)×([\d,]+) \+ ([\d,]+) +([\d,]+)$", ui.form, re.MULTILINE)
        whole = [[int(n.replace(",", "")) for n in term] for term in terms]
        assert len(whole) == 4
        assert all(i * o + b == total for i, o, b, total in whole)
        assert sum(total for *_, total in whole) == 335_114
        await ui.to_field("layers")
        await ui.type("784,100,10")
        assert re.search(r"^784×100 \+ 100 +78,500\n100×10 \+ 10 +1,010\n", ui.form, re.MULTILINE)
        assert re.search(r"^parameters +79,510$", ui.form, re.MULTILINE)


async def test_up_and_down_go_through_the_fields_and_round(open_app):
    async with open_app() as ui:
        await ui.press("1")
        panel = ui.app.query_one("#network")
        seen = [panel._row]
        for _ in FIELDS:
            await ui.press("down")
            seen.append(panel._row)
        assert sorted(seen[1:]) == list(range(len(FIELDS)))
        assert seen[0] == seen[-1]
        await ui.press("up")
        assert panel._row == seen[-2]


async def test_left_and_right_go_through_the_choices_and_round(open_app):
    async with open_app() as ui:
        await ui.to_field("activation")
        choices = FIELDS[ROWS["activation"]].choices
        seen = []
        for _ in choices:
            seen.append(ui.field("activation"))
            await ui.press("right")
        assert seen == list(choices)
        assert ui.field("activation") == seen[0]
        await ui.press("left")
        assert ui.field("activation") == seen[-1]
        assert "relu" in ui.status  # nothing is built before enter
        await ui.press("enter")
        assert seen[-1] in ui.status


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "lesson"])
async def test_a_preset_fills_all_fields_and_enter_opens_it(open_app, preset):
    async with open_app() as ui:
        await ui.choose("preset", preset)
        shown = {name: ui.field(name) for name in ROWS}
        wanted = texts_of(from_preset(preset))
        assert {n: v.rstrip("…") for n, v in shown.items()} == {
            n: v[: len(shown[n].rstrip("…"))] for n, v in wanted.items()
        }
        await ui.press("enter")
        assert ui.app.session == from_preset(preset)
        assert f"{ui.app.session.network.parameters:,}" in ui.form


async def test_a_data_set_makes_layers_and_loss_fit(open_app):
    async with open_app() as ui:
        await ui.to_field("sample")
        await ui.type("7")
        await ui.choose("data", "sine")
        assert ui.field("layers") == "1,256,256,256,1"
        assert ui.field("loss") == "mse"
        assert ui.field("sample") == "0"
        await ui.press("enter")
        assert "sine 0" in ui.status


async def test_letters_typed_into_a_field_are_text_and_no_commands(open_app):
    async with open_app() as ui:
        await ui.to_field("seed")
        before = ui.app.session
        await ui.press("ctrl+e", "ctrl+u", *"nqtr?[] 3lh$m")
        assert ui.field("seed") == "nqtr?[] 3lh$m"
        assert ui.app.session == before
        assert ui.app.is_running
        assert len(ui.app.screen_stack) == 1


async def test_an_edit_that_is_not_applied_outlives_what_happens_elsewhere(open_app):
    async with open_app() as ui:
        await ui.to_field("layers")
        await ui.type("784,32,10")
        await ui.press("f3", "n", "right", "t")
        assert ui.field("layers") == "784,32,10"
        assert "784·256·256·256·10" in ui.status
        await ui.press("f2", "enter")
        assert "784·32·10" in ui.status


async def test_an_edit_of_another_field_does_not_take_back_the_sample_chosen_meanwhile(open_app):
    async with open_app() as ui:
        await ui.to_field("layers")
        await ui.type("784,32,10")
        await ui.press("f3", "n", "n", "f2", "enter")
        assert "digits 2" in ui.status


async def test_a_new_rate_keeps_the_training_so_far(open_app):
    async with open_app() as ui:
        await ui.press("t", "t")
        await ui.to_field("lr")
        await ui.type("0.5")
        await ui.press("enter")
        assert ui.app.session.lr == 0.5
        assert "iteration 2" in ui.status


async def test_a_click_on_a_row_selects_it(open_app):
    async with open_app() as ui:
        await ui.pilot.click("#network-view", offset=(14, ROWS["batch"]))
        await ui.settled()
        await ui.type("4")
        await ui.press("enter")
        assert "digits 0 and 3 more" in ui.status
