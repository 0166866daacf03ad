"""What the names of a graph stand for: values, their roles and blocks, gradients, parameters in the flat vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from tui_backprop.engine.arrays.types import Array, Shape, in_shape, index_at, place_in, size
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import Tensor, TensorEntry, so_far
from tui_backprop.engine.network.value import Block, Role, Value


@dataclass(frozen=True)
class GraphValues:
    """The values of a graph, by name, role and block. See ``graph.Graph`` for the fields."""

    ops: tuple[Op, ...]
    values: tuple[Value, ...]
    blocks: tuple[Block, ...]
    output: str
    loss: str
    aliases: tuple[tuple[str, str], ...] = ()  # further names of values, and the names of those

    # --- values and names ---------------------------------------------------------------------------------

    @cached_property
    def by_name(self) -> Mapping[str, Value]:
        """All values by name."""
        return MappingProxyType({value.name: value for value in self.values})

    @cached_property
    def by_output(self) -> Mapping[str, Op]:
        """The operation that computes each value."""
        return MappingProxyType({op.output: op for op in self.ops})

    def with_role(self, role: Role) -> tuple[Value, ...]:
        return tuple(value for value in self.values if value.role == role)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(value.name for value in self.with_role("input"))

    @property
    def input(self) -> str:
        """The name of the first input; of the first value that is given, where there is no input."""
        return (*self.inputs, self.values[0].name)[0]

    @cached_property
    def target(self) -> str:
        """The name of the target; "" if there is none."""
        return next((value.name for value in self.with_role("target")), "")

    @cached_property
    def data(self) -> tuple[str, ...]:
        """The names of the inputs and of the target."""
        return (*self.inputs, *filter(None, (self.target,)))

    @cached_property
    def fed(self) -> tuple[str, ...]:
        """The names of the inputs and targets that a batch sets: all that do not hold numbers of their own."""
        return tuple(name for name in self.data if not self.by_name[name].given)

    @cached_property
    def constants(self) -> tuple[Value, ...]:
        return self.with_role("constant")

    @cached_property
    def masks(self) -> tuple[Value, ...]:
        """The dropout masks, in the order in which they are drawn."""
        return self.with_role("mask")

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """What each name stands for."""
        found: dict[str, Tensor] = {}
        for value in self.values:
            if value.saved:
                found[value.saved] = Tensor(value.name, "saved")
        # Of two values with one gradient, such as a sum and itself with a bias, it is the later one's.
        for value in self.values:
            if value.name in self.differentiable or value.is_parameter:
                found[value.gradient] = Tensor(value.name, "gradient")
                for terms in range(1, max(self.uses.get(value.name, 0), 2)):
                    found[value.gradient + so_far(terms)] = Tensor(value.name, "partial", terms)
        found |= {alias: Tensor(name) for alias, name in self.aliases}
        return MappingProxyType(found | {value.name: Tensor(value.name) for value in self.values})

    def gradient_of(self, value: str) -> str:
        """Return the name of dL/dvalue."""
        return self.by_name[value].gradient

    def value_of(self, name: str) -> str:
        """Return the value that a gradient is of, even if some of its terms are missing; a value itself. Raises
        KeyError for any other name."""
        return self.tensors[name].value

    def is_gradient(self, name: str) -> bool:
        """Return True if a name is that of a gradient."""
        return self.tensors[name].what in ("gradient", "partial")

    def about(self, name: str) -> Value:
        """Return the value that a name is about: itself, or what a gradient is of. Raises KeyError for a name that is
        none of this graph's."""
        return self.by_name[self.tensors[name].value]

    def role(self, name: str) -> Role:
        """Return the role of the value that a name is about."""
        return self.about(name).role

    def block(self, name: str) -> int:
        """Return the number of the block that a name belongs to."""
        return self.about(name).block

    def per_sample(self, name: str) -> bool:
        """Return True if the array of that name has a row for each sample."""
        return self.shaped_like(name).per_sample

    def shaped_like(self, name: str) -> Value:
        """Return a value whose shape the array of that name has: what an operation saves is shaped like its input."""
        value, what, _ = self.tensors[name]
        return self.by_name[self.by_output[value].inputs[0] if what == "saved" else value]

    def is_weight(self, name: str) -> bool:
        """Return True if a name is that of a matrix of weights, or of its gradient."""
        return self.role(name) == "weight"

    def is_parameter(self, name: str) -> bool:
        """Return True if a name is that of a parameter, or of its gradient."""
        return self.about(name).is_parameter

    @cached_property
    def axes(self) -> Mapping[str, int]:
        """The axes that values name, each with its largest size; none where arrays have no named axes."""
        found: dict[str, int] = {}
        for value in self.values:
            for axis, n in zip(value.axes, value.sample_shape, strict=False):
                found[axis] = max(found.get(axis, 0), n)
        return MappingProxyType(found)

    # --- blocks -------------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Number of blocks after the input."""
        return len(self.blocks) - 1

    @cached_property
    def _parts(self) -> Mapping[tuple[int, Role], str]:
        return MappingProxyType({(each.block, each.role): each.name for each in reversed(self.values)})

    def part(self, block: int, role: Role) -> str | None:
        """Return the first value of a role in a block; None if it has none."""
        return self._parts.get((block, role))

    def weight(self, block: int) -> str:
        """Return the weights of a block. Raises KeyError if it has none."""
        return self._parts[block, "weight"]

    def preactivation(self, block: int) -> str:
        """Return the pre-activations of a block. Raises KeyError if it has none."""
        return self._parts[block, "pre-activation"]

    def delta(self, block: int) -> str:
        """Return the name of the gradient of a block's pre-activations. Raises KeyError if it has none."""
        return self.gradient_of(self.preactivation(block))

    @cached_property
    def blocks_with_delta(self) -> tuple[int, ...]:
        """The blocks to whose pre-activations a gradient flows: all, but for those below what is frozen."""
        found = (
            value.block for value in self.with_role("pre-activation") if value.name in self.differentiable
        )
        return tuple(found)

    def output_of(self, block: int) -> str:
        """Return what a block gives to the next ones: for block 0 the input."""
        return self._outputs[block]

    @cached_property
    def _outputs(self) -> tuple[str, ...]:
        found = [self.input] * len(self.blocks)
        for op in self.ops:
            if self.by_name[op.output].role != "loss":
                found[op.block] = op.output
        return tuple(found)

    def width(self, block: int) -> int:
        """Return the number of units that a block gives to the next ones."""
        return size(self.by_name[self.output_of(block)].sample_shape)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The number of units that each block gives to the next ones, first those of the input."""
        return tuple(map(self.width, range(len(self.blocks))))

    def shapes(self, batch: int) -> dict[str, Shape]:
        """Return the shapes of all values for a batch of so many samples."""
        return {value.name: value.shape_for(batch) for value in self.values}

    # --- parameters ---------------------------------------------------------------------------------------

    @cached_property
    def parameters(self) -> Mapping[str, Shape]:
        """The shapes of all parameters, in their order in the flat vector."""
        return MappingProxyType({value.name: value.shape for value in self.values if value.is_parameter})

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """The slice of the flat vector that holds each parameter, row by row."""
        slices, start = {}, 0
        for name, shape in self.parameters.items():
            slices[name] = slice(start, start + size(shape))
            start += size(shape)
        return MappingProxyType(slices)

    @cached_property
    def trained(self) -> Mapping[str, slice]:
        """The slices of the parameters that get a gradient and are updated: all but those that are frozen."""
        return MappingProxyType({k: at for k, at in self.slices.items() if not self.by_name[k].frozen})

    @cached_property
    def trained_ranges(self) -> tuple[slice, ...]:
        """The ranges of the flat vector that are updated, as few as there can be."""
        ranges: list[slice] = []
        for at in self.trained.values():
            joins = bool(ranges) and ranges[-1].stop == at.start
            ranges.append(slice(ranges.pop().start, at.stop) if joins else at)
        return tuple(ranges)

    @property
    def trained_count(self) -> int:
        """How many parameters get a gradient."""
        return sum(at.stop - at.start for at in self.trained_ranges)

    def flat_index(self, tensor: str, index: tuple[int, ...]) -> int:
        """Return the position of a parameter in the flat vector. Raises KeyError for what is no parameter, IndexError
        for an index outside of it."""
        shape = self.parameters[tensor]
        if not in_shape(index, shape):
            raise IndexError(f"{index} is out of range for {tensor} of shape {shape}")
        return int(self.slices[tensor].start) + place_in(index, shape)

    def parameter_at(self, place: int) -> TensorEntry:
        """Return the tensor and the index of a parameter from its position in the flat vector."""
        name, part = next((n, p) for n, p in self.slices.items() if p.start <= place < p.stop)
        return name, index_at(place - part.start, self.parameters[name])

    def views(self, flat: Array) -> dict[str, Array]:
        """Return the parameters by name, as views of one flat vector of P numbers."""
        return {name: flat[place].reshape(self.parameters[name]) for name, place in self.slices.items()}

    def regularized(self, everything: bool) -> tuple[str, ...]:
        """Return the parameters that weight decay acts on: ``everything``, or weights only."""
        return tuple(name for name in self.parameters if self.decays(name, everything))

    def decays(self, parameter: str, everything: bool) -> bool:
        """Return True if weight decay acts on a parameter: on ``everything``, or on weights and on parameters without
        a layer."""
        return everything or self.role(parameter) in ("weight", "parameter")

    @cached_property
    def differentiable(self) -> frozenset[str]:
        """The values to which derivatives flow: those wanted, all parameters among them, and all that depend on
        these; of them, what the loss depends on."""
        reached = {value.name for value in self.values if value.name in self.trained or value.wanted}
        for op in self.ops:
            if reached.intersection(op.differentiated):
                reached.add(op.output)
        read = {self.loss}
        for op in reversed(self.ops):
            if op.output in read:
                read.update(op.differentiated)
        return frozenset(reached & read)

    @cached_property
    def uses(self) -> Mapping[str, int]:
        """How many terms the gradient of each value has: one for each time that an operation reads it."""
        ops = (op for op in self.ops if op.output in self.differentiable)
        return MappingProxyType(Counter(name for op in ops for name in op.differentiated))
