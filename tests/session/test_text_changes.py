"""Transitions of the generated text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_backprop.data.passage import Passage
from tui_backprop.session.letter_blame import generated
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import MOST_KEPT, TEMPERATURES, GeneratedText, Text
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.text_changes import (
    appended,
    begin_text,
    change_temperature,
    is_complete,
    move_letter,
    next_text,
    previous_text,
    walk_letter,
    with_text,
)
from tui_backprop.session.transitions import at_rank, inspect, walk_passage
from tui_backprop.session.undo import UndoHistory
from tui_backprop.session.validation import check
from tui_backprop.support.errors import InputError

GPT = from_preset("microgpt")
WORD = appended(GPT, "kar", True)


def test_the_cursor_goes_to_the_last_letter_and_moves_within_the_text():
    assert WORD.text == GeneratedText("kar", True, letter=4)
    assert move_letter(WORD, 1) == WORD
    assert [move_letter(WORD, -n).text.letter for n in (1, 3, 9)] == [3, 1, 1]
    assert move_letter(GPT, -1) == GPT


def test_a_text_is_complete_at_its_end_or_at_that_of_the_context():
    assert is_complete(WORD)
    assert is_complete(appended(GPT, "a" * 16, False))
    assert not is_complete(appended(GPT, "a" * 15, False))


def test_the_next_text_begins_with_other_draws_and_an_empty_one_stays():
    after = next_text(change_temperature(WORD, 1))
    kept = Text("kar", True, 0, 4)
    assert after.text == GeneratedText(series=1, temperature=0.75, kept=(kept,))
    assert next_text(after) == begin_text(after) == after
    assert previous_text(WORD) == WORD


def test_texts_are_shown_again_as_they_were_with_the_letter_that_was_chosen():
    first = move_letter(WORD, -2)
    second = move_letter(appended(next_text(first), "emm", False), -1)
    back = previous_text(second)
    assert back.text.passage == Passage("kar", 2)
    assert next_text(back) == second
    assert previous_text(next_text(second)) == second
    assert begin_text(back).text.series == 2
    for each in (first, second, back, begin_text(back)):
        check(each)
        assert decode(encode(each)) == each


def test_a_text_that_ended_at_once_is_kept():
    ended = appended(GPT, "", True)
    assert previous_text(next_text(ended)) == ended


def test_of_many_texts_the_latest_ones_are_kept():
    session = WORD
    for _ in range(MOST_KEPT + 5):
        session = appended(next_text(session), "a", True)
    check(session)
    assert [each.series for each in session.text.kept] == [*range(5, MOST_KEPT + 5)]
    for _ in range(MOST_KEPT + 5):
        session = previous_text(session)
    assert (session.text.series, len(session.text.kept)) == (5, MOST_KEPT)


def test_at_another_letter_or_text_the_weight_most_to_blame_is_chosen():
    asked = inspect(at_rank(WORD, 3), "Wq", (0, 0))
    for moved in (move_letter(asked, -1), next_text(asked), appended(next_text(WORD), "a", False)):
        assert (moved.inspection.rank, moved.inspection.number) == (0, None)
    for same in (move_letter(asked, 1), change_temperature(asked, 1)):
        assert same.inspection == asked.inspection


def test_temperatures_end_at_both_ends():
    assert change_temperature(WORD, 99).text.temperature == TEMPERATURES[-1]
    assert change_temperature(WORD, -99).text.temperature == TEMPERATURES[0] == 0


def test_the_text_of_a_passage_is_shown_at_its_letter_or_at_its_last_one():
    assert with_text(walk_passage(GPT, Passage("emma", 2))).text == GeneratedText("emma", True, letter=2)
    assert with_text(walk_passage(GPT, Passage("emma"))).text.letter == 5
    assert with_text(walk_passage(GPT, Passage("a" * 16))).text == GeneratedText("a" * 16, False, letter=16)
    assert with_text(GPT) == GPT
    after = with_text(walk_passage(WORD, Passage("emma", 2)))
    assert previous_text(after).text.passage == Passage("kar", 4)


def test_walking_a_letter_goes_to_the_loss_of_that_letter():
    there = walk_letter(move_letter(WORD, -2))
    assert there.passage == Passage("kar", 2)
    assert walk_letter(GPT) == GPT
    rnn = walk_letter(appended(from_preset("rnn"), "kar", True))
    assert rnn.passage == Passage("kar", 4)
    check(there)
    check(rnn)


def test_moves_over_letters_are_undone_together():
    history = UndoHistory(WORD)
    for _ in range(3):
        history = history.go(move_letter(history.now, -1))
    assert history.undo().now == WORD


def test_moves_over_letters_that_release_a_weight_are_undone_together():
    asked = inspect(at_rank(WORD, 3), "Wq", (0, 0))
    history = UndoHistory(asked)
    for _ in range(3):
        history = history.go(move_letter(history.now, -1))
    assert history.undo().now == asked


@pytest.mark.parametrize("session", [WORD, walk_letter(WORD), next_text(change_temperature(WORD, 2))])
def test_a_token_keeps_the_text(session):
    assert decode(encode(session)) == session


@pytest.mark.parametrize(
    "text",
    [
        GeneratedText("kar", letter=0),
        GeneratedText("kar", letter=4),
        GeneratedText("Kar", letter=1),
        GeneratedText("a" * 17, letter=1),
        GeneratedText("a" * 16, True, letter=1),
        GeneratedText(letter=1),
        GeneratedText(temperature=0.3),
        GeneratedText(series=-1),
        GeneratedText(series=10**9),
        GeneratedText(series=1, kept=(Text(),)),
        GeneratedText(series=0, kept=(Text("kar", True, 0, 1),)),
        GeneratedText(series=2, kept=(Text("kar", True, 0, 9),)),
        GeneratedText(series=2, kept=(Text("kar", True, 1, 1), Text("emma", True, 0, 1))),
        GeneratedText(series=99, kept=tuple(Text("a", True, k, 1) for k in range(MOST_KEPT + 1))),
    ],
)
def test_a_text_that_no_key_makes_is_refused(text):
    with pytest.raises(InputError):
        check(replace(GPT, text=text))


def test_a_network_that_takes_no_text_has_none():
    with pytest.raises(InputError, match="does not apply"):
        check(replace(Session(), text=GeneratedText("kar", letter=1)))


def test_generating_goes_on_after_what_is_there():
    replay = Replay()
    whole = generated(GPT, 0, replay)
    some = replace(GPT, text=generated(GPT, 2, replay))
    assert some.text.characters == whole.characters[:2]
    assert generated(some, 0, replay) == whole
