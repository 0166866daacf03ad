"""The shape of a network, whose layer sizes need not be whole: the cost chart draws networks of one shape at every
size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.support.errors import InputError

HALVINGS = 60  # of an interval, after which a factor is found to the last digit
FIRST_RANK = 2  # of the layer sizes of a pattern: 1 is the size of the batch

Sizes = Mapping[int, float]  # layer sizes, by their numbers in a pattern


@dataclass(frozen=True)
class NetworkShape:
    """A network whose layer sizes, ``widths`` (input first), need not be whole.

    Everything else is as in ``pattern``, a network with the sizes 2, 3, ... in the order of the widths: they only say
    which widths are equal (a residual connection goes around a layer with equal ones).
    """

    widths: tuple[float, ...]
    pattern: NetworkSpec

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return ITEMSIZE[self.pattern.dtype]

    @cached_property
    def weights(self) -> float:
        return sum(self.each)

    @cached_property
    def each(self) -> tuple[float, ...]:
        """Number of weights of each layer."""
        return tuple(i * o for i, o in zip(self.widths, self.widths[1:], strict=False))

    @cached_property
    def parameters(self) -> float:
        """Number of weights, biases, gains and shifts."""
        biases, normalized = sum(self.widths[1:]), sum(self.widths[1:-1])
        return self.weights + self.pattern.bias * biases + 2 * self.pattern.layer_norm * normalized

    @property
    def macs_ratio(self) -> float:
        """Multiply-accumulates of forward and backward pass over those of the forward pass."""
        first = 0 if self.pattern.input_gradient else self.each[0]  # whose input needs no gradient
        return (3 * self.weights - first) / self.weights

    @cached_property
    def sizes(self) -> Sizes:
        return dict(zip(self.pattern.layers, self.widths, strict=True))

    def at(self, parameters: float) -> NetworkShape:
        """Return this shape with that many parameters: all hidden layers scaled by one factor. Where that cannot
        reach the number (or there are no hidden layers), input and output are scaled too."""
        return _at(self, parameters)


@lru_cache(maxsize=1024)
def _at(shape: NetworkShape, parameters: float) -> NetworkShape:
    hidden = len(shape.widths) > 2
    if hidden and _scaled(shape, 1e-9, True).parameters > parameters:
        hidden = False
    low, high = 0.0, 1.0
    while _scaled(shape, high, hidden).parameters < parameters:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _scaled(shape, middle, hidden).parameters < parameters else (low, middle)
        )
    return _scaled(shape, high, hidden)


def _scaled(shape: NetworkShape, factor: float, hidden_alone: bool) -> NetworkShape:
    first, *hidden, last = shape.widths
    ends = 1.0 if hidden_alone else factor
    return NetworkShape((ends * first, *(factor * width for width in hidden), ends * last), shape.pattern)


def family_of(model: Model) -> NetworkSpec:
    """Return the network whose family of larger ones costs are projected to. Raises InputError for a model that has
    none."""
    if not isinstance(model, NetworkSpec):
        raise InputError("cost", f"{model.title} has no family of larger ones to project costs to")
    return model


@lru_cache(maxsize=256)
def shape_of(model: Model) -> NetworkShape:
    """Return the shape of a network: its layer sizes, and all options that change the work of a pass. Raises
    InputError for a model that has no family of larger ones."""
    spec = family_of(model)
    ranks = {width: rank for rank, width in enumerate(sorted(set(spec.layers)), FIRST_RANK)}
    pattern = replace(
        spec,
        layers=tuple(ranks[width] for width in spec.layers),
        activation=",".join(spec.activations) or NetworkSpec.activation,
        init=NetworkSpec.init,
        seed=0,
        dropout=0.5 if spec.dropout else 0.0,
        l2=1.0 if spec.l2 else 0.0,
    )
    return NetworkShape(tuple(map(float, spec.layers)), pattern)
