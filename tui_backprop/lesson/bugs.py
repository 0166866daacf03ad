"""Bugs to find: a small network whose backward pass has one wrong rule, at one operation.

A bug follows from a seed. It changes the gradient of the loss, and in another way than any other wrong rule of the
table at any other operation, so that there is one answer. The instruments of the app run on its model as on any
other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tui_backprop.data.samples import cut
from tui_backprop.engine.gradients.problem import Problem
from tui_backprop.engine.mutants.model import MutantModel
from tui_backprop.engine.mutants.table import RULES, RULES_BY_NAME
from tui_backprop.engine.network.initializers import initial_parameters
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array
from tui_backprop.lesson.start import read_start
from tui_backprop.session.state import Session

# The networks that bugs are planted in: presets and what differs from them.
STARTS = (
    "xor layers=2,3,3,1 batch=4",
    "xor layers=2,3,3,1 activation=sigmoid residual=on batch=4",
    "sine layers=1,4,4,1 batch=6",
    "sine layers=1,3,3,1 loss=half-squares output_activation=sigmoid batch=5",
    "microgpt width=4 heads=2 context=4 init=normal:0.5 sample=8",
    "lenet channels=2 kernel=7 stride=4 padding=0 activation=tanh dense=4, dtype=float64 batch=3",
    "rnn hidden=3 context=3 init=normal:0.7 sample=8 batch=2",
)
LEAST_CHANGE = 0.05  # of a gradient, relative to its largest entry, that a bug makes


@dataclass(frozen=True)
class Bug:
    """The rule of the mutant ``kind``, in the operation that computes the value ``at`` in a session's network."""

    kind: str
    at: str
    session: Session

    @property
    def block(self) -> int:
        """The block of the operation, as check names it."""
        return self.session.network.graph.by_output[self.at].block

    def title(self, block: int = 0) -> str:
        """Return the title of a block, by default its own: layer 2, attention 1."""
        return self.session.network.graph.blocks[block or self.block].title

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits of the right backward pass in whose place a wrong rule runs."""
        graph, wrong = self.session.network.graph, self.model.graph.by_output[self.at].primitive
        own = (visit for visit in graph.backward_visits if visit.op.output == self.at)
        return tuple(
            each for each in own if wrong.vjps[each.of or 0] is not each.op.primitive.vjps[each.of or 0]
        )

    @property
    def blocks(self) -> frozenset[int]:
        """The blocks that the bug may be said to be in: that of the operation, and those of the steps of the walk
        that show its result."""
        graph = self.session.network.graph
        return frozenset({self.block, *map(graph.block_of, self.visits)})

    @property
    def model(self) -> Model:
        """The network with the bug."""
        return MutantModel(self.session.network, RULES_BY_NAME[self.kind], self.session.lr, (self.at,))

    @property
    def wrong_session(self) -> Session:
        """The session in which the app shows the bug: all else is that of ``session``. It has no token."""
        return replace(self.session, network=self.model)

    @property
    def problem(self) -> Problem:
        """The loss to differentiate, with the bug, for ``check``."""
        return problem_of(self.session, self.model)


def problem_of(session: Session, model: Model | None = None) -> Problem:
    """Return the loss of a session's batch at its first parameters, of its network or of another model of it."""
    network = session.network
    batch = cut(network, session.data, *session.samples)
    return Problem(model or network, batch.x, batch.t, initial_parameters(network))


def passed(problem: Problem) -> Program:
    """Run the forward and the backward pass of a problem."""
    program = problem.program()
    program.forward()
    program.backward()
    return program


def bug_of(seed: int) -> Bug:
    """Return the bug of a seed: first a network is drawn, then a kind, then a place."""
    rng = np.random.default_rng([seed, 1])
    session = _session(STARTS[int(rng.integers(len(STARTS)))], seed)
    every = bugs_in(session)
    kinds = sorted({bug.kind for bug in every})
    kind = kinds[int(rng.integers(len(kinds)))]
    places = [bug for bug in every if bug.kind == kind]
    return places[int(rng.integers(len(places)))]


def _session(start: str, seed: int) -> Session:
    session = read_start(start).session
    return replace(session, network=session.network.changed(seed=session.network.seed + seed))


@lru_cache(maxsize=8)
def bugs_in(session: Session) -> tuple[Bug, ...]:
    """List the bugs that can be told apart in a network, in the order of the table of mutants."""
    right = passed(problem_of(session)).gradient
    scale = np.abs(right).max()
    found = [(bug, passed(bug.problem).gradient) for bug in _every_bug(session)]
    seen = [(bug, wrong) for bug, wrong in found if np.isfinite(wrong).all() and _differ(wrong, right, scale)]
    return tuple(
        bug
        for bug, wrong in seen
        if all(_differ(wrong, other, scale) for rival, other in seen if rival != bug)
    )


def _differ(one: Array, other: Array, scale: float) -> bool:
    return bool(np.abs(one - other).max() > LEAST_CHANGE * scale)


def _every_bug(session: Session) -> Iterator[Bug]:
    for mutant in RULES:
        for at in mutant.sites(session.network.graph, session.lr):
            yield Bug(mutant.name, at, session)


def kinds_in(bug: Bug) -> tuple[str, ...]:
    """List the kinds of bugs to choose from: those that the network could have, in the order of the table."""
    return tuple(dict.fromkeys(each.kind for each in bugs_in(bug.session)))
