"""What the figures of the lesson are about: a session, its iteration, and the weight with the largest gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import sqrt

import numpy as np

from tui_backprop.cost.accounting.path_counts import Paths, paths
from tui_backprop.cost.model.landmarks import LESSON_STEP
from tui_backprop.engine.analysis.influence import PathStep, strongest_path
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.problem import Problem
from tui_backprop.engine.primitives import Array, index_at
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.session.state import Session


@lru_cache(maxsize=4)
def _iteration_of(session: Session) -> Iteration:
    from tui_backprop.session.replay import Replay

    return Replay(0).take(session)


@dataclass(frozen=True)
class Perturbed:
    """The loss in double precision before and after one parameter grew by ``h``."""

    loss: float
    moved: float
    h: float

    @property
    def quotient(self) -> float:
        """The difference quotient, an estimate of the derivative."""
        return (self.moved - self.loss) / self.h


@dataclass(frozen=True)
class Subject:
    """What figures are about: a session, and its iteration, which is computed when a figure needs it, unless it is
    ``known``."""

    session: Session
    known: Iteration | None = None

    @cached_property
    def iteration(self) -> Iteration:
        return self.known or _iteration_of(self.session.walked)

    @cached_property
    def weight(self) -> tuple[str, tuple[int, ...]]:
        """The name and index of the weight with the largest gradient."""
        graph = self.iteration.graph
        names = [name for name in graph.parameters if graph.is_weight(name)]
        return self.steepest(max(names, key=lambda each: float(np.abs(self.gradient_of(each)).max())))

    def steepest(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Return the name of a value with the index of the entry that has the largest gradient."""
        gradient = self.gradient_of(name)
        return name, index_at(int(np.abs(gradient).argmax()), gradient.shape)

    def gradient_of(self, name: str) -> Array:
        return self.iteration.tensor(self.iteration.graph.gradient_of(name))

    @property
    def value(self) -> float:
        name, index = self.weight
        return float(self.iteration.tensor(name)[index])

    @property
    def slope(self) -> float:
        """The derivative of the loss by the weight."""
        name, index = self.weight
        return float(self.gradient_of(name)[index])

    @cached_property
    def perturbed(self) -> Perturbed:
        """The loss before and after the weight is perturbed by the lesson's step."""
        iteration = self.iteration
        problem = Problem(iteration.spec, *iteration.data, iteration.before.parameters, iteration.before.t)
        program = problem.in_precision("float64").program()
        before = float(program.forward())
        program.parameters[iteration.graph.flat_index(*self.weight)] += LESSON_STEP
        return Perturbed(before, float(program.forward()), LESSON_STEP)

    @cached_property
    def path(self) -> tuple[PathStep, ...]:
        """The factors of the largest path from the first layer's steepest weight to the loss, that of the loss last;
        without those of additions, which are 1."""
        steps = strongest_path(self.iteration, *self.first_weight).steps
        return tuple(step for step in steps if step.formula != "1")

    @cached_property
    def first_weight(self) -> tuple[str, tuple[int, ...]]:
        """The weight of the first layer with the largest gradient."""
        return self.steepest(self.iteration.graph.weight(1))

    @property
    def network(self) -> NetworkSpec:
        """The network of the session, a dense one: figures that count layers are about no other."""
        assert isinstance(self.session.network, NetworkSpec)
        return self.session.network

    @cached_property
    def paths(self) -> Paths:
        graph = self.session.network.graph
        return paths(self.session.network, graph.weight(1))

    def delta_rms(self, layer: int) -> float:
        """The root mean square of the deltas of a layer."""
        found = np.asarray(self.iteration.tensor(self.iteration.graph.delta(layer)), float)
        return sqrt(float(np.mean(found**2)))
