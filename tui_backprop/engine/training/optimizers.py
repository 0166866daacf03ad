"""The table of optimizers: how a gradient becomes new parameters. The conventions are PyTorch's.

A rule updates ``w`` in place from the gradient ``g``, which it only reads, and its state, the slots:

    rule(w, g, s, spec, lr, t, *slots)

All arrays are flat, of one length and precision; ``s`` is scratch, so a rule allocates nothing. ``lr`` is the
scheduled rate alpha of iteration t = 0, 1, ... Python's floats take the precision of the array they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec, learning_rate

BLOCK = 1 << 16  # entries updated at a time: the scratch and a block of each array stay in cache

Rule = Callable[..., None]


@dataclass(frozen=True)
class UpdateRule:
    """One row of the table. ``flops`` counts floating-point operations for each parameter, without clipping
    and decay; ``decoupled`` decay shrinks the weights, any other is added to the gradient."""

    rule: Rule
    slots: tuple[str, ...]
    formulas: tuple[str, ...]
    flops: int
    decoupled: bool = False


def _descend(w: Array, direction: Array, s: Array, lr: float) -> None:
    np.multiply(direction, lr, out=s)
    np.subtract(w, s, out=w)


def _average(mean: Array, sample: Array, s: Array, beta: float) -> None:
    """mean <- beta mean + (1 - beta) sample; ``sample`` may be the scratch."""
    np.multiply(mean, beta, out=mean)
    np.multiply(sample, 1 - beta, out=s)
    np.add(mean, s, out=mean)


def _sgd(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int) -> None:
    _descend(w, g, s, lr)


def _momentum(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(v, spec.momentum, out=v)
    np.add(v, g, out=v)
    _descend(w, v, s, lr)


def _nesterov(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(v, spec.momentum, out=v)
    np.add(v, g, out=v)
    np.multiply(v, spec.momentum, out=s)
    np.add(s, g, out=s)
    _descend(w, s, s, lr)


def _rmsprop(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, v: Array) -> None:
    np.multiply(g, g, out=s)
    _average(v, s, s, spec.beta2)
    np.sqrt(v, out=s)
    np.add(s, spec.epsilon, out=s)
    np.divide(g, s, out=s)
    _descend(w, s, s, lr)


def _adam(w: Array, g: Array, s: Array, spec: OptimizerSpec, lr: float, t: int, m: Array, v: Array) -> None:
    _average(m, g, s, spec.momentum)
    np.multiply(g, g, out=s)
    _average(v, s, s, spec.beta2)
    np.divide(v, 1 - spec.beta2 ** (t + 1), out=s)
    np.sqrt(s, out=s)
    np.add(s, spec.epsilon, out=s)
    np.divide(m, s, out=s)
    _descend(w, s, s, lr / (1 - spec.momentum ** (t + 1)))


ADAM_FORMULAS = (
    "m ← β₁ m + (1 − β₁) dW",
    "v ← β₂ v + (1 − β₂) dW²",
    "M = m / (1 − β₁^(t + 1))",
    "V = v / (1 − β₂^(t + 1))",
    "W ← W − α M / (√(V) + ε)",
)

# Polyak 1964; Nesterov 1983 as in Sutskever et al. 2013; Tieleman and Hinton 2012; Kingma and Ba 2015;
# Loshchilov and Hutter 2019.
UPDATE_RULES: dict[str, UpdateRule] = {
    "sgd": UpdateRule(_sgd, (), ("W ← W − α dW",), flops=2),
    "momentum": UpdateRule(_momentum, ("v",), ("v ← μ v + dW", "W ← W − α v"), flops=4),
    "nesterov": UpdateRule(_nesterov, ("v",), ("v ← μ v + dW", "W ← W − α (dW + μ v)"), flops=6),
    "rmsprop": UpdateRule(
        _rmsprop, ("v",), ("v ← β₂ v + (1 − β₂) dW²", "W ← W − α dW / (√(v) + ε)"), flops=9
    ),
    "adam": UpdateRule(_adam, ("m", "v"), ADAM_FORMULAS, flops=13),
    "adamw": UpdateRule(_adam, ("m", "v"), ADAM_FORMULAS, flops=13, decoupled=True),
}


def formulas(spec: OptimizerSpec) -> tuple[str, ...]:
    """The whole update, line by line: clipping and decay, where there are any, and then the rule."""
    row = UPDATE_RULES[spec.name]
    clip = ("dW ← dW min(1, clip / norm(all dW))",) if spec.clip else ()
    decay = ("W ← W − α decay W" if row.decoupled else "dW ← dW + decay W",) if spec.weight_decay else ()
    return (*clip, *decay, *row.formulas)


def flops(spec: OptimizerSpec) -> int:
    """Floating-point operations of the whole update for each parameter.

    Clipping costs three (a square, a sum, a product), decay two, or one where it is decoupled.
    """
    row = UPDATE_RULES[spec.name]
    return row.flops + 3 * bool(spec.clip) + (1 if row.decoupled else 2) * bool(spec.weight_decay)


def moved(spec: OptimizerSpec) -> int:
    """Numbers read and written for each parameter: w and g read, w written, each slot both; and g once more
    for the norm of clipping."""
    return 3 + 2 * len(UPDATE_RULES[spec.name].slots) + bool(spec.clip)


def new_slots(spec: OptimizerSpec, parameters: int, dtype: DTypeLike) -> dict[str, Array]:
    """The state of an optimizer before its first iteration: arrays of zeros (P,), by name."""
    return {name: np.zeros(parameters, dtype) for name in UPDATE_RULES[spec.name].slots}


class Optimizer:
    """An optimizer of P ``parameters`` with its state: ``slots`` by name, each of shape (P,), zero at first
    (or those given).

    Parameters and slots are all there is to save: with copies of both put back, the next iterations come out
    the same to the last bit.
    """

    def __init__(
        self,
        spec: OptimizerSpec,
        lr: float,
        parameters: int,
        dtype: DTypeLike,
        slots: dict[str, Array] | None = None,
    ) -> None:
        self.spec = spec
        self.lr = lr
        self._row = UPDATE_RULES[spec.name]
        self.slots = slots if slots is not None else new_slots(spec, parameters, dtype)
        self._shape, self._dtype = (parameters,), np.dtype(dtype)
        block = min(parameters, BLOCK)
        self._scratch, self._direction = np.empty(block, dtype), np.empty(block, dtype)
        self._wide = np.empty(block if spec.clip else 0)

    def apply(self, w: Array, g: Array, t: int) -> None:
        """Update ``w`` (P,) in place by the gradient ``g`` (P,), which stays as it is, in iteration t = 0, 1, ...

        A gradient whose norm is infinite or NaN is not clipped: a factor would spread what is wrong to every
        weight, or make it 0; so it reaches the weights it belongs to, and shows there. Raises ValueError for
        arrays of another shape or precision.
        """
        if any((array.shape, array.dtype) != (self._shape, self._dtype) for array in (w, g)):
            raise ValueError(f"parameters and gradient have to be {self._dtype} of shape {self._shape}")
        lr = learning_rate(self.spec, self.lr, t)
        with np.errstate(all="ignore"):
            factor = self.clipping(g)
            for at in self._blocks():
                self._update(w[at], g[at], [slot[at] for slot in self.slots.values()], factor, lr, t)

    def _blocks(self) -> Iterator[slice]:
        return (slice(start, start + BLOCK) for start in range(0, self._shape[0], BLOCK))

    def _update(self, w: Array, g: Array, slots: list[Array], factor: float, lr: float, t: int) -> None:
        """Clip and decay one block's gradient, and run the rule on it."""
        s, direction, decay = self._scratch[: len(g)], self._direction[: len(g)], self.spec.weight_decay
        if factor < 1:
            g = np.multiply(g, factor, out=direction)
        if decay and self._row.decoupled:
            np.multiply(w, 1 - lr * decay, out=w)
        elif decay:
            np.multiply(w, decay, out=s)
            g = np.add(g, s, out=direction)
        self._row.rule(w, g, s, self.spec, lr, t, *slots)

    def clipping(self, g: Array) -> float:
        """What to multiply the gradient by, so that its norm is ``clip`` at most; 1 where it need not be.

        PyTorch's clip_grad_norm_ divides by the norm + 1e-6, and so stays a trace below ``clip``.
        """
        if not self.spec.clip:
            return 1.0
        norm = 0.0
        for at in self._blocks():
            norm = math.hypot(norm, self._norm(g[at]))
        return self.spec.clip / norm if self.spec.clip < norm < math.inf else 1.0

    def _norm(self, g: Array) -> float:
        """A block's Euclidean norm in float64, scaled by its largest entry: no square over- or underflows."""
        wide = self._wide[: len(g)]
        np.copyto(wide, g)
        np.abs(wide, out=wide)
        largest = float(wide.max())
        if not 0 < largest < math.inf:
            return largest
        np.divide(wide, largest, out=wide)
        np.multiply(wide, wide, out=wide)
        return largest * math.sqrt(float(wide.sum()))
