"""The numbers of any iteration come back, from checkpoints and a replay, to the last bit."""

from __future__ import annotations

import gc
import math
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_backprop.data.passage import ALL, Passage
from tui_backprop.data.samples import cut
from tui_backprop.engine.analysis.generation import Predictor
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.training import training as train
from tui_backprop.engine.training.iteration import TrainingState, feed, run_iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.optimizers import Optimizer
from tui_backprop.engine.training.update_rules import UPDATE_RULES
from tui_backprop.session import replay as module
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_iteration,
    before_update,
    edit_parameter,
    next_sample,
    walk_passage,
)

ROUGH = NetworkSpec((2, 5, 5, 2), "tanh", layer_norm=True, residual=True, dropout=0.3, l2=0.01, seed=3)
STATE = 4 * ROUGH.parameters  # bytes of one array of its parameters


def all_finite(iteration):
    """By a look at every array of the pass and of the update."""
    program = iteration.program
    arrays = [*program.values.values(), *program.cotangents.values(), iteration.after.parameters]
    whole = all(np.isfinite(array).all() for array in [*arrays, *iteration.after.slots.values()])
    return whole and np.isfinite(iteration.loss_after)


def trained(session, updates):
    for _ in range(updates):
        session = after_update(session)
    return session


def by_hand(session):
    """The parameters after the session's history: stochastic gradient descent as a plain loop."""
    spec = session.network
    parameters = initial_parameters(spec)
    for run in session.update_log:
        batch = cut(spec, session.data, run.sample, run.batch)
        for _ in range(run.count):
            program = Program(spec, run.batch, parameters)
            program.feed(batch.x, batch.t)
            program.forward()
            parameters = parameters - parameters.dtype.type(run.lr) * program.backward()
    return parameters


@pytest.mark.parametrize("updates", [0, 1, 7])
@pytest.mark.parametrize("name", [name for name, row in PRESETS.items() if row.optimizer.name == "sgd"])
def test_the_parameters_after_some_updates_are_those_of_a_plain_loop(name, updates):
    session = trained(from_preset(name), updates)
    iteration = Replay().take(session)
    np.testing.assert_array_equal(iteration.program.parameters, by_hand(session))


def test_a_history_of_several_samples_batches_and_rates_is_replayed_in_order():
    session = trained(from_preset("sine"), 2)
    session = trained(replace(next_sample(session), lr=0.2), 3)
    session = trained(replace(session, batch=5, sample=198), 1)
    np.testing.assert_array_equal(Replay().take(session).program.parameters, by_hand(session))


@pytest.mark.parametrize("name", PRESETS)
def test_what_was_thrown_away_comes_back_bit_for_bit(name):
    sessions = [trained(from_preset(name), updates) for updates in range(6)]
    keeps, forgets = Replay(), Replay(0)
    first = {session: keeps.take(session) for session in sessions}
    for session in [*sessions, *reversed(sessions), sessions[3]]:
        again = forgets.take(session)
        assert (again.loss, again.loss_after) == (first[session].loss, first[session].loss_after)
        np.testing.assert_array_equal(again.program.gradient, first[session].program.gradient)
        np.testing.assert_array_equal(again.after.parameters, first[session].after.parameters)
    assert forgets.kept(sessions[0]) is None
    assert forgets.kept(sessions[3]) is not None


@pytest.mark.parametrize("name", PRESETS)
def test_the_loss_after_an_update_is_the_next_iteration_s_loss_on_the_same_samples(name):
    replay, session = Replay(), from_preset(name)
    for _ in range(5):
        following = after_update(session)
        assert replay.take(session).loss_after == replay.take(following).loss
        session = following


def test_a_pass_in_memory_is_not_taken_again():
    replay, session = Replay(), from_preset("xor")
    assert replay.kept(session) is None
    iteration = replay.take(session)
    assert replay.take(session) is iteration
    assert replay.kept(session) is iteration


def test_other_samples_of_the_same_iteration_start_from_the_same_parameters():
    replay = Replay(0)
    session = trained(from_preset("xor"), 3)
    one, other = replay.take(session), replay.take(next_sample(session))
    np.testing.assert_array_equal(one.program.parameters, other.program.parameters)
    assert one.loss != other.loss


def test_training_lowers_the_loss_of_the_preset_that_learns_a_sine():
    session = from_preset("sine")
    before, after = Replay().take(session), Replay().take(trained(session, 200))
    assert after.loss < 0.5 * before.loss


def test_a_long_history_is_replayed_without_recursion():
    session = trained(from_preset("xor"), 2_000)
    assert np.isfinite(Replay().take(session).loss)


def test_several_threads_are_given_the_same_pass():
    replay, session = Replay(), trained(from_preset("xor"), 20)
    with ThreadPoolExecutor(4) as threads:
        passes = list(threads.map(lambda _: replay.take(session), range(8)))
    assert all(iteration is passes[0] for iteration in passes)


def test_a_replay_limited_to_nothing_still_steps_back_and_on():
    replay, session = Replay(0), trained(from_preset("xor"), 4)
    for place in (session, before_update(session), session, after_update(session)):
        np.testing.assert_array_equal(replay.take(place).program.parameters, by_hand(place))


# --- with all that an iteration can depend on ---------------------------------------------------------------


def rough(optimizer="adam", **settings):
    """A session in which every iteration is another one: masks are drawn, rates fall, gradients are clipped."""
    settings = {
        "schedule": "cosine",
        "warmup": 3,
        "horizon": 30,
        "weight_decay": 0.01,
        "clip": 0.5,
    } | settings
    return Session(ROUGH, "moons", batch=3, lr=0.05, optimizer=OptimizerSpec(optimizer, **settings))


def wandering(session, updates):
    """Trained, with other samples every third time."""
    for i in range(updates):
        session = after_update(next_sample(session) if i % 3 == 2 else session)
    return session


def way(session):
    """A session and all those before it, the first one first."""
    places = [session]
    while places[-1].update_log:
        places.append(before_update(places[-1]))
    return places[::-1]


def one_after_the_other(session):
    """What a session starts from, by running every update of its history."""
    return from_the_start(session.network, session.data, session.optimizer, session.update_log)


@cache
def from_the_start(spec, data, optimizer, update_log):
    """A loop as one writes it with PyTorch: settings of an optimizer change in it, one of another name is a new
    one."""
    w, t, rule, began = initial_parameters(spec), 0, None, 0
    for run in update_log:
        network = replace(spec, **asdict(run.settings))
        if rule is None or rule.spec.name != run.optimizer.name:
            rule, began = of_spec(network, run.optimizer), t
        rule = of_spec(network, run.optimizer, rule.slots)
        for i in range(run.count):
            each = run.update(i, Session(network, data).split.training)
            batch = cut(network, data, each.sample, run.batch)
            program = Program(network, run.batch, w)
            feed(program, batch.x, batch.t, t)
            program.forward()
            rule.lr = run.lr
            rule.apply(w, program.backward(), t - began)
            t += 1
    if rule is None or rule.spec.name != optimizer.name:
        rule = of_spec(spec, optimizer)
    return TrainingState(t, w, rule.slots)


def of_spec(network, optimizer, slots=None):
    weights = tuple(at for name, at in network.graph.slices.items() if name[0] == "W")
    decayed = None if optimizer.decay_bias else weights
    return Optimizer(optimizer, 0.0, network.parameters, network.dtype, slots, decayed)


def assert_same(one, other):
    assert one.t == other.t
    np.testing.assert_array_equal(one.parameters, other.parameters)
    assert one.slots.keys() == other.slots.keys()
    for name, slot in one.slots.items():
        np.testing.assert_array_equal(slot, other.slots[name])


@pytest.mark.parametrize("limit", [0, 5 * STATE, 10**9])
@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_going_back_to_any_iteration_gives_the_same_arrays(optimizer, limit):
    replay, end = Replay(limit), wandering(rough(optimizer), 13)
    places = way(end)
    for session in [*places, *places[::-1], places[7], places[2], places[11]]:
        iteration = replay.take(session)
        assert_same(iteration.before, one_after_the_other(session))
        assert_same(iteration.after, one_after_the_other(after_update(session)))


@pytest.mark.parametrize("limit", [0, 5 * STATE])
def test_a_way_that_parts_and_comes_together_again_is_gone_right_each_time(limit):
    replay, trunk = Replay(limit), wandering(rough("momentum"), 6)
    left, right = wandering(trunk, 5), wandering(replace(next_sample(trunk), lr=0.2), 5)
    for session in (left, right, trunk, left, before_update(right), right, before_update(left)):
        assert_same(replay.take(session).before, one_after_the_other(session))


def test_looking_at_other_samples_on_the_way_back_leaves_the_way_forward_as_it_was():
    replay, end = Replay(5 * STATE), wandering(rough(), 9)
    middle = way(end)[4]
    for session in (end, middle, next_sample(middle), next_sample(next_sample(middle)), end):
        assert_same(replay.take(session).before, one_after_the_other(session))


def test_another_precision_and_other_data_are_other_trainings():
    replay, one = Replay(), wandering(rough("momentum"), 4)
    others = [replace(one, network=replace(ROUGH, dtype="float64")), replace(one, data="circles")]
    for session in (one, *others, one):
        assert_same(replay.take(session).before, one_after_the_other(session))


# --- settings that change while a network is trained ----------------------------------------------------------

CHANGES = {
    "another optimizer": lambda s: replace(s, optimizer=OptimizerSpec("nesterov")),
    "another optimizer with the same slots": lambda s: replace(
        s, optimizer=replace(s.optimizer, name="adamw")
    ),
    "a setting of the optimizer": lambda s: replace(s, optimizer=replace(s.optimizer, beta1=0.5, clip=0.1)),
    "weight decay of weights only": lambda s: replace(s, optimizer=replace(s.optimizer, decay_bias=False)),
    "the learning rate": lambda s: replace(s, lr=0.2),
    "dropout": lambda s: replace(s, network=replace(s.network, dropout=0.1)),
    "no dropout": lambda s: replace(s, network=replace(s.network, dropout=0)),
    "L2 of weights": lambda s: replace(s, network=replace(s.network, l2=0.5)),
    "L2 of all parameters": lambda s: replace(s, network=replace(s.network, l2=0.5, l2_bias=True)),
    "no L2": lambda s: replace(s, network=replace(s.network, l2=0)),
}


@pytest.mark.parametrize("limit", [0, 10**9])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_setting_changes_in_the_middle_of_training(change, limit):
    replay, before = Replay(limit), wandering(rough(), 4)
    changed = change(before)
    assert (changed.training_key, changed.t) == (before.training_key, 4)
    end = wandering(changed, 4)
    places = way(end)
    assert [place.network for place in places] == [before.network] * 4 + [changed.network] * 5
    assert [place.optimizer for place in places] == [before.optimizer] * 4 + [changed.optimizer] * 5
    for session in (end, before, changed, places[2], end, places[5], places[3], after_update(end)):
        assert_same(replay.take(session).before, one_after_the_other(session))
        assert_same(replay.take(session).after, one_after_the_other(after_update(session)))
    assert replay.losses(end)[:4] == Replay().losses(before)


def test_a_change_before_the_first_update_leaves_no_trace():
    start = rough("momentum")
    there = CHANGES["another optimizer"](start)
    replay = Replay()
    for session in (start, there, start, there):
        np.testing.assert_array_equal(replay.take(session).before.parameters, initial_parameters(ROUGH))
        assert_same(replay.take(session).after, one_after_the_other(after_update(session)))
    back = replace(there, optimizer=start.optimizer)
    assert wandering(back, 5).update_log == wandering(start, 5).update_log


def test_a_new_optimizer_counts_its_updates_and_its_schedule_from_0():
    before = wandering(rough("sgd"), 5)
    after = after_update(replace(before, optimizer=OptimizerSpec("adam", schedule="inverse-sqrt")))
    assert (before.began, after.began) == (0, 5)
    iteration = Replay().take(after)
    assert (iteration.began, iteration.lr) == (5, after.lr * 2**-0.5)
    assert {name for name, slot in iteration.before.slots.items() if slot.any()} == {"m", "v"}


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.data())
def test_any_changes_updates_and_steps_back_give_the_numbers_of_a_straight_run(data):
    """Of three replays, one with room, one without, and one that begins at the end."""
    moves = st.one_of(
        st.sampled_from([*CHANGES]),
        st.sampled_from(["update", "train", "back", "sample", "far back"]),
    )
    session, replays = rough(data.draw(st.sampled_from(["sgd", "adam"]))), (Replay(), Replay(0))
    longest = session
    for move in data.draw(st.lists(moves, max_size=14)):
        if move in CHANGES:
            session = CHANGES[move](session)
        elif move == "update":
            session = after_update(session)
        elif move == "train":
            session = after_training(session, 3)
        elif move == "back":
            session = before_update(session)
        elif move == "far back":
            session = at_iteration(session, longest, min(2, longest.t))
        else:
            session = next_sample(session)
        longest = session if session.t >= longest.t else longest
        wanted = one_after_the_other(session)
        for replay in (*replays, Replay(0)):
            assert_same(replay.take(session).before, wanted)


def test_no_pass_is_taken_on_the_way_to_an_iteration(monkeypatch):
    iteration = []
    monkeypatch.setattr(
        module, "run_iteration", lambda *given: iteration.append(given) or run_iteration(*given)
    )
    places = way(wandering(rough(), 40))
    replay = Replay(0)
    for session in (places[40], places[20], places[39]):
        replay.take(session)
    assert len(iteration) == 3


def test_the_way_back_is_short_and_what_is_kept_stays_within_its_bytes(monkeypatch):
    runs = []
    real, updates, states = train.run, 60, 12
    monkeypatch.setattr(train, "run", lambda *given: runs.append(given) or real(*given))
    limit = states * 3 * STATE  # parameters and both slots of Adam
    places, replay = way(wandering(rough(), updates)), Replay(2 * limit)
    for session in places:
        replay.take(session)
    assert replay._training.checkpoints.bytes <= limit
    replay._kept.clear()
    for session in places[::-1]:
        runs.clear()
        replay.take(session)
        replay._kept.clear()
        assert len(runs) <= 2 * updates / (states - 2)
    assert replay._training.checkpoints.bytes <= limit


def test_the_next_iteration_starts_from_the_arrays_that_the_last_one_left(monkeypatch):
    runs = []
    monkeypatch.setattr(train, "run", lambda *given: runs.append(given))
    replay, session = Replay(0), rough()
    for _ in range(5):
        before, session = replay.take(session), after_update(session)
        assert replay.take(session).before is before.after
        session = next_sample(session)
        replay.take(session)
    assert not runs


def test_a_parameter_that_went_bad_earlier_is_traced_to_the_iteration_that_made_it():
    """Going back: by states kept on the way, and by none."""
    session = trained(replace(from_preset("sine"), lr=1e20), 11)
    places = way(session)
    made = next(t for t, place in enumerate(places) if not all_finite(Replay(0).take(place)))
    assert 0 < made < 9
    there = Replay().take(places[made])
    assert there.earlier is None
    for limit in (0, 10**9):
        for place in (session, places[made + 1]):
            bad = Replay(limit).take(place).bad
            assert replace(bad, iteration=None) == there.bad
            assert bad.why == f"first in iteration {made}: {there.bad.why}"
    assert Replay().take(places[made - 1]).bad is None


def test_passes_of_all_sizes_stay_within_the_limit_together(monkeypatch):
    """Many large ones, and then a small one: what is kept is priced by what it is."""
    large, small = replace(from_preset("sine"), batch=100), from_preset("sine")
    each = Replay().take(large).bytes
    replay = Replay(4 * each)
    for _ in range(10):
        large = after_update(large)
        replay.take(large)
        assert replay.budget.bytes <= replay.budget.limit
    replay.take(small)
    kept = [replay.kept(place) for place in way(large)[1:]]
    assert 2 <= sum(iteration is not None for iteration in kept) <= 4
    assert replay.budget.bytes <= replay.budget.limit


@pytest.mark.parametrize(("layers", "batch"), [((2, *(3,) * 60, 2), 4), ((2, 3, 2), 1), ((784, 64, 10), 200)])
def test_an_iteration_takes_no_more_memory_than_is_said_and_not_far_less(layers, batch):
    """Of many layers Python's objects take more than the arrays."""
    data = "digits" if layers[0] == 784 else "xor"
    session, replay = Session(network=NetworkSpec(layers), data=data, batch=batch), Replay()

    def taken_at(*samples):
        iterations = [replay.take(replace(session, sample=sample)) for sample in samples]
        for iteration in iterations:
            for name in iteration.new:
                iteration.distribution(name)
        gc.collect()
        return iterations

    taken_at(0)  # what all iterations share
    tracemalloc.start()
    try:
        iterations = taken_at(1, 2, 3, 4)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    said = sum(iteration.bytes for iteration in iterations)
    assert 0.4 * said < taken < said


def test_states_reached_in_training_leave_less_for_iterations():
    session = from_preset("lesson")
    replay, places = Replay(4 * Replay().take(session).bytes), []
    for _ in range(3):
        places.append(session)
        replay.take(session)
        session = next_sample(session)
    assert all(replay.kept(place) is not None for place in places)
    for _ in replay.train(session, 12):
        assert replay.budget.bytes <= replay.budget.limit
    assert replay.kept(places[0]) is None
    assert replay.kept(places[-1]) is not None


# --- parameters moved by hand -----------------------------------------------------------------------------


def test_a_parameter_moved_by_hand_is_moved_in_the_pass_and_in_nothing_else():
    session = trained(from_preset("xor"), 3)
    replay = Replay()
    plain = replay.take(session)
    moved = replay.take(edit_parameter(session, "W1", (1, 1), 0.25))
    difference = moved.program.parameters - plain.program.parameters
    place = module.place_of(session.network, edit_parameter(session, "W1", (1, 1), 0.25).edits[0])
    assert np.flatnonzero(difference).tolist() == [place]
    assert moved.tensor("W1")[1, 1] == plain.tensor("W1")[1, 1] + np.float32(0.25)
    assert moved.loss != plain.loss
    assert replay.take(session).loss == plain.loss
    np.testing.assert_array_equal(replay.state(session).parameters, plain.program.parameters)


def test_training_goes_on_from_there_and_back_to_it_bit_for_bit():
    start = edit_parameter(trained(from_preset("xor"), 2), "b1", (0,), -0.5)
    on = after_training(start, 5)
    assert on.edits == ()
    forward, again = Replay(), Replay()
    first = forward.take(start)
    np.testing.assert_array_equal(forward.take(after_update(start)).before.parameters, first.after.parameters)
    np.testing.assert_array_equal(forward.take(on).program.parameters, again.take(on).program.parameters)
    back = on
    for _ in range(5):
        back = before_update(back)
    assert back == start
    np.testing.assert_array_equal(again.take(back).program.parameters, first.program.parameters)
    other = after_training(trained(from_preset("xor"), 2), 5)
    assert not np.array_equal(Replay().take(other).program.parameters, forward.take(on).program.parameters)


def test_a_parameter_moved_twice_is_moved_by_both_and_back_leaves_it_as_it_was():
    session = from_preset("xor")
    there = edit_parameter(edit_parameter(session, "W1", (0, 0), 0.25), "W1", (0, 0), 0.25)
    assert [each.by for each in there.edits] == [0.5]
    assert edit_parameter(there, "W1", (0, 0), -0.5).edits == ()


@pytest.mark.parametrize("letter", [ALL, 1, 3, 5])
def test_the_loss_of_a_passage_is_that_of_its_letter(letter):
    gpt = after_training(from_preset("microgpt"), 3)
    replay = Replay()
    iteration = replay.take(walk_passage(gpt, Passage("emma", letter)))
    predictor = Predictor(gpt.network, replay.state(gpt).parameters, 26)
    tokens = [4, 12, 12, 0]
    p = predictor.probabilities(tokens)
    losses = [-math.log(p[position, token]) for position, token in enumerate([*tokens, 26])]
    expected = sum(losses) / 5 if letter == ALL else losses[letter - 1]
    assert iteration.loss == pytest.approx(expected, rel=1e-12)


def test_an_update_on_a_passage_is_replayed_and_lowers_its_loss():
    there = walk_passage(after_training(from_preset("microgpt"), 3), Passage("zoe", 2))
    first, after = Replay(), after_update(there)
    before = first.take(there)
    assert first.take(after).loss == before.loss_after < before.loss
    assert Replay().take(after).loss == before.loss_after
