"""The steps of the walk of a session. They load numpy when they are first asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_backprop.engine.explain.step import Step
    from tui_backprop.session.state import Session


def steps_of(session: Session) -> tuple[Step, ...]:
    """Return the walk of a session."""
    from tui_backprop.engine.explain.walk import walk

    return walk(session.network, session.batch, session.optimizer, session.walk.grain)


def same_step(before: Session, after: Session) -> Session:
    """Return the session ``after`` at the step of its walk that corresponds to that of ``before``: the one that
    computes the same, or else the one with the same number."""
    if after.network == before.network:
        return after
    steps, others = steps_of(before), steps_of(after)
    step = steps[before.walk.step]
    same = (each.index for each in others if (each.phase, each.tensor) == (step.phase, step.tensor))
    at = next(same, min(before.walk.step, len(others) - 1))
    return replace(after, walk=replace(after.walk, step=at))
