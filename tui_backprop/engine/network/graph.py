"""A network as a value: operations, the values that they read and compute, and the walks down and up the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.network.graph_values import GraphValues
from tui_backprop.engine.network.operation import Op, Visit
from tui_backprop.engine.network.tensor_names import so_far
from tui_backprop.engine.primitives.losses import Loss


@dataclass(frozen=True)
class Graph(GraphValues):
    """The operations of a network in forward order, with the values that are given to it: inputs, target, constants,
    masks, and the parameters in the order of the flat vector.

    ``values`` has those and all that are computed. ``output`` is what the network predicts, ``loss`` the value that
    is differentiated."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.values, self.blocks))

    # --- operations ---------------------------------------------------------------------------------------

    @cached_property
    def loss_op(self) -> Op:
        """The operation that compares the output with the target; where none does, the one that computes the loss."""
        return next((op for op in self.ops if op.primitive.kind == "loss"), self.by_output[self.loss])

    @property
    def predicts(self) -> bool:
        """Whether its loss compares an output with a target."""
        return self.loss_op.primitive.kind == "loss"

    @property
    def probabilities(self) -> str:
        """The name of the probabilities that the loss computes from the output; "" if it computes none."""
        return self.by_name[self.loss_op.output].saved

    @property
    def loss_rule(self) -> Loss:
        """The row of the loss, which says how it interprets outputs and target."""
        row = self.loss_op.primitive
        assert isinstance(row, Loss)
        return row

    @cached_property
    def penalties(self) -> Mapping[str, float]:
        """The strength of the penalty of each parameter that has one."""
        rows = [op.inputs for op in self.ops if op.primitive.kind == "penalty"]
        return MappingProxyType({name: self.by_name[strength].constant for _, name, strength in rows})

    @cached_property
    def penalized(self) -> tuple[str, ...]:
        """The parameters that have a penalty, in the order in which the penalties are added to the loss."""
        return tuple(self.penalties)

    @cached_property
    def activation_ops(self) -> Mapping[int, Op]:
        """The activation operation of each block that has one."""
        return MappingProxyType({op.block: op for op in self.ops if op.primitive.kind == "activation"})

    def adds_input(self, block: int) -> bool:
        """Return True if a residual connection bypasses a block."""
        return block in self._bypassed

    @cached_property
    def _bypassed(self) -> frozenset[int]:
        return frozenset(op.block for op in self.ops if op.primitive.kind == "residual")

    @cached_property
    def layered(self) -> bool:
        """Whether it consists of layers: each operation is a part of a layer's equations."""
        return all(op.equations for op in self.ops)

    @cached_property
    def overwritten(self) -> frozenset[str]:
        """The values that an operation in place writes its output over."""
        return frozenset(op.inputs[0] for op in self.ops if op.primitive.in_place)

    @cached_property
    def readers(self) -> Mapping[str, tuple[Op, ...]]:
        """The operations that read each value, in forward order."""
        found: dict[str, list[Op]] = {}
        for op in self.ops:
            for name in op.inputs:
                found.setdefault(name, []).append(op)
        return MappingProxyType({name: tuple(ops) for name, ops in found.items()})

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass of one sample."""
        shapes = self.shapes(1)
        return sum(op.primitive.macs(*(shapes[name] for name in op.inputs)) for op in self.ops)

    @cached_property
    def backward_macs(self) -> int:
        """Multiply-accumulates of the backward pass of one sample."""
        shapes = self.shapes(1)
        return sum(visit.costs(shapes)[0] for visit in self.backward_visits)

    def macs_from(self, block: int) -> int:
        """Count the multiply-accumulates of the forward pass of one sample from a block on."""
        shapes = self.shapes(1)
        later = [op for op in self.ops if op.block >= block]
        return sum(op.primitive.macs(*(shapes[name] for name in op.inputs)) for op in later)

    # --- walks --------------------------------------------------------------------------------------------

    @cached_property
    def forward_visits(self) -> tuple[Visit, ...]:
        """The walk down the list."""
        return tuple(Visit(op) for op in self.ops)

    @cached_property
    def visits_of(self) -> Mapping[str, tuple[Visit, ...]]:
        """The backward visits that add up to the gradient of each value, in order."""
        found: dict[str, tuple[Visit, ...]] = {}
        for visit in self.backward_visits:
            found[visit.writes] = (*found.get(visit.writes, ()), visit)
        return MappingProxyType(found)

    def written(self, visit: Visit) -> str:
        """Return the name of what a backward visit writes: a gradient, or its first terms if more are to come."""
        visits, name = self.visits_of[visit.writes], self.gradient_of(visit.writes)
        terms = visits.index(visit) + 1
        return name if terms == len(visits) else name + so_far(terms)

    def block_of(self, visit: Visit) -> int:
        """Return the number of the block that a visit is drawn in: that of the value it writes; of a VJP that is an
        equation of its own, the block that reads the value first."""
        if visit.of is None or visit.op.equations:
            return self.block(visit.writes)
        return self.visits_of[visit.writes][0].op.block

    @cached_property
    def units(self) -> tuple[int, ...]:
        """How many units can be selected: of each block; of a block without units, the entries of the largest array
        that a step of it computes. Where values name their axes, how many indices on each axis."""
        if self.axes:
            return tuple(self.axes.values())
        return (
            self.widths if self.layered else tuple(self._entries.get(k, 1) for k in range(len(self.blocks)))
        )

    @cached_property
    def _entries(self) -> Mapping[int, int]:
        found: dict[int, int] = {}
        for name in self.trained:
            found[self.block(name)] = found.get(self.block(name), 0) + size(self.by_name[name].sample_shape)
        for name in self.differentiable.difference(self.trained).union(self.by_output, self.data):
            found[self.block(name)] = max(
                found.get(self.block(name), 1), size(self.by_name[name].sample_shape)
            )
        for visit in self.backward_visits:
            block = self.block_of(visit)
            found[block] = max(found.get(block, 1), size(self.by_name[visit.writes].sample_shape))
        return MappingProxyType(found)

    @cached_property
    def last_visits(self) -> Mapping[str, Visit]:
        """The last visit that writes the cotangent of each value."""
        return MappingProxyType({visit.writes: visit for visit in self.backward_visits})

    @cached_property
    def backward_visits(self) -> tuple[Visit, ...]:
        """The walk up the list: each operation's VJPs, parameters first.

        A value that several operations read gets a cotangent from each of them, and these are summed: their visits
        are adjacent, at the operation that read the value first."""
        ops = [op for op in reversed(self.ops) if op.output in self.differentiable]
        uses = [(op, i) for op in ops for i in reversed(range(len(op.primitive.vjps)))]
        readers: dict[str, list[tuple[Op, int]]] = {}
        for op, i in uses:
            if op.inputs[i] in self.differentiable:
                readers.setdefault(op.inputs[i], []).append((op, i))
        visits: list[Visit] = []
        for op, i in uses:
            to_add = readers.get(op.inputs[i], [])
            if to_add and to_add[-1] == (op, i):
                visits += [Visit(each, of, adds=n > 0) for n, (each, of) in enumerate(reversed(to_add))]
        return tuple(visits)

    def gradient_equation(self, parameter: str) -> str:
        """Return the kind of the equation that the gradient of a parameter is part of; "" if it gets none."""
        visit = self.last_visits.get(parameter)
        return visit.op.equation(visit.of) if visit else ""
