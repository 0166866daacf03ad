"""One training iteration as a frozen value, and how earlier iterations come back: by replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tui_backprop.engine.network import LOSS, views
from tui_backprop.engine.primitives import ELEMENTWISE, Array
from tui_backprop.engine.program import Program
from tui_backprop.engine.spec import NetworkSpec
from tui_backprop.engine.summary import Summary, summarise

LARGE = 250_000  # entries of an array that is worth summarising ahead of time


@dataclass(frozen=True)
class Pass:
    """Every number of one iteration: forward, loss, backward and update. Its arrays are read-only.

    ``x`` (n, inputs) and ``target`` (n, outputs) are the batch, ``lr`` is alpha. ``updated`` holds the
    parameters after the update, shape (P,), and ``loss_after`` the loss of the same batch with them.
    """

    program: Program
    lr: float
    loss: float
    updated: Array
    loss_after: float
    _summaries: dict[tuple[str, bool], Summary] = field(default_factory=dict, repr=False, compare=False)

    @property
    def spec(self) -> NetworkSpec:
        return self.program.spec

    @property
    def batch(self) -> int:
        return self.program.batch

    @cached_property
    def new(self) -> dict[str, Array]:
        """The updated parameters by name."""
        return views(self.updated, self.spec)

    def tensor(self, name: str) -> Array:
        """An array by the field's name for it.

        ``x``, ``t``; ``zk``, ``ak``, ``Wk``, ``bk`` (aL is zL: the last layer is linear); ``δk`` or
        ``deltak``, ``dWk``, ``dbk``; ``p``, the loss's softmax or sigmoid, (n, outputs); ``L``, the loss.
        Raises KeyError for any other name.
        """
        program = self.program
        if name == "p":
            return program.caches[LOSS]
        if name.startswith(("δ", "delta")):
            return program.cotangents["z" + name.removeprefix("delta").removeprefix("δ")]
        if name.startswith("d"):
            return program.cotangents[name[1:]]
        if name == f"a{self.spec.depth}":
            name = "z" + name[1:]
        return program.values["loss" if name == "L" else name]

    def summary(self, name: str, *, updated: bool = False) -> Summary:
        """The summary of a tensor, or of a parameter after the update; computed once."""
        key = name, updated
        if key not in self._summaries:
            self._summaries[key] = summarise(self.new[name] if updated else self.tensor(name))
        return self._summaries[key]

    def summarise_large(self) -> None:
        """Compute the summaries that would take long when they are asked for."""
        for name in self.new:
            if self.new[name].size > LARGE:
                self.summary(name)
                self.summary(f"d{name}")
                self.summary(name, updated=True)

    def slope(self, layer: int) -> Array:
        """f'(z) of a hidden layer, (n, width), by the same rule that the backward pass uses."""
        z, a = self.tensor(f"z{layer}"), self.tensor(f"a{layer}")
        slope, ones = np.empty_like(z), np.ones_like(z)
        ELEMENTWISE[self.spec.activation].vjps[0](slope, ones, a, ones, z)
        return slope


def take_pass(spec: NetworkSpec, x: Array, target: Array, parameters: Array, lr: float) -> Pass:
    """Run one whole iteration from ``parameters``, shape (P,), by gradient descent: w <- w - lr dL/dw."""
    program = Program(spec, len(x), parameters)
    program.feed(x, target)
    loss = float(program.forward())
    gradient = program.backward()
    with np.errstate(all="ignore"):
        updated = np.multiply(gradient, parameters.dtype.type(lr))
        np.subtract(parameters, updated, out=updated)
    after = Program(spec, len(x), updated)
    after.feed(x, target)
    loss_after = float(after.forward())
    for array in (*program.values.values(), *program.cotangents.values(), program.gradient, updated):
        array.setflags(write=False)
    return Pass(program, lr, loss, updated, loss_after)
