"""How much work a pass is: numbers read and written, operations, calls. In closed form, for widths that need not be
whole: the cost chart draws networks of one shape at every size.

Weights are all that counts: what a pass does with biases and activations is small change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec

PARAMETERS_A_PASS = 256  # parameters that the batched method perturbs in one pass
HALVINGS = 60  # of an interval, after which a factor is found to the last digit


@dataclass(frozen=True)
class NetworkShape:
    """Layer sizes, input first, and bytes of a number; sizes need not be whole."""

    widths: tuple[float, ...]
    itemsize: int = 4
    bias: bool = True

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @cached_property
    def weights(self) -> float:
        return sum(self.each)

    @cached_property
    def each(self) -> tuple[float, ...]:
        """Number of weights of each layer."""
        return tuple(i * o for i, o in zip(self.widths, self.widths[1:], strict=False))

    @cached_property
    def parameters(self) -> float:
        return self.weights + self.bias * sum(self.widths[1:])

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
    return NetworkShape(
        (ends * first, *(factor * width for width in hidden), ends * last), shape.itemsize, shape.bias
    )


def shape_of(spec: NetworkSpec) -> NetworkShape:
    return NetworkShape(tuple(float(n) for n in spec.layers), ITEMSIZE[spec.dtype], spec.bias)


@dataclass(frozen=True)
class Work:
    """Work of a pass of one sample: ``flops``, bytes ``read`` and ``written``, ``calls`` from Python, and the bytes
    of its working set (``touched``)."""

    flops: float
    read: float
    written: float
    calls: float
    touched: float


def _forward(shape: NetworkShape) -> Work:
    bytes_ = shape.itemsize * shape.weights
    return Work(2 * shape.weights, bytes_, 0, 3 * shape.depth, bytes_)


def _backprop(shape: NetworkShape) -> Work:
    """The forward pass reads every weight; the backward pass writes a gradient for each, and reads all but those of
    the first layer."""
    w, first, size = shape.weights, shape.each[0], shape.itemsize
    return Work(2 * (3 * w - first), size * (2 * w - first), size * w, 7 * shape.depth, 2 * size * w)


def _complex(shape: NetworkShape) -> Work:
    """A complex product takes four real ones (and two sums), of numbers twice as long."""
    bytes_ = 2 * shape.itemsize * shape.weights
    return Work(8 * shape.weights, bytes_, 0, 3 * shape.depth, bytes_)


def _jvp(shape: NetworkShape) -> Work:
    """After a forward pass: values times the tangents of the weights, and tangents times the weights, except in the
    first layer, whose input has no tangent."""
    products = 2 * shape.weights - shape.each[0]
    bytes_ = shape.itemsize * products
    return Work(2 * products, bytes_, 0, 6 * shape.depth, bytes_)


def _batched(shape: NetworkShape) -> Work:
    """The part of a forward pass after the layer of a parameter, averaged over the parameters; weights are read for
    many of them at once."""
    each = shape.each
    after = [sum(each[k + 1 :]) for k in range(len(each))]
    share = sum(w * rest for w, rest in zip(each, after, strict=True)) / shape.weights
    bytes_ = shape.itemsize * share / PARAMETERS_A_PASS
    return Work(2 * share, bytes_, 0, 3 * shape.depth / PARAMETERS_A_PASS, shape.itemsize * shape.weights)


PASS_KINDS: dict[str, Callable[[NetworkShape], Work]] = {
    "forward": _forward,
    "backprop": _backprop,  # forward and backward
    "complex": _complex,
    "jvp": _jvp,
    "batched": _batched,  # for one parameter, of many at once
}


@lru_cache(maxsize=4096)
def work(kind: str, shape: NetworkShape) -> Work:
    """Return the work of a pass of one of PASS_KINDS. Raises KeyError for another."""
    return PASS_KINDS[kind](shape)
