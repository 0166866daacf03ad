"""The gradient of each value of a graph without layers, by its size: where the chain rule makes it small or large."""

from __future__ import annotations

from dataclasses import dataclass

from tui_backprop.engine.arrays.norms import norm
from tui_backprop.engine.network.nonfinite import NonFinite
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class ValueFlow:
    """The ``gradient`` (its symbol) of a value, and ``rms``, the root mean square of its entries: of a single number,
    its size."""

    value: str
    gradient: str
    rms: float


@dataclass(frozen=True)
class GraphFlow:
    """The values that a derivative flows to, in forward order, the loss last; ``bad`` is the first NaN or infinity,
    if there is one."""

    values: tuple[ValueFlow, ...]
    bad: NonFinite | None = None

    @property
    def zero(self) -> tuple[str, ...]:
        """The gradients that are 0, or 0 in every entry."""
        return tuple(each.gradient for each in self.values if each.rms == 0)


def value_flow(iteration: Iteration) -> GraphFlow:
    """Measure the gradients of all values of an iteration."""
    graph = iteration.graph
    found = [value for value in graph.values if value.name in graph.differentiable]
    return GraphFlow(tuple(_measured(iteration, value.name) for value in found), iteration.bad)


def _measured(iteration: Iteration, name: str) -> ValueFlow:
    graph = iteration.graph
    symbol = graph.gradient_of(name)
    if name == graph.loss:
        return ValueFlow(name, symbol, 1.0)
    gradient = iteration.tensor(symbol)
    return ValueFlow(name, symbol, norm(gradient) / gradient.size**0.5)
