"""The values of a graph, and the blocks that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tui_backprop.engine.arrays.types import Array, Shape

BATCH = -1  # first size of the shape of a value that has a row for each sample

Role = Literal[
    "input", "target", "constant", "mask", "weight", "bias", "gain", "shift", "product", "pre-activation",
    "normalized", "activated", "masked", "activation", "loss", "parameter", "value",
]  # fmt: skip
PARAMETERS: frozenset[Role] = frozenset(("weight", "bias", "gain", "shift", "parameter"))


@dataclass(frozen=True)
class InTorch:
    """How PyTorch reads an array of a file: the statement by which the file is ``opened``, and the expression of the
    ``tensor`` in it, a leaf that requires a gradient."""

    opened: str
    tensor: str


@dataclass(frozen=True)
class Value:
    """A value of a graph.

    Attributes
    ----------
    name
        Its symbol, unique in the graph. Nothing takes it apart.
    role
        What it is to the network.
    shape
        Its sizes; the first is BATCH where it has a row for each sample.
    block
        The number of the block that it belongs to.
    gradient
        The symbol of the derivative of the loss by it.
    saved
        The symbol of what its operation saves for the backward pass, if that has one.
    classes
        Of a target: the number of classes if it holds labels, else 0; of any other, if it holds ids of tokens.
    padded
        Of a target: whether −1 stands for a position without one.
    wanted
        Whether the derivative by it is wanted although it is no parameter.
    axes
        What it has a size for in one sample, in the order of its sizes: head, position, channel; () if that has no
        name. See ``engine/network/axes.py``.
    frozen
        Of a parameter: whether it gets no gradient and is not updated (PyTorch's ``requires_grad=False``).
    constant
        Of a constant: its number; of a mask: the rate at which entries are dropped.
    numbers
        Of an input: its entries, row by row, if no batch sets them; of a parameter: those that it starts with, if
        they are not drawn.
    read
        Of an input or a parameter: what returns the array that it has, or starts with, if a file has it.
    in_torch
        Of a parameter in a file: how PyTorch reads it.
    """

    name: str
    role: Role
    shape: Shape
    block: int
    gradient: str = ""
    saved: str = ""
    classes: int = 0
    padded: bool = False
    wanted: bool = False
    axes: tuple[str, ...] = ()
    frozen: bool = False
    constant: float = 0.0
    numbers: tuple[float, ...] = ()
    read: Callable[[], Array] | None = None
    in_torch: InTorch | None = None

    @property
    def is_parameter(self) -> bool:
        return self.role in PARAMETERS

    @property
    def given(self) -> bool:
        """Return True of an input that no batch sets, and of a parameter whose initial numbers are not drawn."""
        return bool(self.numbers) or self.read is not None

    @property
    def per_sample(self) -> bool:
        """Return True if it has a row for each sample."""
        return self.shape[:1] == (BATCH,)

    @property
    def sample_shape(self) -> Shape:
        """Its sizes in one sample."""
        return self.shape[1:] if self.per_sample else self.shape

    def shape_for(self, batch: int) -> Shape:
        """Return its shape in a batch of so many samples."""
        return (batch, *self.shape[1:]) if self.per_sample else self.shape


@dataclass(frozen=True)
class Block:
    """A part of a graph that is drawn together, such as a layer."""

    title: str
    inside: int | None = None  # the number of the block that holds it
