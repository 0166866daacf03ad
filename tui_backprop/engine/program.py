"""Run a program: down the list of operations for the forward pass, up the list for the backward pass.

All arrays are made once, when the program is; a pass only fills them. The parameters are views of one flat
vector, and so are their gradients, which makes an update, a norm or a perturbation one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tui_backprop.engine.network import INPUT, LOSS, TARGET, backward_visits, compile_ops, value_shapes, views
from tui_backprop.engine.primitives import Array, Rule
from tui_backprop.engine.spec import NetworkSpec

Call = tuple[Rule, tuple[Array, ...]]


class Program:
    """A network, a batch of ``n`` samples and the buffers of one pass.

    ``values`` has an array for each value of the program (see ``network.compile_ops``), ``cotangents`` one
    for each derivative of the loss by such a value: ``cotangents["zk"]`` is delta k, ``cotangents["Wk"]`` is
    dWk. ``dtype`` replaces the spec's precision (complex128 serves the complex step).
    """

    def __init__(
        self, spec: NetworkSpec, batch: int, parameters: Array | None = None, dtype: str | None = None
    ) -> None:
        self.spec, self.batch = spec, batch
        self.dtype = np.dtype(dtype or spec.dtype)
        self.ops = compile_ops(spec)
        self.parameters = np.empty(spec.parameters, self.dtype) if parameters is None else parameters
        self.shapes = value_shapes(spec, batch)
        self.values = self._buffers(views(self.parameters, spec))
        self.caches = {
            op.output: np.empty(self.shapes[op.inputs[0]], self.dtype) if op.primitive.cached else np.empty(0)
            for op in self.ops
        }
        self._forward: list[Call] = [
            (
                op.primitive.forward,
                (self.values[op.output], self.caches[op.output], *(self.values[name] for name in op.inputs)),
            )
            for op in self.ops
        ]

    def _buffers(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """An array for each value; an operation in place shares the memory of its first input."""
        buffers = dict(given)
        for name in (INPUT, TARGET):
            buffers[name] = np.empty(self.shapes[name], self.dtype)
        for op in self.ops:
            shared = op.primitive.in_place
            buffers[op.output] = (
                buffers[op.inputs[0]] if shared else np.empty(self.shapes[op.output], self.dtype)
            )
        return buffers

    @cached_property
    def gradient(self) -> Array:
        """dL/dtheta, flat, shape (P,), in the order of the parameters; filled by ``backward``."""
        return np.zeros(self.spec.parameters, self.dtype)

    @cached_property
    def cotangents(self) -> dict[str, Array]:
        return self._buffers(views(self.gradient, self.spec))

    @cached_property
    def _backward(self) -> list[Call]:
        calls = []
        for visit in backward_visits(self.spec):
            op, name = visit.op, visit.writes
            inputs = (self.values[i] for i in op.inputs)
            arguments = (self.cotangents[name], self.cotangents[op.output], self.values[op.output])
            calls.append((op.primitive.vjps[visit.of or 0], (*arguments, self.caches[op.output], *inputs)))
        return calls

    def feed(self, x: Array, target: Array) -> None:
        """Set the batch: ``x`` of shape (n, inputs), ``target`` of shape (n, outputs)."""
        np.copyto(self.values[INPUT], x, casting="same_kind")
        np.copyto(self.values[TARGET], target, casting="same_kind")

    def forward(self) -> Array:
        """Walk down the list; return the loss, an array of shape ()."""
        with np.errstate(all="ignore"):  # an overflow shows as inf or NaN in the value that it happened to
            for rule, arguments in self._forward:
                rule(*arguments)
        return self.values[LOSS]

    def backward(self) -> Array:
        """Walk up the list after ``forward``; return the gradient, shape (P,)."""
        calls = self._backward
        self.cotangents[LOSS].fill(1)
        with np.errstate(all="ignore"):
            for rule, arguments in calls:
                rule(*arguments)
        return self.gradient
