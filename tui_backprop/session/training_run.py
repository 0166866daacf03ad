"""Training that can be watched: its progress, its scores, and a picture of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from tui_backprop.session.decision_boundary import Fit, Plane, plane_of
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.training_curve import Learning, score
from tui_backprop.session.transitions import after_training

SHOWN = 0.25  # seconds between two reports
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
    seconds, began, spent, shown = learning.seconds, perf_counter(), 0.0, 0.0
    if not learning.scores:
        learning = _scored(replay, start, learning)
    losses: list[float] = []
    to, done = start, 0
    for part in replay.train(start, count):
        losses += part
        done += len(part)
        now = perf_counter() - began
        last = done == count
        if not last and now - shown < SHOWN:
            continue
        shown, to = now, after_training(start, done)
        learning = learning.and_then(losses, seconds + now)
        losses = []
        if last or spent <= SCORED * now:
            learning = _scored(replay, to, learning)
            spent += perf_counter() - began - now
        yield Trained(to, learning, plane_of(to, replay.state(to).parameters))


def _scored(replay: Replay, session: Session, learning: Learning) -> Learning:
    newest = score(session.network, session.data, replay.state(session).parameters, session.t)
    return replace(learning, scores=(*learning.scores, newest))
