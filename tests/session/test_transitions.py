"""The session is one frozen value, and every key a function from one to the next."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.having import having
from tui_backprop.data.catalogue import DATASETS
from tui_backprop.data.passage import Passage
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.session.presets import PRESETS
from tui_backprop.session.session_parts import AUTOMATIC
from tui_backprop.session.state import Session, UpdateRun, from_preset, same_network
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_iteration,
    at_step,
    before_update,
    edit_parameter,
    jump,
    next_sample,
    other_part,
    restart,
    select,
    select_automatic,
    set_decade,
    step_back,
    step_on,
    toggle_clock,
    walk_passage,
)
from tui_backprop.session.update_log import shared, updates
from tui_backprop.support.errors import UserError

STEPS = 11  # of the walk of the network below
XOR = from_preset("xor")
EXPLORE = settings(derandomize=True, deadline=None)


@st.composite
def sessions(draw):
    session = replace(XOR, sample=draw(st.integers(0, 199)), lr=draw(st.sampled_from([0.1, 0.5])))
    for _ in range(draw(st.integers(0, 6))):
        session = after_update(session)
        if draw(st.booleans()):
            session = next_sample(session, draw(st.sampled_from([-1, 1])))
        if draw(st.booleans()):
            session = replace(session, lr=draw(st.sampled_from([0.1, 0.5])))
    return at_step(session, draw(st.integers(0, STEPS - 1)))


def test_a_session_is_frozen_and_hashable():
    for field in fields(Session):
        with pytest.raises(FrozenInstanceError):
            setattr(XOR, field.name, None)
    assert hash(XOR) == hash(from_preset("xor"))


@pytest.mark.parametrize(
    ("change", "field"),
    [({"sample": -1}, "sample"), ({"sample": 200}, "sample"), ({"batch": 0}, "batch"), ({"lr": 0}, "lr"),
     ({"lr": float("nan")}, "lr"), ({"data": "cats"}, "data"), ({"data": "digits"}, "layers"),
     ({"network": NetworkSpec()}, "layers")],
)  # fmt: skip
def test_a_session_that_cannot_be_is_refused(change, field):
    with pytest.raises(UserError) as caught:
        replace(XOR, **change)
    assert caught.value.field == field


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_recognized(name):
    assert same_network(from_preset(name)) == name


def test_a_changed_preset_is_not():
    assert same_network(replace(XOR, network=replace(XOR.network, seed=1))) is None


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(UserError, match="choose from lesson, xor") as caught:
        from_preset("x\x1b[31m\ny")
    assert caught.value.field == "preset"
    assert caught.value.message.isprintable()


def test_a_step_on_from_the_last_one_is_the_first_of_the_next_iteration():
    session = step_on(at_step(XOR, STEPS - 1), STEPS)
    assert (session.walk.step, session.t) == (0, 1)
    assert session.update_log == (UpdateRun(0, 4, 0.5, 1),)


def test_a_step_back_from_the_first_one_is_the_last_of_the_iteration_before():
    session = step_back(after_update(XOR), STEPS)
    assert (session.walk.step, session.t) == (STEPS - 1, 0)


def test_there_is_no_step_before_the_first():
    assert step_back(XOR, STEPS) is XOR
    assert before_update(XOR) is XOR


@EXPLORE
@given(sessions())
def test_a_step_back_undoes_a_step_on_everywhere(session):
    assert step_back(step_on(session, STEPS), STEPS) == session


@EXPLORE
@given(sessions(), st.integers(1, 40))
def test_as_many_steps_back_undo_any_number_of_steps_on(session, count):
    after = session
    for _ in range(count):
        after = step_on(after, STEPS)
    assert after.t * STEPS + after.walk.step == session.t * STEPS + session.walk.step + count
    for _ in range(count):
        after = step_back(after, STEPS)
    assert after == session


def updates_of(session):
    each = updates(session.update_log, session.split.training)
    return [each(t) for t in range(session.t)]


@EXPLORE
@given(sessions())
def test_going_back_to_the_start_meets_every_iteration_with_its_own_samples(session):
    went, seen = updates_of(session), []
    while session.update_log:
        session = before_update(session)
        seen.append(session.update)
    assert seen == went[::-1]


@EXPLORE
@given(sessions(), st.integers(1, 30))
def test_training_goes_through_the_samples_and_can_be_gone_back_one_by_one(session, count):
    trained = after_training(session, count)
    assert updates_of(trained)[: session.t] == updates_of(session)
    by_hand = session
    for _ in range(count):
        by_hand = next_sample(after_update(by_hand))
    assert updates_of(trained) == updates_of(by_hand)
    assert trained.sample == by_hand.sample
    for t in reversed(range(session.t, trained.t)):
        trained = before_update(trained)
        assert trained.t == t
        assert at_iteration(session, by_hand, t).pass_key == trained.pass_key
    assert trained == session


@EXPLORE
@given(sessions())
def test_what_goes_on_in_the_same_way_is_kept_as_one_run(session):
    assert len(after_training(after_training(XOR, 7), 4).update_log) == 1
    assert len(after_update(after_update(XOR)).update_log) == 1
    again = after_update(after_update(session))
    assert again.t == session.t + 2
    assert len(again.update_log) <= len(session.update_log) + 2


@EXPLORE
@given(sessions(), st.sampled_from([-1, 1]), st.integers(1, 60))
def test_samples_go_round_and_come_back(session, direction, count):
    after = session
    for _ in range(count):
        after = next_sample(after, direction)
    assert after.sample == (session.sample + direction * count * session.batch) % 200
    for _ in range(count):
        after = next_sample(after, -direction)
    assert after == session


def test_the_sample_after_the_last_is_the_first():
    lesson = replace(from_preset("lesson"), sample=3999)
    assert next_sample(lesson).sample == 0
    assert next_sample(replace(lesson, sample=0), -1).sample == DATASETS["digits"].samples - 1


def test_a_jump_lands_on_the_first_step_of_the_next_or_the_previous_run():
    places = list("aabbbc")
    on = [jump(at_step(XOR, i), places, 1).walk.step for i in range(6)]
    back = [jump(at_step(XOR, i), places, -1).walk.step for i in range(6)]
    assert on == [2, 2, 5, 5, 5, 5]
    assert back == [0, 0, 0, 2, 2, 2]


@EXPLORE
@given(st.lists(st.integers(0, 2), min_size=1, max_size=15), st.data())
def test_a_jump_stays_on_the_walk_and_goes_the_right_way(places, data):
    at = data.draw(st.integers(0, len(places) - 1))
    assert at <= jump(at_step(XOR, at), places, 1).walk.step < len(places)
    assert 0 <= jump(at_step(XOR, at), places, -1).walk.step <= at


def test_a_selection_wraps_round_the_layer():
    assert select(XOR, 1, 2).walk.unit(1) == 0
    assert select(XOR, 1, -2).walk.unit(1) == 0
    assert select(XOR, 0, 3).walk.unit(0) == 1


def test_selections_of_layers_are_kept_apart_until_all_are_given_up():
    session = select(select(XOR, 2, 0), 1, 1)
    assert [session.walk.unit(k) for k in range(4)] == [AUTOMATIC, 1, 0, AUTOMATIC]
    assert select(session, 1, AUTOMATIC).walk.unit(1) == AUTOMATIC
    assert select_automatic(session).walk.units == ()


def test_a_restart_goes_back_to_the_seed_s_parameters_and_keeps_the_rest():
    session = select(at_step(next_sample(after_update(XOR)), 5), 1, 1)
    assert restart(session) == having(session, update_log=(), step=0)


def test_what_is_only_looked_at_does_not_change_the_numbers():
    for session in (at_step(XOR, 3), select(XOR, 1, 1), toggle_clock(XOR), set_decade(XOR, 7.5)):
        assert session != XOR
        assert session.pass_key == XOR.pass_key
    assert toggle_clock(toggle_clock(XOR)) == XOR
    assert set_decade(set_decade(XOR, 7.5), None) == XOR


def test_what_is_computed_from_changes_the_numbers():
    adam = replace(XOR, optimizer=OptimizerSpec("adam"))
    for session in (after_update(XOR), next_sample(XOR), replace(XOR, lr=0.25), replace(XOR, batch=1), adam):
        assert session.pass_key != XOR.pass_key


@EXPLORE
@given(sessions(), st.lists(st.integers(0, 1), max_size=5), st.lists(st.integers(0, 1), max_size=5))
def test_what_two_histories_share_is_counted_in_updates(session, one, other):
    def on(session, turns):
        for turn in turns:
            session = after_update(next_sample(session) if turn else session)
        return session

    left, right = on(session, one), on(session, other)
    each = [updates_of(left), updates_of(right)]
    same = next((i for i, (a, b) in enumerate(zip(*each, strict=False)) if a != b), min(map(len, each)))
    assert shared(left.update_log, right.update_log) == same
    assert shared(right.update_log, left.update_log) == same >= session.t


def test_a_passage_takes_the_place_of_the_samples_until_other_ones_are_chosen():
    gpt = from_preset("microgpt")
    there = walk_passage(replace(gpt, batch=4), Passage("emma", 3))
    assert there.batch == 1
    assert there.pass_key != gpt.pass_key != walk_passage(gpt, Passage("emma", 2)).pass_key
    assert there.gradient_changes(gpt) == ("samples",)
    assert next_sample(there) == next_sample(there, -1) == gpt
    assert next_sample(next_sample(there)).sample == gpt.sample + 1


def test_training_goes_on_with_the_data_and_one_update_with_the_passage():
    gpt = from_preset("microgpt")
    there = walk_passage(gpt, Passage("emma", 3))
    twice = after_update(after_update(there))
    assert twice.passage == there.passage
    assert [(run.count, run.passage) for run in twice.update_log] == [(2, there.passage)]
    trained = after_training(twice, 5)
    assert trained.passage is None
    assert [(run.count, run.passage) for run in trained.update_log] == [(2, there.passage), (5, None)]
    assert updates_of(trained)[2:] == updates_of(after_training(gpt, 5))
    back = at_iteration(trained, trained, 1)
    assert back.passage == there.passage
    assert next_sample(back).update_log == back.update_log


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"passage": Passage("Emma")}, "text"),
        ({"passage": Passage("a" * 17)}, "text"),
        ({"passage": Passage("emma", 6)}, "letter"),
        ({"passage": Passage("a" * 16, 17)}, "letter"),
        ({"passage": Passage("emma", -1)}, "letter"),
        ({"passage": Passage("emma"), "batch": 2}, "batch"),
        ({"passage": Passage("emma"), "network": NetworkSpec((2, 2)), "data": "moons"}, "text"),
    ],
)
def test_a_passage_that_does_not_fit_is_refused(change, field):
    with pytest.raises(UserError) as caught:
        replace(from_preset("microgpt"), **change)
    assert caught.value.field == field


def test_what_differs_from_a_gradient_is_named():
    xor = from_preset("xor")
    for names, other in (
        ((), at_step(xor, 3)),
        ((), replace(xor, lr=0.3)),
        (("samples",), replace(xor, batch=2)),
        (("parameters",), edit_parameter(xor, "W1", (0, 0), 0.1)),
        (("samples", "parameters"), after_training(replace(xor, batch=1), 1)),
        (("network", "data", "samples"), Session()),
    ):
        assert other.gradient_changes(xor) == names


def test_a_passage_belongs_to_no_part_and_training_begins_at_the_training_samples():
    gpt = replace(from_preset("microgpt"), validation=1000)
    held_out = other_part(gpt)
    assert held_out.is_held_out
    there = walk_passage(held_out, Passage("emma"))
    assert not there.is_held_out
    assert after_update(there).t == 1
    trained = after_training(after_update(there), 3)
    assert all(not replace(gpt, sample=run.sample).is_held_out for run in trained.update_log)
    assert other_part(there).passage is None
