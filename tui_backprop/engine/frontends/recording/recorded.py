"""What a recording says of one training step of a PyTorch model: its values, operations and modules, as plain data.

Arrays are elsewhere, by keys; ``files/recording.py`` reads and writes both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VALUE = "value"  # key of an argument that stands for a value: {"value": 3}
NAMED = "name"  # of one that has a name in PyTorch, such as a type: {"name": "torch.float32"}
NUMBER = "number"  # of one that JSON has no number for: {"number": "inf"}

ALIAS = "alias"  # the name of an operation that gives a value as it is
FUNCTION = "function."  # before the name of a function that is an operation by itself
OVERWRITTEN = "overwritten"  # of one in which another view of the same memory was written to
LEFT_OVER = "gradient left over"  # of a note: .grad was not cleared


@dataclass(frozen=True)
class Statistics:
    """What is known of an array that was not kept: its smallest and largest finite entry, the root mean square of the
    finite ones, and how many are 0, and not finite."""

    least: float
    largest: float
    rms: float
    zeros: int
    nonfinite: int


@dataclass(frozen=True)
class RecordedValue:
    """A tensor. ``dtype`` is PyTorch's name of its type. ``array`` and ``cotangent`` are keys: "" if it was not kept,
    or, of a cotangent, if none flowed to it."""

    shape: tuple[int, ...]
    dtype: str
    name: str = ""  # of a parameter or a buffer
    parameter: bool = False
    differentiable: bool = False  # PyTorch's requires_grad
    array: str = ""
    cotangent: str = ""
    before: str = ""  # key of what was in .grad before


@dataclass(frozen=True)
class RecordedOp:
    """An operation by PyTorch's name, such as ``aten.addmm.default``: its arguments, in which {"value": 3} stands for
    a value, and the values that it computed.

    ``terms`` are what its backward pass contributed to the cotangents of values, by key, where that is not their
    whole cotangent. ``tracked`` is whether autograd was on."""

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: tuple[int, ...]
    module: int = 0
    function: int | None = None
    terms: tuple[tuple[int, str], ...] = ()
    tracked: bool = True


@dataclass(frozen=True)
class RecordedModule:
    """A call of a module: its name in the model, its class, the number of the call that it was made in, and which
    call of this module it is, from 1."""

    name: str
    kind: str
    inside: int | None = None
    call: int = 1


@dataclass(frozen=True)
class RecordedFunction:
    """A call of a ``torch.autograd.Function`` with a backward pass of its own, which is no part of any operation."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    terms: tuple[tuple[int, str], ...] = ()
    module: int = 0


@dataclass(frozen=True)
class RecordedIteration:
    """One training step. ``roots`` are the values that the backward pass began at, each with the key of the cotangent
    there, "" for 1."""

    number: int
    values: tuple[RecordedValue, ...]
    ops: tuple[RecordedOp, ...]
    modules: tuple[RecordedModule, ...]
    functions: tuple[RecordedFunction, ...] = ()
    roots: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    statistics: dict[str, Statistics] = field(default_factory=dict)  # of arrays, by key
    bad: tuple[str, ...] = ()  # keys of the arrays that hold NaN or infinity, in the order of the step


@dataclass(frozen=True)
class RecordingHeader:
    """A recording without its arrays."""

    version: int
    torch: str  # PyTorch's version
    machine: str
    iterations: tuple[RecordedIteration, ...]
    kept: str = "everything"
