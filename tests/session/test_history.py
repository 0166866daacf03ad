"""Undo and redo."""

from __future__ import annotations

from tui_backprop import history as module
from tui_backprop.history import History
from tui_backprop.session import Session, after_update, at_step, next_measure

SESSIONS = [at_step(Session(), step) for step in range(5)]


def gone(sessions):
    history = History(sessions[0])
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
    assert History(Session()).go(trained).undo().now.iteration == 0
