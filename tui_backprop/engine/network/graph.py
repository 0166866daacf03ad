"""From a NetworkSpec to a program: the flat list of operations, and the walks down and up the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import (
    INPUT,
    LOSS,
    STRENGTH,
    TARGET,
    activated,
    activation,
    bias,
    gain,
    is_weight,
    mask,
    masked,
    normalized,
    partial_loss,
    preactivation,
    product,
    shift,
    weight,
)
from tui_backprop.engine.primitives import (
    BIAS_ADD,
    DROPOUT,
    ELEMENTWISE,
    L2_PENALTY,
    LAYER_NORM,
    LOSSES,
    MATMUL,
    RESIDUAL_ADD,
    Array,
    Primitive,
    Shape,
    in_shape,
    index_at,
    size,
)


@dataclass(frozen=True)
class Op:
    """One operation of a program: a primitive, the names of the values it reads, and of the value it computes."""

    primitive: Primitive
    inputs: tuple[str, ...]
    output: str
    layer: int  # 1 .. L; the loss belongs to layer L


@lru_cache(maxsize=64)
def compile_ops(spec: NetworkSpec) -> tuple[Op, ...]:
    """Compile the whole network to a flat list of operations, in forward order.

    Values of layer k = 1..L: ``Wk``, ``bk`` parameters, ``uk`` = a W before the bias is added, ``zk`` pre-activation,
    ``ak`` the layer's output. Where the spec asks for them there are, between zk and ak, ``nk`` = zk normalized (with
    parameters ``γk``, ``βk``), ``hk`` = f(nk) or f(zk), ``rk`` = hk after dropout by the mask ``mk``. The last layer
    is linear and has no ``aL`` of its own: the loss reads ``zL``. There are also ``x``, the target ``t``, and the
    loss ``L``; with an L2 penalty of strength ``λ``, ``L0`` is the loss before it, and ``Lk`` that with the first k
    penalties."""
    ops: list[Op] = []
    a, z = INPUT, ""

    for k in range(1, spec.depth + 1):
        w, z = weight(k), preactivation(k)
        if spec.bias:
            ops += [Op(MATMUL, (a, w), product(k), k), Op(BIAS_ADD, (product(k), bias(k)), z, k)]
        else:
            ops.append(Op(MATMUL, (a, w), z, k))
        if k < spec.depth:
            ops += _hidden(spec, k, a)
            a = activation(k)

    penalties = penalized(spec)
    totals = [*map(partial_loss, range(len(penalties))), LOSS]
    ops.append(Op(LOSSES[spec.loss], (z, TARGET), totals[0], spec.depth))
    for w, before, after in zip(penalties, totals, totals[1:], strict=False):
        ops.append(Op(L2_PENALTY, (before, w, STRENGTH), after, spec.depth))
    return tuple(ops)


def _hidden(spec: NetworkSpec, k: int, came_in: str) -> list[Op]:
    """Append the operations from a hidden layer's pre-activation to its output."""
    at, ops = preactivation(k), []
    rows: list[tuple[bool, Primitive, Callable[[int], str], tuple[str, ...]]] = [
        (spec.layer_norm, LAYER_NORM, normalized, (gain(k), shift(k))),
        (True, ELEMENTWISE[spec.activations[k - 1]], activated, ()),
        (spec.dropout > 0, DROPOUT, masked, (mask(k),)),
        (spec.adds_input(k), RESIDUAL_ADD, activation, (came_in,)),
    ]
    wanted = [(primitive, name, others) for there, primitive, name, others in rows if there]
    for i, (primitive, name, others) in enumerate(wanted):
        output = (activation if i == len(wanted) - 1 else name)(k)
        ops.append(Op(primitive, (at, *others), output, k))
        at = output
    return ops


@lru_cache(maxsize=64)
def ops_by_output(spec: NetworkSpec) -> Mapping[str, Op]:
    """Return the operation that computes each value."""
    return MappingProxyType({op.output: op for op in compile_ops(spec)})


@lru_cache(maxsize=64)
def activation_ops(spec: NetworkSpec) -> Mapping[int, Op]:
    """Return the activation operation of each hidden layer."""
    return MappingProxyType({op.layer: op for op in compile_ops(spec) if op.primitive.kind == "activation"})


@dataclass(frozen=True)
class Visit:
    """One step of the walk: an operation run forward (``of`` is None), or its VJP by input number ``of``.

    ``adds`` is True if this cotangent is added to an earlier one of the same value."""

    op: Op
    of: int | None = None
    adds: bool = False

    @property
    def writes(self) -> str:
        """Name of the value computed here, or of the value whose cotangent is computed here."""
        return self.op.output if self.of is None else self.op.inputs[self.of]


def forward_visits(spec: NetworkSpec) -> tuple[Visit, ...]:
    """Return the walk down the list."""
    return tuple(Visit(op) for op in compile_ops(spec))


@lru_cache(maxsize=64)
def differentiable(spec: NetworkSpec) -> frozenset[str]:
    """Return the values that depend on a parameter, to which derivatives flow. dL/dx and dL/dt are not needed."""
    reached = set(parameter_shapes(spec))
    for op in compile_ops(spec):
        if reached.intersection(op.inputs):
            reached.add(op.output)
    return frozenset(reached)


@lru_cache(maxsize=64)
def backward_visits(spec: NetworkSpec) -> tuple[Visit, ...]:
    """Return the walk up the list: each operation's VJPs, parameters first.

    A value that several operations read gets a cotangent from each of them, and these are summed: their visits are
    adjacent, at the operation that read the value first."""
    wanted, ops = differentiable(spec), compile_ops(spec)
    uses = [(op, i) for op in reversed(ops) for i in reversed(range(len(op.primitive.vjps)))]
    readers: dict[str, list[tuple[Op, int]]] = {}
    for op, i in uses:
        if op.inputs[i] in wanted:
            readers.setdefault(op.inputs[i], []).append((op, i))
    visits: list[Visit] = []
    for op, i in uses:
        to_add = readers.get(op.inputs[i], [])
        if to_add and to_add[-1] == (op, i):
            visits += [Visit(each, of, adds=n > 0) for n, (each, of) in enumerate(reversed(to_add))]
    return tuple(visits)


@lru_cache(maxsize=64)
def parameter_shapes(spec: NetworkSpec) -> Mapping[str, Shape]:
    """Return the shapes of all parameters in their order in the flat vector: W1, b1, W2, b2, ..."""
    shapes: dict[str, Shape] = {}
    for k, (fan_in, fan_out) in enumerate(spec.fans, 1):
        shapes[weight(k)] = (fan_in, fan_out)
        if spec.bias:
            shapes[bias(k)] = (fan_out,)
        if spec.layer_norm and k < spec.depth:
            shapes |= {gain(k): (fan_out,), shift(k): (fan_out,)}
    return MappingProxyType(shapes)


def regularized(spec: NetworkSpec, everything: bool) -> tuple[str, ...]:
    """Return the parameters that a penalty or weight decay acts on: ``everything``, or weights only."""
    return tuple(name for name in parameter_shapes(spec) if everything or is_weight(name))


def penalized(spec: NetworkSpec) -> tuple[str, ...]:
    """Return the parameters that have an L2 penalty, in the order in which the penalties are added to the loss."""
    return regularized(spec, spec.l2_bias) if spec.l2 else ()


def mask_shapes(spec: NetworkSpec, batch: int) -> dict[str, Shape]:
    """Return the shapes of the dropout masks, first layer first."""
    hidden = enumerate(spec.layers[1:-1], 1)
    return {mask(k): (batch, width) for k, width in hidden} if spec.dropout else {}


def value_shapes(spec: NetworkSpec, batch: int) -> dict[str, Shape]:
    """Return the shapes of all values of a program, parameters among them, for a batch of ``batch`` samples."""
    shapes = {**parameter_shapes(spec), **mask_shapes(spec, batch)}
    shapes |= {INPUT: (batch, spec.layers[0]), STRENGTH: ()}
    shapes[TARGET] = (batch,) if LOSSES[spec.loss].labels else (batch, spec.layers[-1])
    for op in compile_ops(spec):
        shapes[op.output] = op.primitive.shape(*(shapes[name] for name in op.inputs))
    return shapes


def parameter_slices(spec: NetworkSpec) -> dict[str, slice]:
    """Return the slice of the flat vector that holds each parameter, row by row."""
    slices, start = {}, 0
    for name, shape in parameter_shapes(spec).items():
        slices[name] = slice(start, start + size(shape))
        start += size(shape)
    return slices


def flat_index(spec: NetworkSpec, tensor: str, index: tuple[int, ...]) -> int:
    """Return the position of a parameter in the flat vector. Raises KeyError for a tensor that is not a parameter,
    IndexError for an index outside of it."""
    shape = parameter_shapes(spec)[tensor]
    if not in_shape(index, shape):
        raise IndexError(f"{index} is out of range for {tensor} of shape {shape}")
    start: int = parameter_slices(spec)[tensor].start
    return start + int(np.ravel_multi_index(index, shape))


def parameter_at(spec: NetworkSpec, place: int) -> tuple[str, tuple[int, ...]]:
    """Return the tensor and the index of a parameter from its position in the flat vector."""
    name, part = next((n, p) for n, p in parameter_slices(spec).items() if p.start <= place < p.stop)
    return name, index_at(place - part.start, parameter_shapes(spec)[name])


def views(flat: Array, spec: NetworkSpec) -> dict[str, Array]:
    """Return the parameters by name, as views of one flat vector of P numbers."""
    shapes = parameter_shapes(spec)
    return {name: flat[place].reshape(shapes[name]) for name, place in parameter_slices(spec).items()}


def costs_of(visit: Visit, shapes: dict[str, Shape]) -> tuple[int, int, int]:
    """Count multiply-accumulates, floating-point operations, and numbers read and written."""
    row, i = visit.op.primitive, visit.of
    inputs = [shapes[name] for name in visit.op.inputs]
    if i is None:
        return row.macs(*inputs), row.flops(*inputs), row.moved(*inputs)
    added = size(shapes[visit.writes]) if visit.adds else 0
    return row.macs(*inputs), row.vjp_flops[i](*inputs) + added, row.vjp_moved(i, *inputs) + 3 * added
