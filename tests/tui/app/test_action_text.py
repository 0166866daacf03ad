"""What undo and redo say was done: told by what differs between two sessions."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.having import PART_OF, PARTS, having
from tui_backprop.data.passage import Passage
from tui_backprop.session import bookmark_changes
from tui_backprop.session import transitions as moves
from tui_backprop.session.state import Session, from_preset
from tui_backprop.tui.app.action_text import WORDS, action_words

MARKED = bookmark_changes.add_bookmark(Session())
TRAINED = moves.after_training(Session(), 1000)
FAR = having(TRAINED, items=MARKED.bookmarks.items)
XOR, GPT = from_preset("xor"), from_preset("microgpt")
ACTIONS = {
    "training 1,000 updates": (Session(), TRAINED),
    "training 1 update": (Session(), moves.after_update(Session())),
    "return to iteration 990": (TRAINED, moves.at_iteration(TRAINED, TRAINED, 990)),
    "return to iteration 0": (TRAINED, moves.restart(TRAINED)),
    "step into the next iteration": (moves.at_step(Session(), 20), moves.step_on(moves.at_step(Session(), 20), 21)),
    "step into the previous iteration": (TRAINED, moves.step_back(TRAINED, 21)),
    "sample": (Session(), moves.next_sample(Session())),
    'walk of "emma", letter 3': (GPT, moves.walk_passage(GPT, Passage("emma", 3))),
    "step": (Session(), moves.at_step(Session(), 4)),
    "grain of the walk": (moves.at_step(Session(), 4), moves.next_grain(moves.at_step(Session(), 4))),
    "unit": (Session(), moves.select(Session(), 1, 7)),
    "cursor in the ranking": (moves.inspect(Session(), "W1", (0, 0)), moves.at_rank(Session(), 3)),
    "layer of the ranking": (moves.at_rank(Session(), 3), moves.next_ranked_layer(Session(), 1)),
    "measure of the ranking": (moves.at_rank(Session(), 3), moves.next_measure(Session())),
    "inspection of W2[13,200]": (Session(), moves.inspect(Session(), "W2", (13, 200))),
    "edit of W2[13,200]": (
        Session(),
        moves.edit_parameter(moves.inspect(Session(), "W2", (13, 200)), "W2", (13, 200), 0.01),
    ),
    "setting bookmark 2": (MARKED, bookmark_changes.add_bookmark(MARKED)),
    "deleting bookmark 1": (MARKED, bookmark_changes.delete_bookmark(MARKED)),
    "going to bookmark 1": (FAR, bookmark_changes.to_bookmark(FAR)),
    "bookmark held": (MARKED, bookmark_changes.hold_bookmark(MARKED)),
    "network 2·2·1": (TRAINED, XOR),
    "choice of errors": (Session(), moves.choose_confusion(Session(), (7, 2))),
    "step size": (Session(), moves.change_step_index(Session(), 2)),
    "": (TRAINED, TRAINED),
}  # fmt: skip


@pytest.mark.parametrize("words", ACTIONS)
def test_an_action_is_told_by_what_it_changed(words):
    assert action_words(*ACTIONS[words]) == words


def test_training_after_a_parameter_was_moved_is_called_training():
    fixed = moves.edit_parameter(Session(), "W2", (1, 1), 0.5)
    assert action_words(fixed, moves.after_update(fixed)) == "training 1 update"


def test_every_field_of_a_session_has_words():
    names = {field.name for field in fields(Session)} - {*PARTS}
    names |= {f"{part}.{name}" for name, part in PART_OF.items()}
    assert names - {*WORDS} == set()


def test_a_field_without_words_is_called_by_its_name(monkeypatch):
    monkeypatch.delitem(WORDS, "cost.lesson_clock")
    assert action_words(Session(), moves.toggle_clock(Session())) == "lesson clock"
