"""The specification of an expression: its text and its numbers. Everything here runs without numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.expression.graph import graph_of
from tui_backprop.engine.frontends.expression.lets import lets_of
from tui_backprop.engine.frontends.expression.presets import FRONTEND
from tui_backprop.engine.frontends.expression.syntax import statements_of
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.model import DTYPES, ITEMSIZE, TrainingSettings
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.support.validation import one_of, whole_number

ARRAYS = 32  # of each value, at most: in three passes, with work space and cotangents
OBJECTS = 32_768  # bytes of Python's objects for one operation, at most


@dataclass(frozen=True)
class ExpressionSpec(SpecBase):
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
    def layers(self) -> tuple[int, ...]:
        """It has no layers."""
        return ()

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

    @property
    def parameters(self) -> int:
        """Number of parameters, P."""
        return sum(map(size, self.graph.parameters.values()))

    @property
    def parameter_terms(self) -> list[tuple[str, int]]:
        """The terms that P is the sum of: each parameter, with its shape, and its number of entries."""
        shapes = self.graph.parameters
        return [
            (" ".join((name, "×".join(map(str, shape)))).rstrip(), size(shape))
            for name, shape in shapes.items()
        ]

    @property
    def weights(self) -> int:
        """Number of multiply-accumulates of the forward pass."""
        return self.graph.macs

    def at_inference(self) -> Self:
        """Return the expression itself: nothing in it is for training only."""
        return self

    @property
    def training_settings(self) -> TrainingSettings:
        """None: what an expression depends on is in its text."""
        return TrainingSettings()

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        """Return the expression itself."""
        return self

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak, with an optimizer of so many slots per parameter."""
        held = ITEMSIZE[self.dtype] * (ARRAYS * self._entries + (10 + 6 * slots) * self.parameters)
        return held + OBJECTS * len(self.graph.ops)

    def streamed_memory(self, batch: int) -> int:
        """Estimate the bytes of a pass; there is no weight gradient that it could do without."""
        return self.memory(batch)

    def check_memory(self, batch: int, every: bool = False) -> int:
        """Estimate the bytes that a gradient check holds at its peak: passes in double and complex precision, too."""
        return 4 * self.memory(batch)

    @property
    def _entries(self) -> int:
        return sum(size(value.shape) for value in self.graph.values)


@dataclass(frozen=True)
class VectorExpression(ExpressionSpec):
    """An expression whose last statement may be an array, for its Jacobian alone: the walk needs a single number."""

    @property
    def graph(self) -> Graph:
        """The operations and values of the expression."""
        return graph_of(self.text, self.let, self.input_gradient, scalar=False)
