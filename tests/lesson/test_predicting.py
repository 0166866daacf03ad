"""Walking with predictions: what is hidden, what counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.render.general import SESSIONS
from tui_backprop.engine.mutants.answers import Answers
from tui_backprop.lesson.asked_entry import asked_entry
from tui_backprop.lesson.predicting import Predicting
from tui_backprop.lesson.prediction import Judged, number_of
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.replay import Replay
from tui_backprop.session.session_parts import GRAINS
from tui_backprop.session.state import from_preset
from tui_backprop.session.walk_steps import steps_of

ONE, OTHER = ("one",), ("other",)
BEGUN = Predicting().at(ONE, 3).showing()
RIGHT, WRONG = Judged(True, "Right."), Judged(False, "The sign is wrong.")


def test_the_step_at_which_it_begins_was_seen_and_the_next_one_is_hidden():
    assert not BEGUN.hides
    assert BEGUN.at(ONE, 4).hides


def test_a_right_answer_is_earned_after_wrong_ones_and_hints():
    now = BEGUN.at(ONE, 4).trying(WRONG).hinted().hinted()
    assert now.hides
    assert now.said == WRONG.said
    now = now.trying(RIGHT)
    assert not now.hides
    assert (now.earned, now.passed) == (1, 1)
    assert now.trying(RIGHT) == now


def test_what_was_shown_by_a_hint_or_left_out_earns_nothing():
    shown = BEGUN.at(ONE, 4).hinted().hinted().hinted()
    assert not shown.hides
    assert (shown.earned, shown.passed) == (0, 1)
    assert shown.trying(RIGHT) == shown
    left = BEGUN.at(ONE, 4).at(ONE, 5)
    assert (left.earned, left.passed) == (0, 1)


def test_going_back_hides_nothing_again_and_keeps_the_hints():
    now = BEGUN.at(ONE, 4).hinted().at(ONE, 2)
    assert not now.hides
    assert now.at(ONE, 4).current.hints == 1
    later = BEGUN.at(ONE, 8)
    assert not any(later.at(ONE, step).hides for step in range(8))


def test_another_iteration_hides_its_own_results():
    assert BEGUN.at(ONE, 9).at(OTHER, 0).hides


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_step_but_the_input_asks_for_the_number_on_the_last_line_of_its_receipt(preset, grain):
    session = from_preset(preset)
    session = replace(session, walk=replace(session.walk, grain=grain))
    iteration, steps = Replay(0).take(session), steps_of(session)
    for step in steps:
        snapshot = Snapshot(replace(session, walk=replace(session.walk, step=step.index)), steps, iteration)
        asked = asked_entry(iteration, step, snapshot.unit(step.block), snapshot.number)
        assert (asked is None) == (step.kind == "input")


def test_an_update_asks_for_the_parameter_that_is_shown():
    session = SESSIONS["arrays"]
    iteration, steps = Replay(0).take(session), steps_of(session)
    first, other = [*iteration.new][:2]
    shown = other, (0,) * iteration.new[other].ndim
    asked = asked_entry(iteration, steps[-1], 0, shown)
    assert steps[-1].tensor == first
    assert (asked.step.tensor, asked.index) == shown
    assert number_of(Answers(iteration), asked.step, asked.index) == iteration.new[other][shown[1]]
