"""What happened in one step, as it happened: tensors with the operations that computed them.

Tensors are held, not copied; one that is about to be written to is copied before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Node = tuple[int, int]  # an operation of autograd by its sequence number, and which of its outputs
LEAF = -1  # in place of the sequence number: a leaf, and the id of its tensor


@dataclass(eq=False)
class TapeValue:
    """A tensor as it was at one time. ``tensor`` holds its numbers unless they were copied; a view is computed from
    what it is a view of."""

    number: int
    tensor: Any
    storage: int
    shape: tuple[int, ...]
    dtype: str
    view: bool = False
    parameter: bool = False
    differentiable: bool = False
    node: Node | None = None
    copied: Any = None

    @property
    def numbers(self) -> Any:
        """The tensor with the numbers of that time."""
        return self.tensor if self.copied is None else self.copied


@dataclass(eq=False)
class TapeOp:
    """An operation: its arguments have the numbers of values in place of tensors."""

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: tuple[int, ...]
    module: int
    function: int | None
    tracked: bool


@dataclass(eq=False)
class TapeFunction:
    """A call of a function with a backward pass of its own."""

    name: str
    inputs: tuple[int, ...]
    module: int
    outputs: tuple[int, ...] = ()
    node: int | None = None


@dataclass(eq=False)
class Tape:
    """Everything of one step."""

    values: list[TapeValue] = field(default_factory=list)
    ops: list[TapeOp] = field(default_factory=list)
    functions: list[TapeFunction] = field(default_factory=list)
    modules: list[Any] = field(default_factory=list)
    roots: list[tuple[int, Any]] = field(default_factory=list)  # values, and their cotangents: None for 1
    cotangents: dict[Node, list[Any]] = field(default_factory=dict)  # by node: one for each backward pass
    terms: dict[int, list[tuple[Node, Any]]] = field(default_factory=dict)  # by sequence number
    before: dict[int, Any] = field(default_factory=dict)  # .grad before, by the id of the leaf
    notes: list[str] = field(default_factory=list)
