"""Moments to draw: sessions with their passes, as the app has them."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tui_backprop.engine.trace import walk
from tui_backprop.moves import at_step
from tui_backprop.replay import Replay
from tui_backprop.session import Session
from tui_backprop.ui.moment import Moment

REPLAY = Replay()


@lru_cache(maxsize=64)
def walk_and_pass(session: Session):
    return walk(session.network, session.batch, session.optimiser), REPLAY.take(session)


@pytest.fixture(scope="session")
def moments():
    """A function: one Moment for each step of a session's walk."""

    def of(session: Session) -> list[Moment]:
        steps, taken = walk_and_pass(session)
        return [Moment(at_step(session, i), steps, taken) for i in range(len(steps))]

    return of
