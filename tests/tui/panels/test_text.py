"""The text panel, by its keys: text is generated, and a letter leads to what made it and to a changed weight."""

from __future__ import annotations

import math
import re

import pytest

from tui_backprop.data.passage import Passage
from tui_backprop.session.letter_blame import chosen_weight
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.text_changes import with_text
from tui_backprop.session.transitions import after_training, walk_passage

TRAINED = after_training(from_preset("microgpt"), 100)
WORD = with_text(walk_passage(TRAINED, Passage("kareta")))


def text(ui):
    return ui.app.view("text").text


def state(ui):
    return ui.app.session.text


def findings(ui):
    return ui.app.queries.results["text"].found


def chosen(ui):
    return chosen_weight(ui.app.session, findings(ui).weights)


async def test_letters_come_one_by_one_and_make_the_text_that_comes_all_at_once(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G", "space")
        assert len(state(ui).characters) == state(ui).letter == 1
        for _ in range(20):
            if not state(ui).ended:
                await ui.press("space")
        one_by_one = state(ui)
        assert one_by_one.ended
        assert one_by_one.letter == one_by_one.letters
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G", "g")
        assert state(ui) == one_by_one


async def test_a_text_is_shown_again_as_it_was_after_training(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G", "N")
        assert "no text before this one" in ui.keys
        await ui.press("n")
        assert "this text is empty; space generates its first letter" in ui.keys
        await ui.press("g", "left")
        first = state(ui).passage
        await ui.press("n", "g")
        second = state(ui).passage
        await ui.press("t", "right_square_bracket", "N")
        assert state(ui).passage == first
        await ui.press("n")
        assert state(ui).passage == second
        await ui.press("u", "u")
        assert state(ui).passage == second
        await ui.press("N", "g")
        assert state(ui).series == 2


async def test_after_the_end_the_next_text_begins_and_undo_brings_the_last_one_back(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G", "g")
        first = state(ui)
        await ui.press("g")
        assert state(ui).series == 1
        assert state(ui).ended
        await ui.press("u")
        assert state(ui) == first
        assert "undone: text" in ui.keys


async def test_a_key_after_a_generating_one_is_about_the_new_letters(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G")
        await ui.press("g", "left")
        assert state(ui).letter == max(state(ui).letters - 1, 1)


async def test_the_temperature_is_chosen_and_0_generates_the_most_likely_letter(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G", *["left_square_bracket"] * 9)
        assert state(ui).temperature == 0
        assert "[0]" in text(ui)
        await ui.press("space")
        blame = findings(ui).blame
        assert blame.p[blame.target] == max(blame.p)
        await ui.press(*["right_square_bracket"] * 9)
        assert state(ui).temperature == 2


async def test_enter_walks_the_text_with_the_loss_of_the_letter_and_n_goes_back_to_the_samples(open_app):
    async with open_app(WORD, size=(120, 40)) as ui:
        await ui.press("G", "left", "left")
        assert state(ui).letter == 5
        p = findings(ui).p[4]
        await ui.press("enter")
        assert ui.focused == "walk"
        assert ui.app.session.passage == Passage("kareta", 5)
        assert ui.app.snapshot.iteration.loss == pytest.approx(-math.log(p), rel=1e-12)
        assert ui.app.snapshot.step.tensor == "L"
        assert ui.app.snapshot.on_axes["position"] == 4
        assert '"kareta", letter 5' in ui.status
        await ui.press("n")
        assert ui.app.session.passage is None
        assert f"sample {TRAINED.sample}" in ui.status
        await ui.press("u")
        assert ui.app.session.passage == Passage("kareta", 5)


async def test_b_ranks_all_weights_by_their_blame_for_the_letter(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "left")
        first = findings(ui).weights[0]
        await ui.press("b")
        assert ui.focused == "blame"
        chosen = ui.app.ranking.blame_state.chosen
        assert (chosen.tensor, chosen.index, chosen.gradient) == (first.tensor, first.index, first.gradient)
        assert ui.app.session.passage == Passage("kareta", 6)


@pytest.mark.parametrize(("keys", "by"), [(["minus"], -0.01), (["plus", "plus"], 0.02), (["x"], None)])
async def test_a_weight_is_fixed_by_a_key_and_the_letter_s_probability_changes(open_app, keys, by):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "left", "left", "down")
        weight, before = findings(ui).weights[1], findings(ui).p[4]
        said = re.search(r"\+0\.01 changes p of this letter by (\S+) to", " ".join(text(ui).split()))
        await ui.press(*keys)
        (edit,) = ui.app.session.edits
        assert (edit.tensor, edit.index) == (weight.tensor, weight.index)
        assert edit.by == pytest.approx(-weight.value if by is None else by)
        now = findings(ui)
        assert now.before[4] == pytest.approx(before, rel=1e-12)
        change = -weight.gradient * edit.by * before  # dp = -p dL, to first order
        assert (now.p[4] - before) * change > 0
        if by is not None:
            assert now.p[4] - before == pytest.approx(change, rel=0.2)
            assert float(said[1].replace("−", "-")) == pytest.approx(change * 0.01 / by, rel=0.05)
        assert now.p[4] == pytest.approx(math.exp(-ui.app.snapshot.iteration.loss), rel=1e-12)
        assert f"edited: {weight.tensor}" in text(ui)
        assert "p of this letter" in text(ui)
        assert f"[{weight.tensor}[" in text(ui)
        assert "p was" in ui.keys
        await ui.press(*["u"] * len(keys))
        assert not ui.app.session.edits
        assert findings(ui).p[4] == pytest.approx(before, rel=1e-12)


async def test_the_cursor_moves_from_the_weight_that_was_edited(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "left", "left", "down", "down", "minus")
        weights, edit = findings(ui).weights, ui.app.session.edits[0]
        places = [(each.tensor, each.index) for each in weights]
        at = places.index((edit.tensor, edit.index))
        await ui.press("down")
        below = places[min(at + 1, len(places) - 1)]
        assert f"[{below[0]}[" in text(ui)
        assert (chosen(ui).tensor, chosen(ui).index) == below
        await ui.press("up")
        assert (chosen(ui).tensor, chosen(ui).index) == places[at]


async def test_a_text_that_was_given_is_there_after_the_next_ones(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G")
        given = state(ui)
        await ui.press("g")
        assert state(ui).series == 1
        assert state(ui).characters != "kareta"
        await ui.press("n", "N", "N")
        assert state(ui).passage == given.passage
        await ui.press("g")
        assert state(ui).series == 2


async def test_at_another_letter_the_weight_most_to_blame_is_changed_not_the_one_before(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "left", "left", "down", "down", "minus", "left")
        first = findings(ui).weights[0]
        assert chosen(ui) == first
        await ui.press("plus")
        assert {(edit.tensor, edit.index) for edit in ui.app.session.edits} > {(first.tensor, first.index)}


async def test_a_weight_is_changed_just_enough_to_predict_the_letter(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "left", "left")
        blame, place = findings(ui).blame, chosen(ui)
        assert blame.p.argmax() != blame.target
        await ui.press("X")
        (edit,) = ui.app.session.edits
        assert (edit.tensor, edit.index) == (place.tensor, place.index)
        assert findings(ui).blame.p.argmax() == blame.target
        assert "changed just enough to flip; p was" in ui.keys


async def test_the_prediction_of_a_walked_letter_is_flipped_in_blame_that_of_a_text_is_not(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("b", "X")
        assert "a text has many predictions; choose a letter of it: G" in ui.keys
        assert not ui.app.session.edits
        await ui.press("G", "left", "left", "b", "X")
        assert "changed just enough to flip" in ui.keys
        assert len(ui.app.session.edits) == 1
        await ui.press("C")
        assert [note.message for note in ui.app._notifications] == [
            "A text has a prediction for each letter, and no class as a whole; G shows its letters."
        ]


async def test_a_weight_that_is_0_already_stays(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G", "x")
        edits = ui.app.session.edits
        await ui.press("x")
        assert ui.app.session.edits == edits
        assert "is 0 already" in ui.keys


async def test_without_a_letter_keys_say_how_to_make_one(open_app):
    async with open_app(TRAINED, size=(80, 24)) as ui:
        await ui.press("G")
        for key in ("left", "enter", "b", "plus", "x", "X", "down"):
            await ui.press(key)
            assert "no letters yet; space generates the next one" in ui.keys
            assert ui.focused == "text"
        assert ui.app.session.text == TRAINED.text


async def test_a_network_without_text_has_no_tab_for_it_and_says_so(open_app):
    async with open_app(from_preset("xor"), size=(120, 40)) as ui:
        assert "text" not in ui.tabs
        await ui.press("G", "space")
        assert "takes no text" in text(ui)
        assert "takes no text" in ui.keys
        assert " G text" in ui.tabs
        await ui.press("2")
        assert "text" not in ui.tabs


async def test_the_tab_is_there_for_a_network_that_takes_text(open_app):
    async with open_app(TRAINED, size=(120, 40)) as ui:
        assert " G text" in ui.tabs


async def test_logits_that_are_not_finite_are_reported_in_one_line(open_app):
    bad = after_training(Session(TRAINED.network, "names", lr=1e300), 2)
    async with open_app(bad, size=(80, 24)) as ui:
        await ui.press("G", "space")
        (notice,) = ui.app._notifications
        assert (
            notice.message
            == "Could not generate text: its logits are not finite, so that they predict no token"
        )
        assert not state(ui).characters


async def test_training_renews_what_is_shown_of_the_letter(open_app):
    async with open_app(WORD, size=(80, 24)) as ui:
        await ui.press("G")
        before = findings(ui).p
        await ui.press("t")
        assert ui.app.session.t == 101
        assert ui.app.session.passage == WORD.passage
        assert findings(ui).p != before
