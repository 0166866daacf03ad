"""The operators and functions of expressions: which primitive each is, for operands of which shapes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tui_backprop.engine.arrays.types import Shape, size
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.broadcasting import broadcast
from tui_backprop.engine.primitives.functions import DETACH, FUNCTIONS
from tui_backprop.engine.primitives.layouts import Index, concatenate, gather, reshape, slicing, transpose
from tui_backprop.engine.primitives.products import DOT, MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import reduction


@dataclass(frozen=True)
class Call:
    """The arguments of a function beside its arrays: whole numbers in order, an axis, a list of places."""

    numbers: tuple[int, ...] = ()
    axis: int | None = None
    places: tuple[int, ...] = ()


Make = Callable[[Sequence[Shape], Call], Primitive]  # raises ValueError for shapes that do not fit


@dataclass(frozen=True)
class Function:
    """A function: how many arrays it takes at least and at most, and what else."""

    make: Make
    least: int = 1
    most: int = 1
    axis: bool = False  # takes axis=
    numbers: bool = False  # takes whole numbers after the arrays
    places: bool = False  # takes a list of whole numbers
    example: str = ""


def _always(primitive: Primitive) -> Make:
    return lambda shapes, call: primitive


def _binary(name: str) -> Make:
    def make(shapes: Sequence[Shape], _: Call) -> Primitive:
        made = broadcast(*shapes)
        first, second = (shape != made for shape in shapes)
        return arithmetic(name, (first, second))

    return make


def _reduced(name: str) -> Make:
    def make(shapes: Sequence[Shape], call: Call) -> Primitive:
        (x,) = shapes
        if call.axis is None:
            return reduction(name, tuple(range(-len(x), 0)))
        return reduction(name, (_from_last(call.axis, x),), len(x) == 1)

    return make


def _extreme(name: str) -> Make:
    """The larger (or smaller) of two values, or the largest entry of one."""
    of_two, of_one = _binary(f"{name}imum"), _reduced(name)
    return lambda shapes, call: (of_one if len(shapes) == 1 else of_two)(shapes, call)


def _from_last(axis: int, shape: Shape) -> int:
    """Count an axis from the last one, −1."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis {axis} is out of range for the shape {shape}")
    return axis if axis < 0 else axis - len(shape)


def _reshape(shapes: Sequence[Shape], call: Call) -> Primitive:
    if size(shapes[0]) != size(call.numbers) or any(n < 1 for n in call.numbers):
        entries = f"{size(shapes[0]):,} {'entry' if size(shapes[0]) == 1 else 'entries'}"
        raise ValueError(f"{entries} cannot have the shape {call.numbers}")
    return reshape(call.numbers)


def _transpose(shapes: Sequence[Shape], call: Call) -> Primitive:
    x = shapes[0]
    order = tuple(_from_last(axis, x) for axis in call.numbers) or tuple(range(-1, -len(x) - 1, -1))
    if sorted(order) != list(range(-len(x), 0)):
        raise ValueError(f"the order {call.numbers} does not have each axis of the shape {x} once")
    return transpose(order)


def _gather(shapes: Sequence[Shape], call: Call) -> Primitive:
    x = shapes[0]
    axis = _from_last(call.axis or 0, x)
    if not all(-x[axis] <= place < x[axis] for place in call.places):
        raise ValueError(f"a place is out of range (0 to {x[axis] - 1})")
    return gather(tuple(place % x[axis] for place in call.places), axis)


def _dot(shapes: Sequence[Shape], _: Call) -> Primitive:
    if [len(shape) for shape in shapes] != [1, 1]:
        raise ValueError("dot takes two vectors; write a matrix product with @")
    return DOT


def sliced(x: Shape, key: tuple[Index, ...]) -> Primitive:
    """Return the slice of an array of shape x. Raises ValueError for a place out of range, or an empty slice."""
    if len(key) > len(x):
        raise ValueError(f"{len(key)} indices for the shape {x}")
    for n, part in zip(x, key, strict=False):
        if isinstance(part, int) and not -n <= part < n:
            raise ValueError(f"index {part} is out of range (0 to {n - 1})")
        if not isinstance(part, int) and (part[2] == 0 or not range(n)[slice(*part)]):
            raise ValueError(f"the slice of {n} entries is empty")
    return slicing((*key, *((None, None, None),) * (len(x) - len(key))))


OPERATORS: Mapping[type[ast.operator], Make] = {
    ast.Add: _binary("add"),
    ast.Sub: _binary("subtract"),
    ast.Mult: _binary("multiply"),
    ast.Div: _binary("divide"),
    ast.Pow: _binary("power"),
    ast.MatMult: _always(MATRIX_PRODUCT),
}
FUNCTIONS_BY_NAME: Mapping[str, Function] = {
    **{name: Function(_always(row)) for name, row in FUNCTIONS.items() if name != "negate"},
    "max": Function(_extreme("max"), most=2, axis=True),
    "min": Function(_extreme("min"), most=2, axis=True),
    "sum": Function(_reduced("sum"), axis=True),
    "mean": Function(_reduced("mean"), axis=True),
    "dot": Function(_dot, 2, 2),
    "detach": Function(_always(DETACH)),
    "transpose": Function(_transpose, numbers=True),
    "reshape": Function(_reshape, numbers=True, example="reshape(x, 2, 3)"),
    "concatenate": Function(
        lambda shapes, call: concatenate(_from_last(call.axis or 0, shapes[0]), len(shapes)), 2, 20, axis=True
    ),
    "gather": Function(_gather, axis=True, places=True, example="gather(x, [0, 2])"),
}
NAMES = frozenset(FUNCTIONS_BY_NAME)
