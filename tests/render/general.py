"""Sessions of graphs without layers: expressions of numbers and of arrays, a graph built by hand, and recordings."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tests.engine.frontends.any_shape import ByHand
from tests.record.recordings import FOLDER
from tui_backprop.data.catalogue import GIVEN
from tui_backprop.engine.frontends.expression.spec import ExpressionSpec
from tui_backprop.engine.network.model import Model
from tui_backprop.render.view_state import Snapshot
from tui_backprop.session.recorded_files import recorded_model
from tui_backprop.session.replay import Replay
from tui_backprop.session.state import Session, from_preset
from tui_backprop.session.transitions import at_step
from tui_backprop.session.walk_steps import steps_of


def given(network: Model) -> Session:
    """Start a session on a graph that holds its numbers."""
    return Session(network, GIVEN)


ARRAYS = ExpressionSpec(
    "h = tanh(W @ x + b)\nL = mean((V @ h - y)**2)",
    "W=[[1,2],[3,-1],[.5,.5]], x:=[1,-1], b=[0,0,0.1], V=[[1,1,1]], y:=[0.5]",
)
CUBE = ExpressionSpec("h = relu(W)\nL = sum(h**2) + sum(h)", "W=[[[1,2],[3,-1]],[[.5,.5],[2,1]]]")
SESSIONS = {
    "three-uses": from_preset("three-uses"),
    "logistic-neuron": from_preset("logistic-neuron"),
    "micrograd": from_preset("micrograd"),
    "arrays": given(ARRAYS),
    "cube": given(CUBE),
    "one parameter": given(ExpressionSpec("L = x", "x=2")),
    "detached": given(ExpressionSpec("u = detach(w*x)\nL = (u - x)**2", "w=2, x=3")),
    "not finite": given(ExpressionSpec("L = log(w) * 0 + w", "w=0")),
    "by hand": given(ByHand()),
    "recorded": given(recorded_model(FOLDER / "mlp-layer-norm.bp")),
    "recorded lstm": given(recorded_model(FOLDER / "lstm-cell.bp")),
}


@cache
def replay() -> Replay:
    return Replay()


def snapshots(session: Session, grain: str = "equation") -> list[Snapshot]:
    """Return a session at all steps of its walk."""
    session = replace(session, walk=replace(session.walk, grain=grain))
    steps, iteration = steps_of(session), replay().take(session)
    return [Snapshot(at_step(session, step.index), steps, iteration) for step in steps]
