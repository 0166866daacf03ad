"""Settings that change in the middle of training: what is said of them, in the form, in the trace and in a token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.session.test_replay import CHANGES, rough
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.render.draw.context import LINEAR
from tui_backprop.report.trace import trace_dict, trace_text
from tui_backprop.session.form_texts import texts_of
from tui_backprop.session.network_form import session_of
from tui_backprop.session.replay import Replay
from tui_backprop.session.setting_changes import applied_words, new_optimizer, setting_changes
from tui_backprop.session.share_token import decode, encode
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import (
    after_training,
    after_update,
    at_iteration,
    before_update,
    step_back,
)
from tui_backprop.session.validation import check
from tui_backprop.session.walk_steps import steps_of
from tui_backprop.support.errors import UserError

XOR = after_training(from_preset("xor"), 40)
LOGGED = after_training(replace(XOR, network=replace(XOR.network, l2=1e-3), lr=0.1), 60)
THERE = replace(LOGGED, optimizer=OptimizerSpec("adam", beta1=0.5))

EDITS = {
    "l2": ("0.001", "from iteration 40 on: l2=0.001"),
    "dropout": ("0.25", "from iteration 40 on: dropout=0.25"),
    "lr": ("0.125", "from iteration 40 on: lr=0.125"),
    "weight-decay": ("0.1", "from iteration 40 on: weight-decay=0.1"),
    "optimizer": (
        "adam",
        "from iteration 40 on: optimizer=adam; adam starts with m = v = 0",
    ),
}  # fmt: skip
SHAPES = {
    "layers": "2,3,1",
    "activation": "relu",
    "seed": "1",
    "dtype": "float32",
    "init": "he",
    "residual": "on",
}


@pytest.mark.parametrize("field", EDITS)
def test_the_form_keeps_the_training_if_a_setting_changes_and_says_from_where_on(field):
    text, words = EDITS[field]
    after = session_of(texts_of(XOR) | {field: text}, XOR)
    assert (after.update_log, after.walk) == (XOR.update_log, XOR.walk)
    assert applied_words(XOR, after) == words


@pytest.mark.parametrize("field", SHAPES)
def test_the_form_starts_anew_if_a_shape_or_a_function_changes_and_says_so(field):
    after = session_of(texts_of(XOR) | {field: SHAPES[field]}, XOR)
    assert (after.t, after.walk.step) == (0, 0)
    assert applied_words(XOR, after) == "training restarts: 40 updates discarded"


def test_nothing_is_said_without_training_or_change():
    start = from_preset("xor")
    assert applied_words(start, session_of(texts_of(start) | {"l2": "0.5"}, start)) == ""
    assert applied_words(XOR, session_of(texts_of(XOR), XOR)) == ""


def test_the_changes_are_read_off_the_log_with_those_of_the_next_update():
    changes = [(each.t, each.text) for each in setting_changes(THERE)]
    adam = "optimizer=adam, beta1=0.5"
    assert changes == [(40, "lr=0.1, l2=0.001"), (100, adam)]
    assert new_optimizer(THERE) == "adam starts with m = v = 0"
    assert new_optimizer(after_update(THERE)) == new_optimizer(LOGGED) == ""
    assert [each.t for each in setting_changes(at_iteration(THERE, THERE, 39))] == []
    assert [each.t for each in setting_changes(at_iteration(THERE, THERE, 41))] == [40]


def test_a_change_that_is_taken_back_leaves_one_run():
    changed = replace(XOR, network=replace(XOR.network, l2=0.5))
    assert after_training(replace(changed, network=XOR.network), 3) == after_training(XOR, 3)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_token_brings_back_each_change(change):
    session = after_training(change(after_training(rough(), 5)), 5)
    check(session)
    assert decode(encode(session)) == session
    assert Replay(0).take(decode(encode(session))).loss == Replay(0).take(session).loss


def test_a_token_with_settings_that_no_network_can_have_is_refused():
    run = LOGGED.update_log[-1]
    for settings in ({"l2": 0.0, "l2_bias": True}, {"l2": -1.0}, {"dropout": 1.0}):
        bad = replace(run, settings=replace(run.settings, **settings))
        with pytest.raises(UserError):
            check(replace(LOGGED, update_log=(*LOGGED.update_log[:-1], bad)))
    tiny = replace(XOR.update_log[-1], optimizer=OptimizerSpec("adam", epsilon=1e-50))
    with pytest.raises(UserError, match="float32"):
        check(replace(Session(), update_log=(tiny,)))


def test_a_step_back_over_a_change_is_the_last_step_of_the_walk_before():
    first = replace(LOGGED, walk=replace(LOGGED.walk, step=0))
    for session in (at_iteration(first, first, 40), at_iteration(first, first, 41)):
        at_start = replace(session, walk=replace(session.walk, step=0))
        back = step_back(at_start, len(steps_of(at_start)))
        assert back.walk.step == len(steps_of(back)) - 1
        assert back.update_log == before_update(session).update_log
    last = replace(LOGGED, walk=replace(LOGGED.walk, step=len(steps_of(LOGGED)) - 1))
    there = at_iteration(last, last, 3)
    assert (there.network.l2, there.walk.step) == (0, len(steps_of(there)) - 1)


def test_the_trace_names_the_changes():
    iteration = Replay().take(THERE)
    text = trace_text(THERE, iteration, LINEAR)
    assert "from iteration 40 on: lr=0.1, l2=0.001" in text
    assert "from iteration 100 on: optimizer=adam" in text
    assert "adam began at iteration 100 with m = v = 0, and its t counts from there" in " ".join(text.split())
    assert trace_dict(THERE, iteration)["changes"][0] == {
        "iteration": 40,
        "settings": {"lr": 0.1, "l2": 0.001},
    }
    assert iteration.began == 100
