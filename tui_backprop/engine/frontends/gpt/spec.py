"""The specification of a character-level GPT: a small frozen value, validated, without arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.frontends.gpt.presets import FRONTEND, NORMS
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.engine.network.model import DTYPES, ITEMSIZE, TrainingSettings
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import boolean, one_of, whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.network.graph import Graph

ACTIVATIONS = ("relu", "gelu")
# The largest numbers; a vocabulary is 256 characters and the boundary.
MOST = {"vocabulary": 257, "depth": 12, "width": 1024, "heads": 64, "context": 256}
HIDDEN = 4  # units of an MLP, times the width
ARRAYS = 24  # of each value, at most: in three passes, with work space and cotangents
OBJECTS = 32_768  # bytes of Python's objects for one operation, at most


@dataclass(frozen=True)
class GptSpec(SpecBase):
    """A decoder-only transformer without biases that predicts the next of ``vocabulary`` tokens at each position.

    ``depth`` blocks of causal attention with ``heads`` heads and an MLP of 4 ``width`` units, each behind a ``norm``
    and around a residual stream of ``width`` numbers for each of ``context`` positions. With ``tied``, the output
    matrix is the transposed embedding. Raises InputError for a field with an invalid value."""

    vocabulary: int = 27
    depth: int = 1
    width: int = 16
    heads: int = 4
    context: int = 16
    norm: str = "rms"
    activation: str = "relu"
    tied: bool = False
    init: str = "normal:0.08"
    dtype: str = "float64"
    seed: int = 0

    def __post_init__(self) -> None:
        for field, most in MOST.items():
            least = 2 if field == "vocabulary" else 1
            number = whole_number(field, getattr(self, field), least)
            if number > most:
                raise InputError(field, f"{number} is out of range ({least} to {most:,})")
            object.__setattr__(self, field, number)
        if self.width % self.heads:
            fits = [n for n in range(1, self.heads + 1) if self.width % n == 0][-1]
            raise InputError(
                "heads", f"a width of {self.width} does not divide among {self.heads} heads; write {fits}"
            )
        one_of("norm", self.norm, NORMS)
        one_of("activation", self.activation, ACTIVATIONS)
        boolean("tied", self.tied)
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.gpt.graph import graph_of  # the first paint does not need it

        return graph_of(replace(self, init=GptSpec.init, dtype=GptSpec.dtype, seed=GptSpec.seed))

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The network in brief: GPT, 1 block, width 16, 4 heads, context 16."""
        blocks = f"{self.depth} block" + ("" if self.depth == 1 else "s")
        heads = f"{self.heads} head" + ("" if self.heads == 1 else "s")
        return f"GPT, {blocks}, width {self.width}, {heads}, context {self.context}"

    @property
    def layers(self) -> tuple[int, ...]:
        """It has no layers: its blocks are of several kinds."""
        return ()

    @property
    def details(self) -> str:
        """The activation."""
        return self.activation

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own: no, a data set feeds it."""
        return False

    @property
    def input_gradient(self) -> bool:
        """Whether the backward pass goes on to the inputs: no derivative flows to ids of tokens."""
        return False

    def to_inputs(self, wanted: bool) -> Self:
        """Return the network itself: the derivative by what tokens are embedded as is a step of its walk."""
        return self

    @property
    def parameters(self) -> int:
        """Number of parameters, P."""
        return sum(map(size, self.graph.parameters.values()))

    @property
    def parameter_terms(self) -> list[tuple[str, int]]:
        """The terms that P is the sum of: each parameter, with its shape, and its number of entries."""
        shapes = self.graph.parameters
        return [(f"{name} {'×'.join(map(str, shape))}", size(shape)) for name, shape in shapes.items()]

    @property
    def weights(self) -> int:
        """Number of multiply-accumulates of the forward pass of one sample."""
        return self.graph.macs

    def at_inference(self) -> Self:
        """Return the network itself: nothing in it is for training only."""
        return self

    @property
    def training_settings(self) -> TrainingSettings:
        """None that can change while it is trained."""
        return TrainingSettings()

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        """Return the network itself."""
        return self

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak, with an optimizer of so many slots per parameter."""
        held = ITEMSIZE[self.dtype] * (ARRAYS * self._entries(batch) + (10 + 6 * slots) * self.parameters)
        return held + OBJECTS * len(self.graph.ops)

    def streamed_memory(self, batch: int) -> int:
        """Estimate the bytes of a pass; its weight gradients are small beside its values."""
        return self.memory(batch)

    def check_memory(self, batch: int, every: bool = False) -> int:
        """Estimate the bytes that a gradient check holds at its peak: passes in double and complex precision, too."""
        return 4 * self.memory(batch)

    def _entries(self, batch: int) -> int:
        return sum(map(size, self.graph.shapes(batch).values()))
