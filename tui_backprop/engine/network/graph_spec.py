"""What the specifications of models have in common whose counts follow from their graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.network.model import ITEMSIZE, TrainingSettings
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.network.graph import Graph

ARRAYS = 32  # of each value, at most: in three passes, with work space and cotangents
OBJECTS = 32_768  # bytes of Python's objects for one operation, at most
CHECKED = 4  # times the memory of the app: a gradient check runs passes in double and complex precision, too


def check_numbers(spec: SpecBase, most: Mapping[str, float], least: Mapping[str, int]) -> None:
    """Make whole numbers of some fields of a specification that is being built. Raises InputError for one out of
    range: from ``least`` (default: 1) to ``most``."""
    for field, highest in most.items():
        lowest = least.get(field, 1)
        number = whole_number(field, getattr(spec, field), lowest)
        if number > highest:
            raise InputError(field, f"{number} is out of range ({lowest} to {highest:,})")
        object.__setattr__(spec, field, number)
    object.__setattr__(spec, "seed", whole_number("seed", spec.settings["seed"], 0))


@dataclass(frozen=True)
class GraphSpec(SpecBase):
    """A model without layers of one kind, and without settings that change while it is trained."""

    if TYPE_CHECKING:  # what each model has

        @property
        def dtype(self) -> str: ...

        @property
        def graph(self) -> Graph: ...

    @property
    def unseeded(self) -> Self:
        """The model without what changes no operation of its graph: initialization, precision and seed."""
        cls = type(self)
        return self.changed(**{name: getattr(cls, name) for name in ("init", "dtype", "seed")})

    @property
    def layers(self) -> tuple[int, ...]:
        """It has no layers: its blocks are of several kinds."""
        return ()

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own: no, a data set feeds it."""
        return False

    @property
    def parameters(self) -> int:
        """Number of parameters, P."""
        return sum(map(size, self.graph.parameters.values()))

    @property
    def parameter_terms(self) -> list[tuple[str, int]]:
        """The terms that P is the sum of: each parameter, with its shape, and its number of entries."""
        shapes = self.graph.parameters
        return [
            (f"{name} {'×'.join(map(str, shape))}".rstrip(), size(shape)) for name, shape in shapes.items()
        ]

    @property
    def weights(self) -> int:
        """Number of multiply-accumulates of the forward pass of one sample."""
        return self.graph.macs

    def at_inference(self) -> Self:
        """Return the model itself: nothing in it is for training only."""
        return self

    @property
    def training_settings(self) -> TrainingSettings:
        """None that can change while it is trained."""
        return TrainingSettings()

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        """Return the model itself."""
        return self

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak, with an optimizer of so many slots per parameter."""
        entries = ARRAYS * sum(map(size, self.graph.shapes(batch).values())) + self._scratch(batch)
        held = ITEMSIZE[self.dtype] * (entries + (10 + 6 * slots) * self.parameters)
        return held + OBJECTS * len(self.graph.ops)

    def _scratch(self, batch: int) -> int:
        """Numbers of the work space of operations that is larger than their values."""
        return 0

    def streamed_memory(self, batch: int) -> int:
        """Estimate the bytes of a pass; its weight gradients are small beside its values."""
        return self.memory(batch)

    def check_memory(self, batch: int, every: bool = False) -> int:
        """Estimate the bytes that a gradient check holds at its peak."""
        return CHECKED * self.memory(batch)


@dataclass(frozen=True)
class TokenSpec(GraphSpec):
    """A model that reads tokens, to which no derivative flows."""

    @property
    def part(self) -> str:
        """What a block of its graph is called: block."""
        return "block"

    @property
    def input_gradient(self) -> bool:
        """Whether the backward pass goes on to the inputs: no."""
        return False

    def to_inputs(self, wanted: bool) -> Self:
        """Return the model itself: the derivative by what tokens are embedded as is a step of its walk."""
        return self
