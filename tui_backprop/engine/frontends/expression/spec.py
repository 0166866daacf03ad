"""The specification of an expression: its text and its numbers. Everything here runs without numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tui_backprop.engine.frontends.expression.graph import graph_of
from tui_backprop.engine.frontends.expression.lets import lets_of
from tui_backprop.engine.frontends.expression.presets import FRONTEND
from tui_backprop.engine.frontends.expression.syntax import statements_of
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_spec import GraphSpec
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.support.validation import one_of, whole_number


@dataclass(frozen=True)
class ExpressionSpec(GraphSpec):
    """A typed expression: ``text`` is one or more statements, one to a line or with ``;`` between them, the last of
    which is the loss; ``let`` gives numbers to names, ``w=-0.3`` to a parameter, ``x:=0.5`` to what is fixed. Raises
    InputError, with the column where there is one, for anything else."""

    text: str
    let: str
    dtype: str = "float64"
    seed: int = 0
    input_gradient: bool = False  # go on to what is fixed

    def __post_init__(self) -> None:
        one_of("dtype", self.dtype, DTYPES)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        _ = self.graph  # raises an error that points into the text as it was typed
        object.__setattr__(self, "text", "\n".join(statements_of(self.text)))
        object.__setattr__(self, "let", ", ".join(lets_of(self.let)))

    @property
    def graph(self) -> Graph:
        """The operations and values of the expression."""
        return graph_of(self.text, self.let, self.input_gradient)

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The statement that is the loss."""
        return self.graph.blocks[-1].title

    @property
    def noun(self) -> str:
        """What it is called: expression."""
        return "expression"

    @property
    def part(self) -> str:
        """What a block of its graph is called: statement."""
        return "statement"

    @property
    def unit(self) -> str:
        """What is selected at a step: an entry."""
        return "entry"

    @property
    def details(self) -> str:
        """The title says it all."""
        return ""

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own: yes, they are given with it."""
        return True

    def to_inputs(self, wanted: bool) -> Self:
        """Return the expression whose derivatives go on to what is fixed, or to its parameters alone."""
        return self if self.input_gradient == wanted else replace(self, input_gradient=wanted)

    @property
    def init(self) -> str:
        """Nothing is drawn: all parameters have numbers."""
        return "zeros"


@dataclass(frozen=True)
class VectorExpression(ExpressionSpec):
    """An expression whose last statement may be an array, for its Jacobian alone: the walk needs a single number."""

    @property
    def graph(self) -> Graph:
        """The operations and values of the expression."""
        return graph_of(self.text, self.let, self.input_gradient, scalar=False)
