"""A learner at a step: what is next, what counts, and where the check is not asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.render import general
from tui_backprop.engine.explain.walk import walk
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.lesson.attempt import Attempt, beside, first_open, leave, place_numbered, place_of, places
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.progress import Progress
from tui_backprop.session.state import from_preset
from tui_backprop.session.transitions import after_training, at_step
from tui_backprop.support.errors import InputError

LESSON = from_preset("lesson")
STEP = place_numbered("0.1")  # run the first operation


def test_all_steps_follow_each_other_and_back():
    every = list(places())
    assert [beside(place, 1) for place in every] == [*every[1:], None]
    assert [beside(place, -1) for place in every] == [None, *every[:-1]]
    assert [place_of(place.id) for place in every] == every
    assert [place_numbered(place.number) for place in every] == every


def test_the_number_of_a_chapter_is_its_first_step():
    assert place_numbered("3") == place_numbered("3.1") == next(p for p in places() if p.chapter.number == 3)


@pytest.mark.parametrize("text", ["14", "3.9", "0.0", "three", "", "3.", "-1"])
def test_a_number_that_is_none_is_refused(text):
    with pytest.raises(InputError, match=f'no chapter or step "{text}"; choose 0 to 13'):
        place_numbered(text)


def test_a_chapter_is_entered_at_its_first_step_that_is_not_done():
    chapter = chapters()[3]
    ids = chapter.ids()
    for done, first in ((ids[:2], 2), (ids[1:2], 0), (ids, 0)):
        assert first_open(chapter, Progress(done=frozenset(done))).index == first


def test_what_is_not_done_is_skipped_and_what_is_read_is_done():
    attempt = Attempt(STEP, LESSON)
    assert leave(Progress(), attempt) == Progress(skipped=frozenset({STEP.id}))
    assert leave(Progress(), attempt.having_met(at_step(LESSON, 1))).done == {STEP.id}
    reading = place_numbered("1.2")
    assert leave(Progress(), Attempt(reading, LESSON)).done == {reading.id}


def test_what_was_shown_earns_nothing():
    shown = Progress(shown=frozenset({STEP.id}))
    met = Attempt(STEP, LESSON).having_met(at_step(LESSON, 1))
    assert leave(shown, met) == leave(shown, Attempt(STEP, LESSON)) == shown


def test_it_says_how_the_learner_stands():
    attempt = Attempt(STEP, LESSON)
    assert attempt.status(Progress()) == "to do"
    assert attempt.having_met(at_step(LESSON, 1)).status(Progress()) == "done"
    assert attempt.having_met(LESSON).status(Progress()) == "already so"
    assert attempt.status(Progress(done=frozenset({STEP.id}))) == "done"
    assert Attempt(place_numbered("1.2"), LESSON).status(Progress()) == "to read"


def test_what_is_done_on_another_network_does_not_count():
    attempt = Attempt(place_numbered("9.1"), LESSON)  # one update
    assert attempt.may_be_met(after_training(LESSON, 1))
    assert not attempt.may_be_met(after_training(from_preset("xor"), 1))


def test_figures_are_about_the_session_unless_it_is_another_network():
    place = place_numbered("1.5")  # the update rule, on one neuron
    own = after_training(place.step.start.session, 3)
    assert Attempt(place, own).subject == own
    assert Attempt(place, own).about(own)
    assert Attempt(place, LESSON).subject == place.step.start.session
    assert not Attempt(place, LESSON).about(LESSON)


HUGE = replace(LESSON, network=NetworkSpec((784, *(4096,) * 40, 10)))


@pytest.mark.parametrize(
    "session",
    [*general.SESSIONS.values(), HUGE],
    ids=lambda each: str(each.network.title or each.network.layers)[:20],
)
def test_every_check_can_be_asked_about_any_session(session):
    last = walk(session.network, session.batch, session.optimizer, session.walk.grain)[-1].index
    for place in places():
        attempt = Attempt(place, session)
        for now in (session, at_step(session, last)):
            assert attempt.may_be_met(now) in (True, False)
        assert attempt.about(session) == (session.network == place.step.start.session.network)
        assert attempt.subject == place.step.start.session
