"""Optimizers: the update of the parameters, the state that a rule keeps, and the cost of an update."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, learning_rate
from tui_backprop.engine.training.update_rules import UPDATE_RULES

UPDATE_BLOCK = (
    1 << 16
)  # entries updated at a time, so that scratch and a block of each array fit into the cache


def formulas(spec: OptimizerSpec) -> tuple[str, ...]:
    """Return the whole update, line by line: clipping and decay, if any, and then the rule."""
    row = UPDATE_RULES[spec.name]
    clip = ("dW ← dW min(1, clip / norm(all dW))",) if spec.clip else ()
    decay = ("W ← W − α decay W" if row.decoupled else "dW ← dW + decay W",) if spec.weight_decay else ()
    return (*clip, *decay, *row.formulas)


def decayed(spec: OptimizerSpec, network: Model) -> tuple[slice, ...] | None:
    """Return the ranges of the flat parameter vector that weight decay acts on; None for all of it."""
    if spec.decay_bias:
        return None
    slices = network.graph.slices
    return tuple(slices[name] for name in network.graph.regularized(everything=False))


def flops(spec: OptimizerSpec, *, decays: bool = True) -> int:
    """Count the floating-point operations of the whole update for each parameter.

    Clipping costs three (a square, a sum, a product), weight decay two, or one if it is decoupled; ``decays`` is
    False for a parameter that weight decay does not act on.
    """
    row = UPDATE_RULES[spec.name]
    return row.flops + 3 * bool(spec.clip) + (1 if row.decoupled else 2) * bool(spec.weight_decay and decays)


def moved(spec: OptimizerSpec) -> int:
    """Count the numbers read and written for each parameter: w and g are read, w is written, each slot is both;
    clipping reads g once more, for the norm."""
    return 3 + 2 * len(UPDATE_RULES[spec.name].slots) + bool(spec.clip)


def new_slots(spec: OptimizerSpec, parameters: int, dtype: DTypeLike) -> dict[str, Array]:
    """Return the state of an optimizer before its first iteration: arrays of zeros (P,), by name."""
    return {name: np.zeros(parameters, dtype) for name in UPDATE_RULES[spec.name].slots}


@dataclass(frozen=True)
class _Block:
    """A range of the parameters: its part of each slot, scratch, room for a changed gradient, and the ranges within
    it that weight decay acts on."""

    at: slice
    slots: tuple[Array, ...]
    scratch: Array
    direction: Array
    decayed: tuple[slice, ...]


class Optimizer:
    """An optimizer of P ``parameters`` with its state: ``slots`` by name, each of shape (P,), zero at first
    unless given. Weight decay acts on the ranges ``decayed`` of the parameters, and only the ranges ``updated`` are
    changed, with their slots; by default it is all of them.

    Parameters and slots are the whole state: once copies of both are restored, the next iterations are equal to
    the last bit.
    """

    def __init__(
        self,
        spec: OptimizerSpec,
        lr: float,
        parameters: int,
        dtype: DTypeLike,
        slots: dict[str, Array] | None = None,
        decayed: tuple[slice, ...] | None = None,
        updated: tuple[slice, ...] | None = None,
    ) -> None:
        self.spec = spec
        self.lr = lr
        self._row = UPDATE_RULES[spec.name]
        self.slots = slots if slots is not None else new_slots(spec, parameters, dtype)
        self._shape, self._dtype = (parameters,), np.dtype(dtype)
        whole = (slice(0, parameters),)
        with_decay = (whole if decayed is None else decayed) if spec.weight_decay else ()
        self._blocks = self._divided(whole if updated is None else updated, with_decay)
        self._wide = np.empty(min(parameters, UPDATE_BLOCK) if spec.clip else 0)

    def _divided(self, updated: tuple[slice, ...], decayed: tuple[slice, ...]) -> list[_Block]:
        """Divide the parameters that are updated into blocks, which take turns with the same scratch."""
        (parameters,), blocks = self._shape, []
        scratch, direction = (np.empty(min(parameters, UPDATE_BLOCK), self._dtype) for _ in range(2))
        starts = ((at.stop, start) for at in updated for start in range(at.start, at.stop, UPDATE_BLOCK))
        for end, start in starts:
            stop = min(start + UPDATE_BLOCK, end)
            at, length = slice(start, stop), stop - start
            slots = tuple(slot[at] for slot in self.slots.values())
            inside = tuple(
                slice(max(part.start - start, 0), part.stop - start)
                for part in decayed
                if part.start < stop and start < part.stop
            )
            blocks.append(_Block(at, slots, scratch[:length], direction[:length], inside))
        return blocks

    def apply(self, w: Array, g: Array, t: int) -> None:
        """Update ``w`` (P,) in place by the gradient ``g`` (P,), which is not changed, in iteration t = 0, 1, ...

        A gradient whose norm is infinite or NaN is not clipped: the factor would make every weight NaN, or every
        step 0; so only the weights with such gradients become NaN or infinite. Raises ValueError for arrays of
        another shape or precision.
        """
        if any((array.shape, array.dtype) != (self._shape, self._dtype) for array in (w, g)):
            raise ValueError(f"parameters and gradient must be {self._dtype} of shape {self._shape}")
        lr = learning_rate(self.spec, self.lr, t)
        with np.errstate(all="ignore"):
            factor = self.clipping(g)
            for block in self._blocks:
                self._update(block, w[block.at], g[block.at], factor, lr, t)

    def _update(self, block: _Block, w: Array, g: Array, factor: float, lr: float, t: int) -> None:
        """Clip the gradient of one block, apply weight decay, and run the rule on it."""
        s, direction, decay = block.scratch, block.direction, self.spec.weight_decay
        if factor < 1:
            g = np.multiply(g, factor, out=direction)
        if block.decayed and not self._row.decoupled and g is not direction:
            np.copyto(direction, g)
            g = direction
        for part in block.decayed:
            if self._row.decoupled:
                np.multiply(w[part], 1 - lr * decay, out=w[part])
            else:
                np.multiply(w[part], decay, out=s[part])
                np.add(g[part], s[part], out=g[part])
        self._row.rule(w, g, s, self.spec, lr, t, *block.slots)

    def clipping(self, g: Array) -> float:
        """Return the factor that brings the norm of the gradient down to ``clip``; 1 if the norm is not above it.

        PyTorch's clip_grad_norm_ divides by the norm + 1e-6, so its result is slightly smaller.
        """
        if not self.spec.clip:
            return 1.0
        norm = 0.0
        for block in self._blocks:
            norm = math.hypot(norm, self._norm(g[block.at]))
        return self.spec.clip / norm if self.spec.clip < norm < math.inf else 1.0

    def _norm(self, g: Array) -> float:
        """Return the Euclidean norm of a block in float64, scaled by its largest entry so that no square over- or
        underflows."""
        wide = self._wide[: len(g)]
        np.copyto(wide, g)
        np.abs(wide, out=wide)
        largest = float(wide.max())
        if not 0 < largest < math.inf:
            return largest
        np.divide(wide, largest, out=wide)
        np.multiply(wide, wide, out=wide)
        return largest * math.sqrt(float(wide.sum()))


def optimizer_of(network: Model, spec: OptimizerSpec, lr: float, slots: dict[str, Array]) -> Optimizer:
    """Return the optimizer of a network that goes on in these slots: it leaves what is frozen as it is."""
    parts, updated = decayed(spec, network), network.graph.trained_ranges
    return Optimizer(spec, lr, network.parameters, network.dtype, slots, parts, updated)
