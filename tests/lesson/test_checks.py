"""A check sees that the action was done: not before, not after other actions, and then."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.keys.panel_table import COST_PAGES, PLACES
from tui_backprop.lesson.chapter import chapters
from tui_backprop.lesson.checks import CHECKS, done
from tui_backprop.lesson.start import read_start
from tui_backprop.lesson.subject import Subject
from tui_backprop.session import transitions
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset

TRANSITIONS = 2000  # in all
LESSON, XOR = Session(), from_preset("xor")


def steps_of(session):
    return walk(session.network, session.batch, session.optimizer, session.walk.grain)


def places(session, *phases):
    """The steps of the walk in some phases."""
    return [step.index for step in steps_of(session) if step.phase in phases]


def first_of(phase):
    return lambda session: transitions.at_step(session, places(session, phase)[0])


def last_of(phase):
    return lambda session: transitions.at_step(session, places(session, phase)[-1])


def first_kind(kind):
    return lambda session: transitions.at_step(
        session, next(step.index for step in steps_of(session) if step.kind == kind)
    )


def to_panel(name):
    return lambda session: replace(session, panel=name)


def find_weight(session):
    return transitions.inspect(session, *Subject(session).weight)


def first_weight(session, last=0):
    """The name and index of an entry of the first parameter."""
    name, shape = next(iter(session.network.graph.parameters.items()))
    return name, (*(0,) * (len(shape) - 1), last)


def change_weight(session):
    return transitions.edit_parameter(session, *Subject(session).weight, 0.01)


def update(count):
    return lambda session: transitions.after_training(session, count)


def back_at_layer_1(session):
    index = next(each.index for each in steps_of(session) if each.phase == "backward" and each.block == 1)
    return transitions.at_step(session, index)


# What does it, and the actions that might do it, too, or undo it: random transitions leave these out.
ACTIONS = {
    "stepped": (lambda s: transitions.step_on(s, len(steps_of(s))), {"step", "update"}),
    "unit-selected": (lambda s: transitions.select(s, 1, 1), {"unit"}),
    "at-the-loss": (first_of("loss"), {"step"}),
    "going-back": (first_of("backward"), {"step"}),
    "at-the-first-layer": (back_at_layer_1, {"step"}),
    "all-gradients": (last_of("backward"), {"step"}),
    "at-the-update": (first_of("update"), {"step"}),
    "attention-reached": (first_kind("softmax"), {"step"}),
    "back-at-attention": (first_kind("softmax vjp"), {"step"}),
    "kernels-reached": (first_kind("convolution"), {"step"}),
    "updated": (transitions.after_update, {"update"}),
    "other-sample": (transitions.next_sample, {"sample", "update"}),
    "number-found": (find_weight, {"number"}),
    "parameter-changed": (change_weight, {"edit"}),
    "parameter-restored": (lambda s: replace(s, edits=()), {"edit", "update"}),
    "clock-switched": (transitions.toggle_clock, {"clock"}),
    "size-chosen": (lambda s: transitions.set_decade(s, 8.0), {"size"}),
    "step-size-changed": (lambda s: transitions.change_step_index(s, 1), {"step size"}),
    "accurate": (update(300), {"update"}),
    "trained-to-the-flow": (lambda s: to_panel("flow")(update(1)(s)), {"update"}),
    "trained-to-the-text": (lambda s: to_panel("text")(update(1)(s)), {"update"}),
    "not-finite-in-the-flow": (lambda s: to_panel("flow")(update(10)(s)), {"update"}),
    "cost-open": (to_panel("claims"), {"panel"}),
    **{f"{name.replace('_', '-')}-open": (to_panel(name), {"panel"}) for name in PLACES if name != "cost"},
}
# Where a check starts, if not on the lesson's network.
STARTS = {
    "accurate": read_start("lesson batch=32 lr=0.05").session,
    "not-finite-in-the-flow": read_start("lesson lr=5").session,
    "parameter-restored": change_weight(LESSON),
    "attention-reached": read_start("microgpt").session,
    "back-at-attention": read_start("microgpt").session,
    "kernels-reached": read_start("lenet").session,
    "walk-open": to_panel("blame")(LESSON),
}
RANDOM = {
    "step": lambda s, r: transitions.at_step(s, r.randrange(len(steps_of(s)))),
    "unit": lambda s, r: transitions.select(s, r.randrange(s.network.graph.depth), r.randrange(2)),
    "update": lambda s, r: transitions.after_update(s),
    "sample": lambda s, r: transitions.next_sample(s, r.choice((-1, 1))),
    "number": lambda s, r: transitions.inspect(s, *first_weight(s, r.randrange(2))),
    "edit": lambda s, r: transitions.edit_parameter(s, *first_weight(s), 0.01),
    "clock": lambda s, r: transitions.toggle_clock(s),
    "size": lambda s, r: transitions.set_decade(s, r.uniform(3, 12)),
    "step size": lambda s, r: transitions.change_step_index(s, r.choice((-4, 1))),
    "panel": lambda s, r: replace(s, panel=r.choice(PLACES)),
    "view": lambda s, r: transitions.next_view(s),
    "measure": lambda s, r: transitions.next_measure(s),
    "rank": lambda s, r: transitions.at_rank(s, r.randrange(20)),
    "axis": lambda s, r: transitions.next_axis(s),
    "zoom": lambda s, r: transitions.zoom_chart(s, r.choice((-1, 1))),
    "amount": lambda s, r: transitions.change_amount(s, r.choice((-1, 1))),
    "precision": lambda s, r: transitions.toggle_precision(s),
}  # fmt: skip


@pytest.fixture(scope="module")
def replay():
    return Replay()


def test_every_check_has_an_action():
    assert set(ACTIONS) == set(CHECKS)


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "accurate"])  # see its chapter, below
def test_a_check_is_false_before_its_action_and_true_after(name, replay):
    start = STARTS.get(name, LESSON)
    if name == "cost-open":
        assert all(done(name, start, to_panel(page)(start)) for page in COST_PAGES)
    assert not done(name, start, start, replay)
    assert done(name, start, ACTIONS[name][0](start), replay)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_stays_false_under_random_actions_of_other_kinds(name, replay):
    then = now = STARTS.get(name, XOR)
    random, (action, avoided) = Random(name), ACTIONS[name]
    names = [each for each in RANDOM if each not in avoided]
    for _ in range(-(-TRANSITIONS // len(CHECKS))):
        now = RANDOM[random.choice(names)](now, random)
        assert not done(name, then, now, replay)
    if CHECKS[name].measured is None:
        assert done(name, then, action(replace(now, update_log=(), edits=())), replay)


@pytest.mark.parametrize(
    ("name", "short"),
    [("at-the-loss", "loss"), ("going-back", "backward"), ("at-the-update", "update")],
)
def test_stepping_about_before_a_place_does_not_count(name, short):
    before = range(places(XOR, short)[0])
    assert not any(done(name, XOR, transitions.at_step(XOR, step)) for step in before)
    assert not done("all-gradients", XOR, transitions.at_step(XOR, places(XOR, "backward")[-1] - 1))


@pytest.mark.parametrize(
    ("name", "panel"),
    [("trained-to-the-flow", "flow"), ("not-finite-in-the-flow", "flow"), ("trained-to-the-text", "text")],
)
def test_what_training_did_is_to_be_seen_in_a_panel(name, panel, replay):
    start = STARTS.get(name, LESSON)
    assert not done(name, start, update(10)(start), replay)
    assert not done(name, start, to_panel(panel)(start), replay)
    assert done(name, start, to_panel(panel)(update(10)(start)), replay)


def test_a_network_that_is_trained_too_little_is_not_accurate(replay):
    start = STARTS["accurate"]
    assert not done("accurate", start, update(30)(start), replay)


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_the_actions_of_a_chapter_do_its_steps(chapter, replay):
    now = chapter.start.session
    for step in chapter.steps:
        if step.fresh:
            now = step.start.session
        if step.check:
            assert not done(step.check, now, now, replay), step.name
            then, now = now, ACTIONS[step.check][0](now)
            assert done(step.check, then, now, replay), step.name
