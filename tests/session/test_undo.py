"""Undo and redo."""

from __future__ import annotations

import pytest

from tui_backprop.session import undo as module
from tui_backprop.session.bookmark_changes import add_bookmark, move_bookmark_cursor
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import (
    after_update,
    at_rank,
    at_step,
    change_step_index,
    inspect,
    next_measure,
    select,
    select_automatic,
    set_decade,
)
from tui_backprop.session.undo import UndoHistory

SESSIONS = [at_step(Session(), step) for step in range(5)]


def gone(sessions):
    history = UndoHistory(sessions[0])
    for session in sessions[1:]:
        history = history.go(session)
    return history


def test_every_action_can_be_taken_back_and_done_again():
    history = gone(SESSIONS)
    for session in SESSIONS[-2::-1]:
        history = history.undo()
        assert history.now == session
    assert history.undo() is history
    for session in SESSIONS[1:]:
        history = history.redo()
        assert history.now == session
    assert history.redo() is history


def test_what_changes_nothing_is_no_action():
    history = gone(SESSIONS)
    assert history.go(SESSIONS[-1]) is history


def test_another_way_forgets_what_was_taken_back():
    history = gone(SESSIONS).undo().undo().go(next_measure(SESSIONS[2]))
    assert history.redo() is history
    assert history.undo().now == SESSIONS[2]


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    history = gone(SESSIONS)
    assert history.past == tuple(SESSIONS[1:4])
    assert history.undo().undo().undo().undo().now == SESSIONS[1]


def test_undo_brings_back_training_too():
    trained = after_update(after_update(Session()))
    assert UndoHistory(Session()).go(trained).undo().now.t == 0


MOVES = {
    "rank": lambda session: at_rank(session, session.inspection.rank + 1),
    "units": lambda session: select(session, 2, session.walk.unit(2) + 1),
    "decade": lambda session: set_decade(session, (session.cost.decade or 5.0) + 0.5),
    "notch": lambda session: change_step_index(session, 1),
}


@pytest.mark.parametrize("name", MOVES)
def test_moves_of_one_cursor_in_a_row_are_undone_together(name):
    move, start = MOVES[name], at_step(Session(), 3)
    one = move(start)
    two, three = move(one), move(move(one))
    history = gone([Session(), start, one, two, three])
    assert history.now == three
    assert history.undo().now == start
    assert history.undo().redo().now == three
    assert history.undo().undo().now == Session()


def test_a_cursor_of_the_bookmarks_too():
    session = add_bookmark(add_bookmark(add_bookmark(Session())))
    up = move_bookmark_cursor(session, -1)
    assert gone([session, up, move_bookmark_cursor(up, 5)]).undo().now == session


def test_what_comes_between_parts_the_moves_of_a_cursor():
    one = at_rank(Session(), 1)
    between, other = at_step(one, 4), select(one, 1, 3)
    for middle in (between, other):
        last = at_rank(middle, 2)
        history = gone([Session(), one, middle, last])
        assert [history.undo().now, history.undo().undo().now] == [middle, one]


def test_moves_after_an_undo_are_an_action_of_their_own():
    one = at_rank(Session(), 1)
    history = gone([Session(), one, at_step(one, 1)]).undo().go(at_rank(one, 2))
    assert history.undo().now == one


def test_a_cursor_that_came_back_leaves_nothing_to_undo():
    start = at_step(Session(), 1)
    history = gone([Session(), start, at_rank(start, 1), start])
    assert history.past == (Session(),)


def test_letting_the_unit_go_is_an_action_of_its_own():
    one = select(Session(), 1, 7)
    two = select(one, 1, 8)
    history = gone([Session(), one, two, select_automatic(two)])
    assert history.undo().now == two
    at = set_decade(set_decade(Session(), 6.0), 7.0)
    assert gone([Session(), at, set_decade(at, None)]).undo().now == at


def test_moves_over_weights_from_one_that_was_inspected_are_undone_together():
    asked = inspect(Session(), "W1", (0, 0))
    history = gone([asked, *(at_rank(asked, rank) for rank in (1, 2, 3))])
    assert history.undo().now == asked
    assert len(gone([asked, at_rank(asked, 1), inspect(asked, "W1", (0, 1))]).past) == 2
