"""The checks of the lesson: each sees in the session that a step's action was done.

A check compares the session when the step began with the session as it is now. Most are goals, which may be met from
the beginning: what the learner has done before need not be done again. No check looks at keys. The ``panel`` of a
session is the one that has the focus: the app keeps it beside the session while it runs, and puts it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.explain.walk import walk
from tui_backprop.keys.panel_table import COST_PAGES, PLACES
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.training_curve import score

Reached = Callable[[Session, Session], bool]
Measured = Callable[[Session, Replay], bool]
ACCURATE = 0.9  # share of samples that a trained network must classify correctly


@dataclass(frozen=True)
class Check:
    """``reached`` tells from the session then and now if the action was done. Where there is one, ``measured`` must
    tell so, too, from the numbers of the session now, which takes a moment."""

    reached: Reached
    measured: Measured | None = None


def done(name: str, then: Session, now: Session, replay: Replay | None = None) -> bool:
    """Return True if what a check looks for was done. ``replay`` may have the iterations in memory. Raises KeyError
    for an unknown name."""
    check = CHECKS[name]
    if not check.reached(then, now):
        return False
    return check.measured is None or check.measured(now, replay or Replay(0))


def _accurate(session: Session, replay: Replay) -> bool:
    """Return True if the network classifies enough of the fixed part of its data correctly."""
    accuracy = score(session, replay.state(session).parameters).accuracy
    return accuracy is not None and accuracy > ACCURATE


def _not_finite(session: Session, replay: Replay) -> bool:
    return not isfinite(replay.take(session).loss)


def step_of(session: Session) -> Step:
    """Return the step of the walk that a session is at."""
    steps = walk(session.network, session.batch, session.optimizer, session.walk.grain)
    return steps[min(session.walk.step, len(steps) - 1)]


def _phase(*phases: str) -> Reached:
    return lambda then, now: step_of(now).phase in phases


def _reached(kind: str) -> Reached:
    """Return a check that is met from the first step of a kind on."""

    def reached(then: Session, now: Session) -> bool:
        steps = walk(now.network, now.batch, now.optimizer, now.walk.grain)
        return any(step.kind == kind for step in steps[: now.walk.step + 1])

    return reached


def _panel(*names: str) -> Reached:
    return lambda then, now: now.panel in names


def _all_gradients(then: Session, now: Session) -> bool:
    """Return True from the last step of the backward pass on."""
    steps = walk(now.network, now.batch, now.optimizer, now.walk.grain)
    last = max(step.index for step in steps if step.phase == "backward")
    return now.walk.step >= last


def _back_at_first_layer(then: Session, now: Session) -> bool:
    step = step_of(now)
    return step.phase == "update" or (step.phase == "backward" and step.block == 1)


def _stepped(then: Session, now: Session) -> bool:
    return (now.t, now.walk.step) != (then.t, then.walk.step)


CHECKS: dict[str, Check] = {
    "stepped": Check(_stepped),
    "unit-selected": Check(lambda then, now: now.walk.units != then.walk.units),
    "at-the-loss": Check(_phase("loss", "backward", "update")),
    "going-back": Check(_phase("backward", "update")),
    "all-gradients": Check(_all_gradients),
    "at-the-first-layer": Check(_back_at_first_layer),
    "at-the-update": Check(_phase("update")),
    "attention-reached": Check(_reached("softmax")),
    "back-at-attention": Check(_reached("softmax vjp")),
    "kernels-reached": Check(_reached("convolution")),
    "updated": Check(lambda then, now: now.t > then.t),
    "other-sample": Check(lambda then, now: (now.sample, now.batch) != (then.sample, then.batch)),
    "number-found": Check(lambda then, now: now.inspection.number not in (None, then.inspection.number)),
    "parameter-changed": Check(lambda then, now: bool(now.edits)),
    "parameter-restored": Check(lambda then, now: not now.edits),
    "clock-switched": Check(lambda then, now: now.cost.lesson_clock != then.cost.lesson_clock),
    "size-chosen": Check(lambda then, now: now.cost.decade not in (None, then.cost.decade)),
    "step-size-changed": Check(lambda then, now: now.cost.step_index != then.cost.step_index),
    "cost-open": Check(_panel(*COST_PAGES)),
    "accurate": Check(lambda then, now: now.t > 0, _accurate),
    "trained-to-the-flow": Check(lambda then, now: now.t > 0 and now.panel == "flow"),
    "trained-to-the-text": Check(lambda then, now: now.t > 0 and now.panel == "text"),
    "not-finite-in-the-flow": Check(lambda then, now: now.t > 0 and now.panel == "flow", _not_finite),
    **{f"{name.replace('_', '-')}-open": Check(_panel(name)) for name in PLACES if name != "cost"},
}
