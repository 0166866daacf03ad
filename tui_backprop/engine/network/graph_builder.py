"""Collects the values and operations of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.value import Block, Role, Value
from tui_backprop.engine.primitives.base import Primitive


class Builder:
    """Collects the values and operations of a graph, in order."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._ops: list[Op] = []

    def give(self, value: Value) -> str:
        """Add a value that is given to the graph: an input, a parameter, ...; return its name."""
        self._values[value.name] = value
        return value.name

    def compute(
        self, primitive: Primitive, inputs: Sequence[str], name: str, role: Role, block: int,
        equations: Sequence[str] = (), gradient: str = "", saved: str = "",
        axes: Sequence[str] = (), classes: int = 0,
    ) -> str:  # fmt: skip
        """Add an operation and its output; return its name. By default the operation and its VJPs are equations by
        themselves."""
        shape = primitive.shape(*(self._values[each].shape for each in inputs))
        self._values[name] = Value(
            name, role, shape, block, gradient or f"d{name}", saved, classes, axes=tuple(axes)
        )
        self._ops.append(Op(primitive, tuple(inputs), name, block, tuple(equations)))
        return name

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters given so far."""
        return tuple(name for name, value in self._values.items() if value.is_parameter)

    def shape(self, name: str) -> Shape:
        return self._values[name].shape

    def role(self, name: str) -> Role:
        return self._values[name].role

    def graph(
        self,
        blocks: Sequence[Block],
        output: str,
        loss: str,
        aliases: Mapping[str, str] = MappingProxyType({}),
    ) -> Graph:
        values, named = tuple(self._values.values()), tuple(aliases.items())
        return Graph(tuple(self._ops), values, tuple(blocks), output, loss, named)
