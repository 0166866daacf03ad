"""The definition of a mutant: a wrong idea about backpropagation, and the number that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tui_backprop.engine.mutants.site import Site
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op

# What is asked: the gradient of the loss by a value; what ``.grad`` holds after two backward passes; a parameter
# after the backward pass, after the update; the difference quotient of the loss by a parameter.
What = Literal["gradient", "accumulated", "after backward", "updated", "quotient"]


@dataclass(frozen=True)
class Asked:
    """A number that is asked for: of the entry at ``index`` of the value ``name``."""

    what: What
    name: str
    index: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Mutant:
    """A row: its ``name``, and ``about``, a clause after "this is what comes out ..."."""

    name: str
    about: str


@dataclass(frozen=True, eq=False, repr=False)
class RuleMutant(Mutant):
    """A rule of the backward pass that is wrong: ``wrong`` returns an operation with the wrong rule, or None where
    the rule does not occur."""

    wrong: Callable[[Site], Op | None]

    def sites(self, graph: Graph, lr: float) -> tuple[str, ...]:
        """Return the outputs of the operations at which the rule can be wrong."""
        return tuple(op.output for op in graph.ops if self.wrong(Site(graph, op, lr)))


@dataclass(frozen=True)
class Move:
    """An update of an entry of a parameter: its value and gradient before it, its value after it, and the learning
    rate."""

    w: float
    gradient: float
    after: float
    lr: float
    is_bias: bool


@dataclass(frozen=True, eq=False, repr=False)
class UpdateMutant(Mutant):
    """A wrong number that follows from an update: of ``what``, by ``number``; None where both ideas agree."""

    what: What
    number: Callable[[Move], float | None]


@dataclass(frozen=True, eq=False, repr=False)
class QuotientMutant(Mutant):
    """A difference quotient in a precision, with the step h, computed wrongly from L(w + h), L(w) and h."""

    dtype: str
    step: float
    number: Callable[[float, float, float], float]
