"""Moments to draw: sessions with their passes, as the app has them."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tui_backprop.engine.explain.walk import walk
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session
from tui_backprop.session.transitions import at_step

REPLAY = Replay()


@lru_cache(maxsize=64)
def walk_and_pass(session: Session):
    return walk(session.network, session.batch, session.optimizer), REPLAY.take(session)


@pytest.fixture(scope="session")
def snapshots():
    """A function: one Moment for each step of a session's walk."""

    def of(session: Session) -> list[Snapshot]:
        steps, iteration = walk_and_pass(session)
        return [Snapshot(at_step(session, i), steps, iteration) for i in range(len(steps))]

    return of
