"""Training that is watched is the training that stepping does, and can be gone back to at any iteration."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session import replay as module
from tui_backprop.session import training_run as learner
from tui_backprop.session.decision_boundary import Fit, Plane
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.training_curve import Learning, Score, score
from tui_backprop.session.training_run import learn
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_iteration,
    before_update,
    next_sample,
)

MOST = 200  # looks at training that comes to no end
ROUGH = NetworkSpec((2, 5, 5, 2), "tanh", layer_norm=True, residual=True, dropout=0.3, l2=0.01, seed=3)
START = Session(
    ROUGH, "moons", batch=3, lr=0.05, optimizer=OptimizerSpec("adam", clip=0.5, schedule="cosine", horizon=30)
)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Each update is said and scored: tests do not hang on how fast a machine is."""
    monkeypatch.setattr(module, "PART", 0.0)
    monkeypatch.setattr(learner, "SHOWN", 0.0)
    monkeypatch.setattr(learner, "SCORED", float("inf"))


def by_hand(session, count):
    """The losses of so many updates, and where they lead to: each pass taken, and the next samples chosen."""
    replay, losses = Replay(), []
    for _ in range(count):
        losses.append(replay.take(session).loss)
        session = next_sample(after_update(session))
    return losses, session


def last(replay, start, count, before=None):
    *_, trained = islice(learn(replay, start, count, before), MOST)
    return trained


def assert_same(one, other):
    """Two passes, to the last bit."""
    assert (one.before.t, one.loss, one.loss_after) == (other.before.t, other.loss, other.loss_after)
    np.testing.assert_array_equal(one.before.parameters, other.before.parameters)
    np.testing.assert_array_equal(one.after.parameters, other.after.parameters)
    for name, slot in one.after.slots.items():
        np.testing.assert_array_equal(slot, other.after.slots[name])


def assert_right(trained, start, count):
    """The losses of ``count`` updates from ``start``, the session there, and scores of that very training."""
    losses, end = by_hand(start, count)
    learning = trained.learning
    assert learning.first + learning.done == trained.to.t
    assert learning.losses[-count:].tolist() == losses
    assert trained.to == end
    fresh = Replay()
    for found in learning.scores:
        there = fresh.state(at_iteration(end, end, found.t)).parameters
        assert found == score(at_iteration(end, end, found.t), there)
    iterations = [found.t for found in learning.scores]
    assert iterations == sorted(set(iterations))


@pytest.mark.parametrize("name", ["xor", "sine", "lesson"])
def test_the_losses_of_a_preset_s_training_are_those_of_stepping(name):
    start = from_preset(name)
    trained = last(Replay(), start, 5)
    assert_right(trained, start, 5)
    assert trained.learning.scores[0].t == 0
    assert trained.learning.scores[-1].t == trained.learning.wanted == 5
    assert {"xor": Plane, "sine": Fit, "lesson": type(None)}[name] is type(trained.picture)


@pytest.mark.parametrize("limit", [0, 10**9])
@pytest.mark.parametrize("part", [0.0, 1e9])
def test_so_they_are_whatever_an_iteration_depends_on_and_however_often_it_is_said(monkeypatch, limit, part):
    monkeypatch.setattr(module, "PART", part)
    start = replace(after_update(next_sample(START)), sample=199)
    replay, seen = Replay(limit), []
    for trained in learn(replay, start, 12, None):
        assert trained.learning.done == trained.to.t - 1
        assert trained.learning.going
        seen.append(trained.learning.done)
    assert_right(trained, start, 12)
    assert seen == sorted(set(seen))
    assert seen == [12] if part else len(seen) > 1


def test_any_iteration_of_it_can_be_gone_back_to():
    replay = Replay(0)
    end = last(replay, START, 15).to
    for t in (15, 3, 0, 7, 14, 1):
        place = at_iteration(end, end, t)
        assert_same(replay.take(place), Replay().take(place))
    assert replay.state(end).t == 15


def test_what_was_done_stays_when_it_is_stopped():
    replay = Replay()
    going = learn(replay, START, 10**6, None)
    seen = list(islice(going, 4))
    going.close()
    trained = seen[-1]
    assert 4 <= trained.learning.done < 10**6
    assert_right(trained, START, trained.learning.done)
    assert trained.learning.wanted == 10**6
    assert_same(replay.take(trained.to), Replay().take(trained.to))


def test_without_end_it_goes_on_until_it_is_stopped(monkeypatch):
    monkeypatch.setattr(module, "ENDLESS", 5)  # ahead at a time: it goes on beyond that
    going = islice(learn(Replay(), START, None, None), MOST)
    trained = next(each for each in going if each.learning.done > 12)
    assert trained.learning.wanted is None
    assert_right(trained, START, trained.learning.done)


def test_going_on_from_before_is_the_same_training():
    replay = Replay()
    half = last(replay, START, 6)
    whole = last(replay, half.to, 4, half.learning)
    assert_right(whole, START, 10)
    assert (whole.learning.first, whole.learning.done, whole.learning.wanted) == (0, 10, 10)
    assert whole.learning.seconds > half.learning.seconds > 0
    assert whole.learning.scores[: len(half.learning.scores)] == half.learning.scores
    assert whole.to == last(Replay(), START, 10).to


def test_what_is_trained_again_after_going_back_is_done_again():
    """Going back leaves states ahead; going on from there takes down each loss all the same, and comes to an end."""
    replay = Replay()
    first = last(replay, START, 12)
    for t in (0, 5, 11):
        back = at_iteration(first.to, first.to, t)
        again = last(replay, back, 12 - t, first.learning.up_to(t))
        assert again.learning.losses.tolist() == first.learning.losses.tolist()
        assert_right(again, START, 12)


def test_another_way_after_going_back_is_taken_from_there():
    replay = Replay()
    first = last(replay, START, 8)
    back = replace(at_iteration(first.to, first.to, 4), lr=0.5)
    other = last(replay, back, 6, first.learning.up_to(4))
    assert other.learning.losses[:4].tolist() == first.learning.losses[:4].tolist()
    assert other.learning.losses[4:].tolist() == by_hand(back, 6)[0]
    assert_same(replay.take(first.to), Replay().take(first.to))


def test_a_session_from_elsewhere_is_trained_on_from_where_it_stands():
    """Its parameters are made first; the losses of that are not its own."""
    start = after_training(START, 20)
    trained = last(Replay(0), start, 4)
    assert_right(trained, start, 4)
    assert (trained.learning.first, trained.learning.done) == (20, 4)
    assert trained.learning.scores[0].t == 20


def test_passes_can_be_taken_meanwhile_on_the_way_and_on_others():
    replay, seen = Replay(0), 0
    aside = after_update(replace(START, lr=0.3))
    for trained in learn(replay, START, 12, None):
        for place in (at_iteration(trained.to, trained.to, trained.to.t // 2), aside, START):
            assert_same(replay.take(place), Replay().take(place))
        seen += 1
    assert seen > 1
    assert_right(trained, START, 12)


def test_passes_can_be_taken_by_another_thread_meanwhile():
    replay, stop, wrong = Replay(0), threading.Event(), []
    place = next_sample(after_training(START, 3))
    wanted = Replay().take(place).loss

    def look():
        while not stop.is_set():
            found = replay.take(place).loss
            if found != wanted:
                wrong.append(found)
            replay.take(START)

    other = threading.Thread(target=look)
    other.start()
    try:
        trained = last(replay, START, 25)
    finally:
        stop.set()
        other.join()
    assert not wrong
    assert_right(trained, START, 25)


def test_a_score_is_taken_only_for_so_much_of_the_time(monkeypatch):
    monkeypatch.setattr(learner, "SCORED", -1.0)
    trained = last(Replay(), START, 8)
    assert [found.t for found in trained.learning.scores] == [0, 8]


def test_training_that_diverges_goes_on():
    start = replace(from_preset("sine"), lr=1e20)
    trained = last(Replay(), start, 12)
    assert trained.learning.done == 12
    assert trained.learning.lost is not None
    np.testing.assert_array_equal(trained.learning.losses, by_hand(start, 12)[0])


def test_no_update_is_nothing_to_see():
    assert list(learn(Replay(), START, 0, None)) == []
    assert list(Replay().train(START, 0)) == []
    assert after_training(START, 0) == START


# --- how it went, as a snapshot ------------------------------------------------------------------------------


def test_nothing_and_then_something():
    nothing = Learning.nothing(7)
    assert (nothing.first, nothing.done, nothing.last, nothing.rate, nothing.remaining) == (
        7,
        0,
        None,
        0.0,
        None,
    )
    more = nothing.and_then([3.0, 2.0], 0.5).and_then([1.0], 1.5)
    assert (more.first, more.done, more.seconds, more.rate) == (7, 3, 1.5, 2.0)
    assert more.losses.tolist() == [3.0, 2.0, 1.0]
    assert (more.last.t, more.last.loss) == (9, 1.0)
    assert nothing.done == 0  # a snapshot stays


@pytest.mark.parametrize(
    ("t", "losses", "scored", "seconds"),
    [(0, 0, [], 0.0), (7, 0, [], 0.0), (10, 0, [10], 0.0), (12, 2, [10, 12], 1.0), (13, 3, [10, 12], 1.5),
     (14, 4, [10, 12, 14], 2.0), (99, 4, [10, 12, 14], 2.0)],
)  # fmt: skip
def test_up_to_an_iteration_is_what_there_was_before_it(t, losses, scored, seconds):
    whole = Learning(
        10, np.array([4.0, 3, 2, 1]), tuple(Score(t, 1.0, None) for t in (10, 12, 14)), seconds=2.0
    )
    part = whole.up_to(t)
    assert part.first == 10
    assert part.losses.tolist() == [4.0, 3, 2, 1][:losses]
    assert [found.t for found in part.scores] == scored
    assert part.seconds == seconds
    assert Learning.nothing(10).up_to(t).done == 0


def test_going_back_by_one_update_and_on_again_takes_down_that_loss_once():
    replay = Replay()
    first = last(replay, START, 3)
    back = before_update(first.to)
    again = last(replay, back, 1, first.learning.up_to(back.t))
    assert again.learning.losses.tolist() == first.learning.losses.tolist()


@pytest.mark.parametrize(("name", "classes"), [("lenet", True), ("rnn", False)])
def test_graphs_without_layers_are_trained_and_scored(name, classes):
    """Accuracy where there are classes; the state is that of single updates."""
    session = from_preset(name)
    *_, last = learn(Replay(), session, 3, None)
    assert last.to == after_training(session, 3)
    assert last.learning.done == 3
    assert [each.accuracy is not None for each in last.learning.scores] == [classes] * len(
        last.learning.scores
    )
    one_by_one, here = by_hand(session, 3)
    np.testing.assert_allclose(last.learning.losses, one_by_one, rtol=1e-6)
    assert here.t == 3


@pytest.mark.parametrize("name", ["lenet", "rnn"])
def test_what_their_training_keeps_stays_within_the_budget(name):
    session, limit = from_preset(name), 4 * 2**20
    replay = Replay(limit)
    for _ in learn(replay, session, 60, None):
        assert replay.budget.bytes <= limit
