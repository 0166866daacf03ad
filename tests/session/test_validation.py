"""Training on a part of the data: the samples held out never change a parameter, and are scored beside the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.having import having
from tui_backprop.data.own import Own
from tui_backprop.data.samples import load
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.predictions import predicted_classes
from tui_backprop.engine.network.program import Program
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.network_form import session_of
from tui_backprop.session.presets import MODELS
from tui_backprop.session.replay import Replay
from tui_backprop.session.setting_changes import applied_words
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.training_curve import score
from tui_backprop.session.training_run import learn, recall
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_iteration,
    next_sample,
    other_part,
    step_back,
    step_on,
    toggle_repeat,
)
from tui_backprop.session.update_log import UpdateRun, updates
from tui_backprop.session.validation import check
from tui_backprop.support.errors import UserError

SPEC = NetworkSpec((2, 5, 2), "tanh", dtype="float64", seed=5)
MOONS = Session(SPEC, "moons", batch=6, lr=0.3, validation=150)
MOONS = replace(MOONS, sample=MOONS.split.training.samples[0])
HELD_OUT = other_part(MOONS)


def parameters_of(session):
    return Replay(0).state(session).parameters


def by_hand(session, count, *, same=False):
    """A loop as one writes it with numpy: arrays of the training samples alone, batches going round in them."""
    spec, data = session.network, load(session.data, session.network.seed)
    drawn = np.random.default_rng(spec.seed).permutation(len(data.x))[session.validation :]
    x, labels = data.x[np.sort(drawn)], data.target[np.sort(drawn)]
    w, at, losses = initial_parameters(spec), 0, []
    for _ in range(count):
        rows = np.arange(at, at + session.batch) % len(x)
        program = Program(spec, session.batch, w)
        program.feed(x[rows], labels[rows])
        losses.append(float(program.forward()))
        w -= session.lr * program.backward()
        at = at if same else (at + session.batch) % len(x)
    return w, losses


@pytest.mark.parametrize("batch", [1, 6, 32, 250, 300])
def test_training_on_a_part_equals_a_loop_over_arrays_of_that_part_bit_for_bit(batch):
    session = replace(MOONS, batch=batch)
    w, losses = by_hand(session, 120)
    trained = after_training(session, 120)
    np.testing.assert_array_equal(parameters_of(trained), w)
    assert list(Replay().losses(trained)) == losses
    assert not np.array_equal(w, parameters_of(after_training(replace(session, validation=0, sample=0), 120)))


@pytest.mark.parametrize("batch", [1, 6, 250, 300])
def test_training_on_the_same_batch_again_and_again_equals_a_loop_bit_for_bit(batch):
    session = toggle_repeat(replace(MOONS, batch=batch))
    trained = after_training(session, 50)
    w, losses = by_hand(session, 50, same=True)
    np.testing.assert_array_equal(parameters_of(trained), w)
    assert list(Replay().losses(trained)) == losses
    assert (trained.sample, trained.update_log[0].stride) == (session.sample, 0)
    stepped = session
    for _ in range(50):
        stepped = after_update(stepped)
    assert trained == stepped
    assert toggle_repeat(session) == replace(MOONS, batch=batch)


def test_every_update_is_of_training_samples_and_each_is_visited_as_often_as_the_others():
    trained = after_training(MOONS, 125)  # three times through 250 samples, six at a time
    update, part = updates(trained.update_log, trained.split.training), trained.split.training
    seen = Counter(part.after(update(t).sample, i) for t in range(125) for i in range(6))
    assert seen == dict.fromkeys(part.samples, 3)


def brought(x, labels):
    return Own("d", tuple(map(tuple, x.tolist())), labels=tuple(labels), classes=("a", "b")).text


def test_no_sample_held_out_changes_a_parameter():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(60, 2)), rng.integers(2, size=60).tolist()
    session = Session(SPEC, brought(x, labels), batch=4, lr=0.3, validation=20)
    others, held_out = x.copy(), list(session.split.held_out.samples)
    others[held_out] = 1e6
    flipped = [1 - label if i in held_out else label for i, label in enumerate(labels)]
    other = replace(session, data=brought(others, flipped))
    start = session.split.training.samples[0]
    both = [parameters_of(after_training(replace(each, sample=start), 90)) for each in (session, other)]
    np.testing.assert_array_equal(*both)
    whole = [after_training(replace(each, sample=start, validation=0), 90) for each in (session, other)]
    assert not np.array_equal(*map(parameters_of, whole))  # without a split they do


def test_a_batch_held_out_is_walked_but_makes_no_update():
    assert HELD_OUT.is_held_out
    assert after_update(HELD_OUT) == HELD_OUT
    last = having(HELD_OUT, step=9)
    assert step_on(last, 10) == last
    assert step_on(having(MOONS, step=9), 10).t == 1
    batch = Replay(0).take(HELD_OUT).tensor("x")
    rows = HELD_OUT.part.rows(HELD_OUT.sample, 6)
    np.testing.assert_array_equal(batch, load("moons", 5).x[rows])
    assert all(HELD_OUT.split.held_out.has(row) for row in rows)


def test_training_from_a_sample_held_out_begins_at_the_next_one_to_train_on():
    start = replace(MOONS, sample=MOONS.split.training.after(HELD_OUT.sample))
    assert start.sample != HELD_OUT.sample
    assert after_training(HELD_OUT, 9) == after_training(start, 9)
    assert after_training(HELD_OUT, 0).update_log == ()


def test_samples_go_round_in_their_part_and_the_other_part_is_one_step_away():
    for session in (MOONS, HELD_OUT):
        there = session
        for _ in range(200):
            there = next_sample(there)
            assert there.is_held_out == session.is_held_out
        for _ in range(200):
            there = next_sample(there, -1)
        assert there == session
    assert not other_part(HELD_OUT).is_held_out
    plain = replace(MOONS, validation=0)
    assert other_part(plain) == plain


def test_iterations_can_be_gone_back_to_one_by_one():
    trained = after_training(MOONS, 90)
    back = at_iteration(trained, trained, 41)
    assert back.sample == MOONS.split.training.after(MOONS.sample, 41 * 6)
    np.testing.assert_array_equal(parameters_of(back), by_hand(MOONS, 41)[0])
    assert step_back(having(trained, step=0), 10).t == 89


def test_the_split_is_part_of_token_and_training():
    trained = toggle_repeat(after_training(MOONS, 30))
    assert decode(encode(trained)) == trained
    assert trained.training_key != replace(trained, validation=149, update_log=()).training_key
    sample = HELD_OUT.sample
    with pytest.raises(UserError, match=f"sample {sample} is not one to train on"):
        check(replace(MOONS, update_log=(UpdateRun(sample, 6, 0.3),)))


@pytest.mark.parametrize("validation", [-1, 400, "half"])
def test_a_split_without_samples_for_a_part_is_refused(validation):
    with pytest.raises(UserError) as caught:
        replace(MOONS, validation=validation)
    assert caught.value.field == "validation"


def test_documents_of_a_text_are_held_out_like_samples():
    text = next(from_preset(name) for name, row in MODELS.items() if row.network.context)
    text = replace(text, validation=9, batch=2)
    trained = after_training(replace(text, sample=text.split.training.samples[0]), 3)
    found = score(trained, parameters_of(trained))
    assert found.validation.loss != found.loss
    assert session_of(texts_of(trained), trained) == trained


def plain_score(session, parameters, samples):
    data = load(session.data, session.network.seed)
    program = Program(session.network, len(samples), parameters)
    program.feed(data.x[samples], data.target[samples])
    loss = float(program.forward())
    predicted = predicted_classes(
        program.values[session.network.graph.output], session.network.graph.loss_rule
    )
    return loss, np.mean(predicted == data.target[samples])


def test_both_parts_are_scored_each_on_its_own_samples():
    trained = after_training(MOONS, 60)
    found = score(trained, parameters_of(trained))
    for one, part in ((found, trained.split.training), (found.validation, trained.split.held_out)):
        loss, accuracy = plain_score(trained, parameters_of(trained), list(part.samples))
        assert (one.t, one.loss, one.accuracy) == (60, pytest.approx(loss, rel=1e-12), accuracy)
    assert found.loss != found.validation.loss
    assert (
        score(replace(trained, validation=0, update_log=(), sample=0), initial_parameters(SPEC)).validation
        is None
    )


def test_of_real_values_the_loss_alone_is_scored():
    sine = replace(from_preset("sine"), validation=40)
    found = score(sine, initial_parameters(sine.network))
    assert (found.accuracy, found.validation.accuracy) == (None, None)


def test_training_and_reading_it_back_score_both_parts():
    replay = Replay()
    *_, trained = learn(replay, MOONS, 200, None)
    *_, again = recall(Replay(), trained.to)
    for learning in (trained.learning, again):
        assert learning.scores[-1] == score(trained.to, parameters_of(trained.to))
        assert all(each.validation for each in learning.scores)


def test_few_samples_are_learned_by_heart_and_the_others_tell():
    few = replace(MOONS, validation=394, batch=6, sample=0, network=replace(SPEC, layers=(2, 32, 32, 2)))
    trained = after_training(few, 600)
    found = score(trained, parameters_of(trained))
    assert found.accuracy == 1
    assert found.validation.loss > 20 * found.loss


def test_the_form_holds_out_a_share_or_a_number_and_restarts_training():
    plain = replace(MOONS, validation=0, sample=HELD_OUT.sample)
    texts = texts_of(plain)
    assert texts["validation"] == "0"
    found = session_of(texts | {"validation": "0.375"}, plain)
    assert found == replace(plain, validation=150, sample=found.split.training.after(plain.sample))
    assert not found.is_held_out
    assert texts_of(found)["validation"] == "150"
    assert session_of(texts_of(HELD_OUT), HELD_OUT) == HELD_OUT
    trained = after_training(MOONS, 9)
    assert session_of(texts_of(trained) | {"batch": "9"}, trained).t == 9
    assert session_of(texts_of(trained) | {"validation": "10"}, trained).t == 0
    assert "restarts" in applied_words(trained, session_of(texts_of(trained) | {"validation": "10"}, trained))
    for text in ("half", "1.5", "-1", "400", "0.0001"):
        with pytest.raises(UserError) as caught:
            session_of(texts | {"validation": text}, plain)
        assert caught.value.field == "validation"
