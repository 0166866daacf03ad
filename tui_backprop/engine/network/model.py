"""What a front end makes: a graph, and what a run of it needs to know beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from tui_backprop.engine.arrays.types import Array, np

if TYPE_CHECKING:
    from tui_backprop.engine.network.family import Family
    from tui_backprop.engine.network.graph import Graph
    from tui_backprop.engine.network.program import Program

DTYPES = ("float32", "float64")
ITEMSIZE = {"float32": 4, "float64": 8}
TILE = 2**18  # entries of a streamed weight gradient: 1 MiB in single precision, which stays in the cache


def no_data(dtype: str) -> Array:
    """Return the batch of a graph that holds all numbers itself: one sample without entries, (1, 0)."""
    return np.empty((1, 0), dtype)


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a network that change none of its shapes, so that they can change while it is trained: the
    strength λ of the L2 penalty and whether it acts on all parameters, the dropout rate, and the layers that are
    ``frozen``."""

    l2: float = 0.0
    l2_bias: bool = False
    dropout: float = 0.0
    frozen: tuple[int, ...] = ()


class Model(Protocol):
    """A frozen, hashable value from which a graph follows."""

    def __hash__(self) -> int: ...

    @property
    def graph(self) -> Graph: ...

    @property
    def frontend(self) -> str:
        """The name of the front end that makes it."""
        ...

    @property
    def title(self) -> str:
        """What it is, in brief."""
        ...

    @property
    def family(self) -> Family | None:
        """How it grows with its graph; None if no larger ones belong to it."""
        ...

    @property
    def noun(self) -> str:
        """What it is called: network, expression, recording."""
        ...

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of its layers, input first; () if it has none."""
        ...

    @property
    def part(self) -> str:
        """What a block of its graph is called: layer, block, statement."""
        ...

    @property
    def unit(self) -> str:
        """What is selected at a step: unit, entry, position."""
        ...

    @property
    def folds(self) -> bool:
        """Whether the blocks of its graph can be folded."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """All that it is made from, by name."""
        ...

    @property
    def details(self) -> str:
        """What else a line about it says: the activation of a dense network."""
        ...

    @property
    def has_planted_bug(self) -> bool:
        """Whether its backward pass is wrong on purpose."""
        ...

    @property
    def kept_by_name(self) -> bool:
        """Whether its file is named to open it again, so that no session of it is kept."""
        ...

    @property
    def no_token(self) -> str:
        """Why a session of it has no token; "" if it has one."""
        ...

    @property
    def healthy(self) -> Model:
        """The model without a planted bug; itself if it has none."""
        ...

    @property
    def holds_numbers(self) -> bool:
        """Whether all its numbers are its own, so that no data set feeds it."""
        ...

    @property
    def context(self) -> int:
        """Number of positions T of a sample of text; 0 if it takes numbers."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of tokens of the text that it takes; 0 if it takes numbers."""
        ...

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the images that it takes; None if it takes other inputs."""
        ...

    @property
    def classes(self) -> int:
        """Number of classes that it tells apart in images; 0 if it takes other inputs."""
        ...

    @property
    def heads(self) -> int:
        """Number of heads of its attention; 0 if it has none."""
        ...

    @property
    def input_gradient(self) -> bool:
        """Whether the backward pass goes on to the inputs."""
        ...

    def to_inputs(self, wanted: bool) -> Self:
        """Return the model whose derivatives go on to the inputs, or to its parameters alone."""
        ...

    @property
    def dtype(self) -> str:
        """The precision: one of DTYPES."""
        ...

    @property
    def seed(self) -> int:
        """The seed of the initial parameters and of dropout masks."""
        ...

    @property
    def init(self) -> str:
        """The initialization of weights, and its size: he, normal:0.02."""
        ...

    @property
    def parameters(self) -> int:
        """Number of parameters, P."""
        ...

    @property
    def parameter_terms(self) -> Sequence[tuple[str, int]]:
        """The terms that P is the sum of: how each is written, and its value."""
        ...

    def memory(self, batch: int, slots: int = 0) -> int:
        """Estimate the bytes that the app holds at its peak, with an optimizer of so many slots per parameter."""
        ...

    def streamed_memory(self, batch: int) -> int:
        """Estimate the bytes of a pass that keeps no weight gradient."""
        ...

    def check_memory(self, batch: int, every: bool = False) -> int:
        """Estimate the bytes that a gradient check holds at its peak, of ``every`` parameter or of some."""
        ...

    @property
    def held_bytes(self) -> int:
        """The bytes that it holds already: those of a file with its parameters."""
        ...

    def recorded(self, parameters: Array) -> Program | None:
        """Return the pass that was recorded elsewhere, with its parameters; None if the engine computes its own."""
        ...

    def changed(self, **settings: Any) -> Self:
        """Return the model with other values of some settings. Raises InputError for one that does not fit."""
        ...

    def in_precision(self, dtype: str) -> Self:
        """Return the model in another precision."""
        ...

    def at_inference(self) -> Self:
        """Return the model without what only training has: dropout and penalties."""
        ...

    @property
    def weights(self) -> int:
        """Number of multiply-accumulates of the forward pass of one sample."""
        ...

    @property
    def training_settings(self) -> TrainingSettings:
        """The settings that can change while it is trained."""
        ...

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        """Return the model with other settings; without any of its own, itself."""
        ...
