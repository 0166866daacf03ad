"""From a NetworkSpec to what runs: the flat list of operations, and the first parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tui_backprop.engine.primitives import BIAS_ADD, ELEMENTWISE, LOSSES, MATMUL, Array, Primitive, Shape
from tui_backprop.engine.spec import NetworkSpec

INPUT, TARGET, LOSS = "x", "t", "loss"


@dataclass(frozen=True)
class Op:
    """One operation of a program: a primitive, the names of the values it reads and of the one it makes."""

    primitive: Primitive
    inputs: tuple[str, ...]
    output: str
    layer: int  # 1 .. L; the loss belongs to layer L


@lru_cache(maxsize=64)
def compile_ops(spec: NetworkSpec) -> tuple[Op, ...]:
    """The whole network as a flat list, in forward order.

    Values: ``x`` input, ``Wk`` and ``bk`` parameters, ``uk`` = a W before the bias is added, ``zk``
    pre-activation, ``ak`` activation of layer k = 1..L, ``t`` target, ``loss``. The last layer is linear, so
    it has no ``aL`` of its own: the loss reads ``zL``.
    """
    ops: list[Op] = []
    a = INPUT
    for k in range(1, spec.depth + 1):
        w, b, u, z = f"W{k}", f"b{k}", f"u{k}", f"z{k}"
        ops.append(Op(MATMUL, (a, w), u if spec.bias else z, k))
        if spec.bias:
            ops.append(Op(BIAS_ADD, (u, b), z, k))
        if k < spec.depth:
            a = f"a{k}"
            ops.append(Op(ELEMENTWISE[spec.activation], (z,), a, k))
    ops.append(Op(LOSSES[spec.loss], (z, TARGET), LOSS, spec.depth))
    return tuple(ops)


@dataclass(frozen=True)
class Visit:
    """One stop of the walk: an operation run forward (``of`` is None), or its VJP to its input number ``of``."""

    op: Op
    of: int | None = None

    @property
    def writes(self) -> str:
        """Name of the value computed here, or of the value whose cotangent is computed here."""
        return self.op.output if self.of is None else self.op.inputs[self.of]


def forward_visits(spec: NetworkSpec) -> tuple[Visit, ...]:
    """The walk down the list."""
    return tuple(Visit(op) for op in compile_ops(spec))


@lru_cache(maxsize=64)
def backward_visits(spec: NetworkSpec) -> tuple[Visit, ...]:
    """The walk up the list: each operation's VJPs, parameters first. Nothing needs dL/dx or dL/dt."""
    return tuple(
        Visit(op, i)
        for op in reversed(compile_ops(spec))
        for i in reversed(range(len(op.primitive.vjps)))
        if op.inputs[i] not in (INPUT, TARGET)
    )


def parameter_shapes(spec: NetworkSpec) -> dict[str, Shape]:
    """Shapes of all parameters in the order in which they lie in the flat vector: W1, b1, W2, b2, ..."""
    shapes: dict[str, Shape] = {}
    for k, (fan_in, fan_out) in enumerate(spec.fans, 1):
        shapes[f"W{k}"] = (fan_in, fan_out)
        if spec.bias:
            shapes[f"b{k}"] = (fan_out,)
    return shapes


def value_shapes(spec: NetworkSpec, batch: int) -> dict[str, Shape]:
    """Shapes of all values of a program, parameters among them, for a batch of ``batch`` samples."""
    shapes = parameter_shapes(spec)
    shapes[INPUT] = (batch, spec.layers[0])
    shapes[TARGET] = (batch, spec.layers[-1])
    for op in compile_ops(spec):
        shapes[op.output] = op.primitive.shape(*(shapes[name] for name in op.inputs))
    return shapes


def views(flat: Array, spec: NetworkSpec) -> dict[str, Array]:
    """The parameters by name, as views of one flat vector of P numbers."""
    named, start = {}, 0
    for name, shape in parameter_shapes(spec).items():
        size = int(np.prod(shape))
        named[name] = flat[start : start + size].reshape(shape)
        start += size
    return named


# Standard deviation of the first weights, from (fan_in, fan_out); biases start at zero.
# He et al. 2015 for ReLU; Glorot and Bengio 2010 ("xavier") and LeCun et al. 1998 for tanh and sigmoid.
INITS: dict[str, Callable[[int, int], float]] = {
    "he": lambda fan_in, fan_out: (2 / fan_in) ** 0.5,
    "xavier": lambda fan_in, fan_out: (2 / (fan_in + fan_out)) ** 0.5,
    "lecun": lambda fan_in, fan_out: (1 / fan_in) ** 0.5,
    "normal": lambda fan_in, fan_out: 0.01,
    "zeros": lambda fan_in, fan_out: 0.0,
}


def initial_parameters(spec: NetworkSpec) -> Array:
    """The first parameters, flat, shape (P,): the same for a seed on every machine and in every precision.

    Each layer draws from a stream of its own, so changing one layer leaves the weights of the others alone.
    """
    flat = np.zeros(spec.parameters, spec.dtype)
    for name, w in views(flat, spec).items():
        if name.startswith("W"):
            layer = int(name[1:])
            stream = np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(layer,)))
            std = INITS[spec.init](*w.shape)
            for row in w:  # by rows, so that a large layer needs no second copy in double precision
                np.multiply(stream.standard_normal(len(row)), std, out=row, casting="same_kind")
    return flat
