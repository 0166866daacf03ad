"""What the translation of a PyTorch operation works with: its arguments as names of values, and the graph to add
to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from tui_backprop.engine.arrays.types import Array, Shape, np
from tui_backprop.engine.frontends.recording.recorded import NAMED, NUMBER, VALUE, RecordedOp
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import Value
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.broadcasting import broadcast
from tui_backprop.engine.primitives.functions import DETACH
from tui_backprop.engine.primitives.layouts import reshape, transpose
from tui_backprop.engine.primitives.placing import expand
from tui_backprop.support.format import format_setting

HIDDEN = "·"  # behind the name of a value that PyTorch computes without showing it


class Recorded(Protocol):
    """What is recorded of values, by their numbers."""

    def shape(self, value: int) -> Shape: ...
    def numbers(self, value: int) -> Array:
        """Return the entries of a value. Raises NoRow where they were not kept."""
        ...


class NoRow(Exception):
    """There is no row for an operation, or for one with these arguments."""


class Translation:
    """One operation of PyTorch: its arguments, and ways to add operations to the graph in its place.

    ``names`` are those of values by their numbers. The last operation for each output is added by ``make``, those
    before it by ``apply``; where there is no row, NoRow is raised, and nothing has been added."""

    def __init__(
        self,
        op: RecordedOp,
        names: Sequence[str],
        builder: Builder,
        block: int,
        recorded: Recorded,
    ) -> None:
        self.op, self._names, self._builder, self._block = op, names, builder, block
        self._recorded = recorded
        self._waiting: list[tuple[Primitive, tuple[str, ...], str]] = []
        self._shapes: dict[str, Shape] = {}
        self._constants: dict[str, float] = {}
        self._arrays: dict[str, Array] = {}
        self.made: set[int] = set()

    # --- arguments -----------------------------------------------------------------------------------------

    def argument(self, i: int, usual: Any = None, name: str = "") -> Any:
        """Return an argument by its place, or by its name: a number, a text, or a list."""
        found = self.op.keywords.get(name, usual) if i >= len(self.op.arguments) else self.op.arguments[i]
        if isinstance(found, dict):
            return float(found[NUMBER]) if NUMBER in found else found.get(NAMED, found)
        return found

    def number_of(self, i: int) -> int | None:
        """Return the number of the value that an argument is; None if it is none."""
        found = self.op.arguments[i] if i < len(self.op.arguments) else None
        return found.get(VALUE) if isinstance(found, dict) else None

    def value(self, i: int) -> str:
        """Return the name of the value that an argument is; a number becomes a constant."""
        number = self.number_of(i)
        if number is not None:
            return self._names[number]
        found = self.argument(i)
        if isinstance(found, (int, float)):
            return self.constant(float(found))
        raise NoRow

    def values(self, i: int) -> list[str]:
        """Return the names of the values of a list."""
        return [self._names[each[VALUE]] for each in self.argument(i)]

    def present(self, i: int) -> bool:
        """Return whether an argument is a value."""
        return self.number_of(i) is not None

    def integers(self, i: int) -> Array:
        """Return the entries of an argument that holds whole numbers."""
        return self.numbers(i).astype(np.intp)

    def indices(self, argument: Any) -> Array:
        """Return an array of indices, or a mask, in a list of arguments."""
        return self._recorded.numbers(argument[VALUE])

    def numbers(self, i: int) -> Array:
        """Return the entries of an argument."""
        number = self.number_of(i)
        if number is None:
            raise NoRow
        return self._recorded.numbers(number)

    def output_integers(self, k: int) -> Array:
        """Return the entries of an output that holds whole numbers."""
        return self._recorded.numbers(self.op.outputs[k]).astype(np.intp)

    def output(self, k: int) -> str:
        """Return the name of an output, which is recorded."""
        return self._names[self.op.outputs[k]]

    def made_shape(self, k: int) -> Shape:
        """Return the recorded shape of an output."""
        return self._recorded.shape(self.op.outputs[k])

    def keyword_value(self, name: str) -> str | None:
        """Return the name of the value that a keyword has; None if it has none."""
        found = self.op.keywords.get(name)
        return self._names[found[VALUE]] if isinstance(found, dict) and VALUE in found else None

    def shape(self, name: str) -> Shape:
        if name in self._constants:
            return ()
        if name in self._arrays:
            return self._arrays[name].shape
        return self._shapes[name] if name in self._shapes else self._builder.shape(name)

    def rank(self, name: str) -> int:
        return len(self.shape(name))

    def axes(self, given: Any, rank: int) -> tuple[int, ...]:
        """Return axes counted from −1, in order; all of them for None and an empty list."""
        if given is None or given == []:
            return tuple(range(-rank, 0))
        each = given if isinstance(given, (list, tuple)) else [given]
        return tuple(sorted(axis if axis < 0 else axis - rank for axis in each))

    # --- operations ----------------------------------------------------------------------------------------

    def constant(self, number: float) -> str:
        """Return the name of a constant."""
        text = format_setting(number)
        if float(text) != number:
            text = repr(number).removesuffix(".0")
        text = text.replace("-", "−")
        self._constants[text] = number
        return text

    def apply(self, primitive: Primitive, *inputs: str) -> str:
        """Add an operation whose output PyTorch does not show; return the name of it."""
        name = f"{self._names[self.op.outputs[0]]}{HIDDEN}{len(self._waiting) + 1}"
        self._add(primitive, inputs, name)
        return name

    def make(self, primitive: Primitive, *inputs: str, k: int = 0) -> None:
        """Add the operation of output ``k``. Raises NoRow if it has another shape than was recorded."""
        name = self._names[self.op.outputs[k]]
        self._add(primitive, inputs, name)
        if self._shapes[name] != self.made_shape(k):
            raise NoRow
        self.made.add(k)

    def rename(self, name: str, k: int = 0) -> None:
        """Make the output of the last operation that was applied output ``k``."""
        primitive, inputs, last = self._waiting[-1]
        if name != last:
            raise NoRow
        self._waiting[-1] = primitive, inputs, self._names[self.op.outputs[k]]
        self.made.add(k)

    def array(self, numbers: Array) -> str:
        """Return the name of an array of constants."""
        name = f"{self._names[self.op.outputs[0]]}{HIDDEN}w"
        self._arrays[name] = numbers
        return name

    def _add(self, primitive: Primitive, inputs: tuple[str, ...], name: str) -> None:
        try:
            self._shapes[name] = primitive.shape(*map(self.shape, inputs))
        except ValueError:
            raise NoRow from None
        self._waiting.append((primitive, inputs, name))

    def finish(self, detached: bool) -> list[str]:
        """Add everything to the graph; return the names of what it computes. No derivative flows through what is
        ``detached``: computed while autograd was off."""
        for name, number in self._constants.items():
            self._builder.give(Value(name, "constant", (), 0, f"d{name}", constant=number))
        for name, array in self._arrays.items():
            self._builder.give(
                Value(name, "input", array.shape, 0, f"d{name}", read=partial(np.asarray, array))
            )
        ends = {self._names[self.op.outputs[k]] for k in self.made}
        names = []
        for primitive, inputs, name in self._waiting:
            hides = detached and name in ends and not primitive.detached
            made = f"{name}{HIDDEN}" if hides else name
            names.append(self._builder.compute(primitive, inputs, made, "value", self._block))
            if hides:
                names.append(self._builder.compute(DETACH, (made,), name, "value", self._block))
        return names

    def run(self, values: Mapping[str, Array], k: int = 0) -> Array:
        """Compute output ``k`` of the operation at once, from the values that it reads; the graph stays."""
        known = dict(values) | self._arrays | {name: np.asarray(n) for name, n in self._constants.items()}
        for primitive, inputs, name in self._waiting:
            x = [known[each] for each in inputs]
            dtype = np.result_type(*x)
            known[name] = np.empty(self._shapes[name], dtype)
            primitive.forward(known[name], primitive.room(dtype, *(each.shape for each in x)), *x)
        return known[self._names[self.op.outputs[k]]]

    # --- what many need --------------------------------------------------------------------------------------

    def arithmetic(self, name: str, a: str, b: str) -> tuple[Primitive, str, str]:
        """Return the row of + − · / and so on for two values of any shapes, and these."""
        shapes = self.shape(a), self.shape(b)
        try:
            made = broadcast(*shapes)
        except ValueError:
            raise NoRow from None
        return arithmetic(name, (shapes[0] != made, shapes[1] != made)), a, b

    def scaled(self, name: str, factor: float) -> str:
        """Return a value times a number; itself times 1."""
        return name if factor == 1 else self.apply(*self.arithmetic("multiply", name, self.constant(factor)))

    def reshaped(self, name: str, shape: Sequence[int]) -> str:
        """Return a value in another shape."""
        return name if self.shape(name) == tuple(shape) else self.apply(reshape(tuple(shape)), name)

    def turned(self, name: str, order: Sequence[int]) -> str:
        """Return a value with its axes in another order, counted from 0."""
        rank = self.rank(name)
        if [*order] == [*range(rank)]:
            return name
        return self.apply(transpose(tuple(axis - rank for axis in order)), name)

    def expanded(self, name: str, shape: Shape) -> str:
        return name if self.shape(name) == shape else self.apply(expand(shape), name)

    def channels(self, name: str, rank: int) -> str:
        """Return a vector of channels so that it fits images (n, channels, *image) of a rank."""
        return self.reshaped(name, (self.shape(name)[0], *(1,) * (rank - 2)))
