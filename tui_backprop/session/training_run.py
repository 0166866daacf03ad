"""Training that can be watched: its progress, its scores, and a picture of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tui_backprop.session.decision_boundary import Fit, Plane, plane_of
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.training_curve import Learning, score
from tui_backprop.session.transitions import after_training, at_iteration
from tui_backprop.support.running_clock import Clock, running_clock

SHOWN = 0.25  # seconds between two reports
RECALLED = 24  # scores of a training that is read back, at most
SCORED = 0.1  # share of the time that scoring may take


@dataclass(frozen=True)
class Trained:
    """Training up to a session, and the picture drawn while it goes on."""

    to: Session
    learning: Learning
    picture: Plane | Fit | None = None


def learn(replay: Replay, start: Session, count: int | None, before: Learning | None) -> Iterator[Trained]:
    """Train a session by ``count`` updates (None: without end). Yields the progress several times a second, and at
    the end; whoever stops iterating keeps what was done. ``before`` is the training so far."""
    learning = before or Learning.nothing(start.t)
    wanted = None if count is None else learning.done + count
    learning = replace(learning, wanted=wanted, going=True)
    if not learning.scores:
        learning = _scored(replay, start, learning)
    with running_clock() as clock:
        yield from _learn(replay, start, count, learning, clock)


def _learn(
    replay: Replay, start: Session, count: int | None, learning: Learning, clock: Clock
) -> Iterator[Trained]:
    seconds, began, spent, shown = learning.seconds, clock(), 0.0, 0.0
    losses: list[float] = []
    to, done = start, 0
    for part in replay.train(start, count):
        losses += part
        done += len(part)
        now = clock() - began
        last, to = done == count, after_training(start, done)
        if last or spent <= SCORED * now:
            learning = _scored(replay, to, learning)
            spent += clock() - began - now
        if not last and now - shown < SHOWN:
            continue
        shown = now
        learning = learning.and_then(losses, seconds + now)
        losses = []
        yield Trained(to, learning, plane_of(to, replay.state(to).parameters))


def recall(replay: Replay, session: Session) -> Iterator[Learning]:
    """Read back the training that led to a session: yields the losses of all its updates, then one score after the
    other, at iterations whose states are kept, which cost no replay."""
    losses = np.array(replay.losses(session))
    learning = Learning(0, losses, untimed=len(losses))
    yield learning
    kept = replay.kept_states(session)
    for i in sorted({round(i) for i in np.linspace(0, len(kept) - 1, RECALLED)}):
        learning = _scored(replay, at_iteration(session, session, kept[i]), learning)
        learning = replace(learning, recalled=len(learning.scores))
        yield learning


def _scored(replay: Replay, session: Session, learning: Learning) -> Learning:
    """Add a score; there is none where no samples are left to score on, and the loss of the updates says it all."""
    if session.network.holds_numbers:
        return learning
    newest = score(session, replay.state(session).parameters)
    return replace(learning, scores=(*learning.scores, newest))
