"""The network form: fields, choices, applying."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import SYMBOLS, UPDATE_RULES
from tui_backprop.session.form_fields import FIELDS, fields_in_sight
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import after_training
from tui_backprop.tui.widgets.form_rows import Editor

CHOICES = {field.name: field.choices for field in FIELDS}


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
        assert "enter applies it, esc reverts" in ui.form
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
        seen = [panel.form.row]
        for _ in ui.fields:
            await ui.press("down")
            seen.append(panel.form.row)
        assert sorted(seen[1:]) == list(range(len(ui.fields)))
        assert seen[0] == seen[-1]
        await ui.press("up")
        assert panel.form.row == seen[-2]


async def test_left_and_right_go_through_the_choices_and_round(open_app):
    async with open_app() as ui:
        await ui.to_field("activation")
        choices = CHOICES["activation"]
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
        shown = {name: ui.field(name) for name in ui.fields}
        wanted = {name: texts_of(from_preset(preset))[name] for name in ui.fields}
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
        assert "sample 0" in ui.status


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
        assert "sample 2" in ui.status


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
        await ui.pilot.click("#network-view", offset=(14, ui.form_layout.index("batch")))
        await ui.settled()
        await ui.type("4")
        await ui.press("enter")
        assert "samples 0-3" in ui.status


async def test_every_option_of_the_network_can_be_built(open_app):
    async with open_app(from_preset("vanishing"), size=(120, 50)) as ui:
        for name in ("layer-norm", "residual"):
            await ui.choose(name, "on")
        for name, text in (("dropout", "0.25"), ("l2", "1e-3"), ("layers", "2,6,6,2")):
            await ui.to_field(name)
            await ui.type(text)
        await ui.choose("optimizer", "adamw")
        await ui.press("enter")
        network = replace(
            PRESETS["vanishing"].network,
            layers=(2, 6, 6, 2),
            layer_norm=True,
            residual=True,
            dropout=0.25,
            l2=0.001,
        )
        assert ui.app.session.network == network
        assert ui.app.session.optimizer == OptimizerSpec("adamw")
        assert re.search(r"^2×6 \+ 3×6 +30\n6×6 \+ 3×6 +54\n6×2 \+ 2 +14\n", ui.form, re.MULTILINE)
        await ui.press("f3", "end")
        assert "W3'" in ui.walk
        await ui.press("f2")
        await ui.choose("layer-norm", "off")
        await ui.press("enter")
        assert ui.app.session.network == replace(network, layer_norm=False)


ODD = Session(
    NetworkSpec((784, 30, 20, 10), "relu,tanh", init="normal:0.02", dropout=0.123456789, bias=False),
    optimizer=OptimizerSpec("adam", momentum=0.8, rho=1 / 3, schedule="cosine", clip=2),
)


async def test_what_the_form_has_no_field_or_choice_for_outlives_another_edit(open_app):
    async with open_app(ODD) as ui:
        assert ui.field("activation") == "relu,tanh"
        assert ui.field("init") == "normal:0.02"
        await ui.to_field("batch")
        await ui.type("3")
        await ui.press("enter")
        assert ui.app.session == replace(ODD, batch=3)
        await ui.choose("optimizer", "adamw")
        await ui.press("enter")
        assert ui.app.session.optimizer == replace(ODD.optimizer, name="adamw")
        assert ui.app.session.network == ODD.network


@pytest.mark.parametrize("name", ["activation", "init"])
async def test_a_choice_of_the_session_alone_is_one_of_those_to_turn_to(open_app, name):
    async with open_app(ODD) as ui:
        await ui.to_field(name)
        own, seen = ui.field(name), []
        for _ in range(len(CHOICES[name]) + 1):
            seen.append(ui.field(name))
            await ui.press("right")
        assert seen == [own, *CHOICES[name]]
        assert ui.field(name) == own
        assert "enter builds" not in ui.form


async def test_another_optimizer_goes_on_with_training_and_keeps_the_place(open_app):
    async with open_app() as ui:
        await ui.press("right", "right", "t", "t")
        await ui.choose("optimizer", "momentum")
        assert "keeps the 2 updates so far" in ui.form
        await ui.press("enter")
        assert "iteration 2, step 2/" in ui.status
        await ui.press("f3", "t", "t", "t")
        assert "iteration 5, step 2/" in ui.status


@pytest.mark.parametrize("size", [(60, 18), (60, 20), (80, 24)])
async def test_every_field_can_be_reached_and_edited_where_rows_are_short(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("f2")
        panel = ui.app.query_one("#network")
        for _ in ui.fields:
            field = panel.form.field
            (row,) = [
                y for y, text in enumerate(ui.screen.splitlines()) if text.startswith(f" {field.label:<10}")
            ]
            if field.choices:
                assert "‹" in ui.screen.splitlines()[row]
            else:
                assert panel.query_one("Editor").region.y == row
            await ui.press("down")


async def test_a_click_where_the_fields_are_scrolled_selects_the_one_that_is_seen(open_app):
    async with open_app(size=(60, 18)) as ui:
        await ui.press("f2", "up", "up")
        assert "more fields" in ui.form
        at = next(y for y, text in enumerate(ui.form.splitlines()) if text.startswith("batch"))
        await ui.pilot.click("#network-view", offset=(14, at))
        await ui.settled()
        assert ui.app.query_one("#network").form.field.name == "batch"


async def test_the_editor_stays_on_its_row_when_the_terminal_changes_its_size(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.to_field("seed")
        for size in ((60, 18), (120, 40), (80, 24)):
            await ui.resize(*size)
            row = next(y for y, text in enumerate(ui.screen.splitlines()) if re.search(r"^[ │]+seed ", text))
            assert ui.app.query_one("#network").query_one("Editor").region.y == row


async def test_what_an_input_says_late_is_not_put_into_another_field(open_app):
    """Keys that are pressed in a hurry change the text of a field that is being left."""
    async with open_app() as ui:
        await ui.to_field("layers")
        editor = ui.app.query_one(Editor)
        await ui.press("down")
        editor.post_message(Editor.Changed(editor, "784,9,10"))
        await ui.press("right")
        assert ui.field("activation") == "leaky-relu"
        await ui.to_field("seed")
        editor.post_message(Editor.Changed(editor, "784,9,10"))
        await ui.settled()
        assert ui.field("seed") == "0"


async def test_letters_on_a_choice_choose_and_do_nothing_else(open_app):
    """What is typed belongs to the form, also where its row is no text: it steps no walk and opens no panel."""
    async with open_app() as ui:
        await ui.to_field("activation")
        before = ui.app.session
        await ui.press(*"s")
        assert ui.field("activation") == "silu"
        await ui.press(*"s")
        assert ui.field("activation") == "softplus"
        await ui.press(*"oT784,abc10dqnQ?")  # no choice begins with "soT" or any of the others
        assert ui.field("activation") == "softplus"
        assert (ui.focused, ui.app.session, len(ui.app.screen_stack)) == ("network", before, 1)
        await ui.press("f1")
        assert len(ui.app.screen_stack) == 2


async def test_a_choice_is_typed_by_its_first_letters_and_what_begins_none_is_refused_in_sight(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.to_field("activation")
        await ui.press(*"leaky-")
        assert ui.field("activation") == "leaky-relu"
        await ui.press("x")
        assert ui.field("activation") == "leaky-relu"
        assert 'activation: no choice begins with "leaky-x"; choose from relu' in " ".join(ui.form.split())
        await ui.press("escape")
        assert "begins with" not in ui.form
        await ui.press(*"tanh")
        assert ui.field("activation") == "tanh"
        await ui.press(*"silu")  # after a whole one, another
        assert ui.field("activation") == "silu"
        await ui.to_field("init")
        await ui.press(*"lec")
        assert ui.field("init") == "lecun"
        await ui.press("up", "down", *"h")
        assert ui.field("init") == "he"


async def test_only_the_settings_of_the_chosen_optimizer_are_shown(open_app):
    async with open_app() as ui:
        usual = ui.fields
        for name, row in UPDATE_RULES.items():
            await ui.choose("optimizer", name)
            at = ui.fields.index("lr") + 1
            assert ui.fields[at:] == [*row.settings, *usual[usual.index("lr") + 1 :]]
            lines = ui.form.splitlines()
            labels = [lines[ui.form_layout.index(name)][:10].strip() for name in row.settings]
            assert [label[-len(SYMBOLS[s]) :] for label, s in zip(labels, row.settings, strict=True)] == [
                SYMBOLS[s] for s in row.settings
            ]


async def test_every_setting_of_an_optimizer_can_be_typed_and_built(open_app):
    async with open_app(from_preset("xor")) as ui:
        await ui.choose("optimizer", "adamw")
        for name, text in (("beta1", "0.8"), ("beta2", "0.95"), ("epsilon", "1e-5"), ("weight-decay", "0.1")):
            await ui.to_field(name)
            await ui.type(text)
        await ui.choose("decay-bias", "weights only")
        await ui.to_field("l2")
        await ui.type("0.01")
        await ui.choose("l2-bias", "all parameters")
        await ui.press("enter")
        wanted = OptimizerSpec(
            "adamw", beta1=0.8, beta2=0.95, epsilon=1e-5, weight_decay=0.1, decay_bias=False
        )
        assert ui.app.session.optimizer == wanted
        assert (ui.app.session.network.l2, ui.app.session.network.l2_bias) == (0.01, True)
        await ui.press("f3", "end")
        assert "weights only" in " ".join(ui.walk.split())


async def test_which_parameters_decay_is_asked_only_where_something_decays(open_app):
    async with open_app() as ui:
        assert not {"decay-bias", "l2-bias"} & set(ui.fields)
        for name, scope in (("weight-decay", "decay-bias"), ("l2", "l2-bias")):
            await ui.to_field(name)
            await ui.type("0.1")
            assert scope in ui.fields
            await ui.type("0.0")
            assert scope not in ui.fields


async def test_a_bad_value_in_a_row_that_is_hidden_again_does_not_block_the_form(open_app):
    async with open_app() as ui:
        await ui.choose("optimizer", "adam")
        await ui.to_field("beta1")
        await ui.type("1")
        assert "β₁: " in ui.message
        await ui.choose("optimizer", "momentum")
        assert "β₁" not in ui.form
        await ui.press("enter")
        assert ui.app.session.optimizer == OptimizerSpec("momentum")


async def test_escape_on_a_row_that_its_revert_hides_selects_the_row_before_it(open_app):
    async with open_app() as ui:
        await ui.choose("optimizer", "adam")
        await ui.to_field("epsilon")
        await ui.type("1e-3")
        await ui.press("escape")
        panel = ui.app.query_one("#network")
        assert panel.form.field.name == "lr"
        await ui.type("0.25")
        await ui.press("enter")
        assert (ui.app.session.lr, ui.app.session.optimizer) == (0.25, OptimizerSpec())


@pytest.mark.parametrize(("size", "decay"), [((80, 24), 0.0), ((120, 40), 0.1)])
async def test_the_form_of_adamw_fits_and_with_weight_decay_a_large_screen(open_app, size, decay):
    session = Session(optimizer=OptimizerSpec("adamw", weight_decay=decay))
    async with open_app(session, size=size) as ui:
        await ui.press("f2")
        assert "more fields" not in ui.form
        labels = [text[:10].strip() for text in ui.form.splitlines()[: len(ui.form_layout)]]
        assert [label for label in labels if label] == [
            field.label.strip() for field in fields_in_sight(texts_of(session))
        ]
        await ui.to_field("epsilon")
        await ui.type("-1")
        beside = 38 if size[0] == 80 else 0  # columns of the fields, where the message stands beside them
        text = " ".join(" ".join(row[beside:] for row in ui.form.splitlines()).split())
        assert 'ε: "-1" is not a positive number, such as 1e-8 esc reverts it' in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_an_edited_field_shows_its_beginning_and_where_it_is_cut_a_mark(open_app, size):
    async with open_app(size=size) as ui:
        await ui.press("1")
        row = next(row for row in ui.screen.splitlines() if "layers " in row and "784" in row)
        assert "layers     784,256,256,256,10" in row or "layers    784,256,256,256,10" in row
        await ui.type(",".join(["784", *["256"] * 20, "10"]))
        await ui.press("down", "up")
        assert " 784,256" in ui.screen.splitlines()[ui.app.query_one("Editor").region.y]
        await ui.press("end")
        assert "…" in ui.screen.splitlines()[ui.app.query_one("Editor").region.y]
        await ui.press("home")
        line = ui.screen.splitlines()[ui.app.query_one("Editor").region.y]
        assert "784,256" in line
        assert "…" in line


async def test_the_form_says_which_edits_restart_training_before_they_do(open_app):
    async with open_app(after_training(from_preset("xor"), 3), size=(80, 24)) as ui:
        await ui.press("1")
        assert "training" not in ui.form
        await ui.to_field("lr")
        await ui.type("0.25")
        assert "keeps the 3 updates so far" in ui.form
        await ui.press("escape")
        await ui.to_field("seed")
        await ui.type("5")
        assert "restarts training: 3 updates lost" in ui.form


async def test_a_choice_of_data_says_what_else_it_changes(open_app):
    async with open_app(size=(80, 24)) as ui:
        await ui.choose("data", "moons")
        assert "also adapted: layers" in ui.form


async def test_a_long_choice_is_shown_whole_where_the_form_is_narrow(open_app):
    async with open_app(size=(120, 40)) as ui:
        await ui.to_field("data")
        await ui.choose("data", "xor")
        await ui.choose("loss", "binary-cross-entropy")
        assert "‹ binary-cross-entropy ›" in ui.form
        await ui.press("down")
        assert "binary-cross-entropy" in ui.form


async def test_an_expression_is_edited_with_the_column_of_an_error(open_app):
    async with open_app(from_preset("logistic-neuron")) as ui:
        await ui.to_field("expr")
        assert ui.field("expr").startswith("z = w*x + b")
        await ui.type("L = (w*x - y")
        assert "formula: column 5:" in " ".join(ui.form.split())
        await ui.type("L = (w*x - y)**2 + b")
        await ui.press("enter")
        assert ui.app.session.network.text == "L = (w*x - y)**2 + b"
        await ui.to_field("let")
        await ui.type("w=2, x:=3, b=1")
        assert '"y" has no value' in " ".join(ui.form.split())
        await ui.press("escape")
        assert ui.app.session.network.text == "L = (w*x - y)**2 + b"
