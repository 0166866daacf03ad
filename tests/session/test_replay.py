"""Parameters of any iteration come back by replay, to the last bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tui_backprop.data.samples import cut
from tui_backprop.engine.network import initial_parameters
from tui_backprop.engine.program import Program
from tui_backprop.presets import PRESETS
from tui_backprop.replay import Replay
from tui_backprop.session import after_update, before_update, from_preset, next_sample


def trained(session, updates):
    for _ in range(updates):
        session = after_update(session)
    return session


def by_hand(session):
    """The parameters after the session's history: stochastic gradient descent as a plain loop."""
    spec = session.network
    parameters = initial_parameters(spec)
    for run in session.history:
        batch = cut(spec, session.data, run.sample, run.batch)
        for _ in range(run.count):
            program = Program(spec, run.batch, parameters)
            program.feed(batch.x, batch.t)
            program.forward()
            parameters = parameters - parameters.dtype.type(run.lr) * program.backward()
    return parameters


@pytest.mark.parametrize("updates", [0, 1, 7])
@pytest.mark.parametrize("name", PRESETS)
def test_the_parameters_after_some_updates_are_those_of_a_plain_loop(name, updates):
    session = trained(from_preset(name), updates)
    taken = Replay().take(session)
    np.testing.assert_array_equal(taken.program.parameters, by_hand(session))


def test_a_history_of_several_samples_batches_and_rates_is_replayed_in_order():
    session = trained(from_preset("sine"), 2)
    session = trained(replace(next_sample(session), lr=0.2), 3)
    session = trained(replace(session, batch=5, sample=198), 1)
    np.testing.assert_array_equal(Replay().take(session).program.parameters, by_hand(session))


@pytest.mark.parametrize("name", PRESETS)
def test_what_was_thrown_away_comes_back_bit_for_bit(name):
    sessions = [trained(from_preset(name), updates) for updates in range(6)]
    keeps, forgets = Replay(), Replay(limit=0)
    first = {session: keeps.take(session) for session in sessions}
    for session in [*sessions, *reversed(sessions), sessions[3]]:
        again = forgets.take(session)
        assert (again.loss, again.loss_after) == (first[session].loss, first[session].loss_after)
        np.testing.assert_array_equal(again.program.gradient, first[session].program.gradient)
        np.testing.assert_array_equal(again.updated, first[session].updated)
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
    taken = replay.take(session)
    assert replay.take(session) is taken
    assert replay.kept(session) is taken


def test_other_samples_of_the_same_iteration_start_from_the_same_parameters():
    replay = Replay(limit=0)
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
    assert all(taken is passes[0] for taken in passes)


def test_a_replay_limited_to_nothing_still_steps_back_and_on():
    replay, session = Replay(limit=0), trained(from_preset("xor"), 4)
    for place in (session, before_update(session), session, after_update(session)):
        np.testing.assert_array_equal(replay.take(place).program.parameters, by_hand(place))
