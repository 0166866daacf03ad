"""The gradient of each value of a graph without layers, by its size: where the chain rule makes it small or large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from tui_backprop.engine.analysis.visit_norms import written
from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.network.nonfinite import NonFinite
from tui_backprop.engine.network.recurrence import repeated_blocks
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class ValueFlow:
    """The ``gradient`` (its symbol) of a value, and ``rms``, the root mean square of its entries: of a single number,
    its size."""

    value: str
    gradient: str
    rms: float


@dataclass(frozen=True)
class StepFlow:
    """The ``gradient`` (its symbol) of what a repeated block passes on, such as the state after a step in time: its
    ``norm``, and the norm of the part of it that is ``carried`` back from the next block."""

    block: int
    gradient: str
    norm: float
    carried: float


@dataclass(frozen=True)
class GraphFlow:
    """The values that a derivative flows to, in forward order, the loss last; ``bad`` is the first NaN or infinity,
    if there is one. ``steps`` are repeated blocks, in forward order; () where no block repeats another."""

    values: tuple[ValueFlow, ...]
    bad: NonFinite | None = None
    steps: tuple[StepFlow, ...] = ()

    @property
    def zero(self) -> tuple[str, ...]:
        """The gradients that are 0, or 0 in every entry."""
        return tuple(each.gradient for each in self.values if each.rms == 0)

    @property
    def factors(self) -> tuple[float, ...]:
        """By how much the size of the gradient changes on its way back through each repeated block, the first block
        first: what it carries back relative to what it is given; of blocks that a gradient reaches."""
        return tuple(before.carried / after.norm for before, after in pairwise(self.steps) if after.norm)

    @property
    def growth(self) -> float:
        """The product of the factors: 1 where there are none."""
        return prod(self.factors)


def value_flow(iteration: Iteration) -> GraphFlow:
    """Measure the gradients of all values of an iteration."""
    graph = iteration.graph
    found = [value for value in graph.values if value.name in graph.differentiable]
    values = tuple(_measured(iteration, value.name) for value in found)
    return GraphFlow(values, iteration.bad, tuple(_steps(iteration)))


def _steps(iteration: Iteration) -> Iterator[StepFlow]:
    """Measure the gradients between blocks that repeat each other."""
    graph = iteration.graph
    blocks = repeated_blocks(graph)
    for block in blocks:
        state = graph.output_of(block)
        if state not in graph.differentiable:
            continue
        on = [visit for visit in graph.visits_of[state] if visit.op.block in blocks]
        with np.errstate(all="ignore"):
            carried = norm(np.sum([written(iteration, visit) for visit in on], axis=0)) if on else 0.0
        gradient = graph.gradient_of(state)
        yield StepFlow(block, gradient, norm(iteration.tensor(gradient)), carried)


def _measured(iteration: Iteration, name: str) -> ValueFlow:
    graph = iteration.graph
    symbol = graph.gradient_of(name)
    if name == graph.loss:
        return ValueFlow(name, symbol, 1.0)
    gradient = iteration.tensor(symbol)
    return ValueFlow(name, symbol, norm(gradient) / gradient.size**0.5)
