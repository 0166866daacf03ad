"""How much work a pass is: numbers read and written, operations, calls. In closed form, for widths that need not be
whole: the cost chart draws networks of one shape at every size.

Weights are all that counts: what a pass does with biases and activations is small change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec

PARAMETERS_A_PASS = 256  # parameters that the improved method nudges in one pass
HALVINGS = 60  # halvings, after which a factor is found to the last digit


@dataclass(frozen=True)
class NetworkShape:
    """Layer sizes, input first, and bytes of a number."""

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
        """Weights of each layer."""
        return tuple(i * o for i, o in zip(self.widths, self.widths[1:], strict=False))

    @cached_property
    def parameters(self) -> float:
        return self.weights + self.bias * sum(self.widths[1:])

    def at(self, parameters: float) -> NetworkShape:
        """This shape with so many parameters: its hidden layers wider or narrower, all by one factor. Below what
        that can reach (and where there are none), input and output too."""
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
    """What a pass of one sample does: ``flops``, bytes ``read`` and ``written``, ``calls`` from Python, and the bytes
    that it goes through (``touched``), which caches hold or do not."""

    flops: float
    read: float
    written: float
    calls: float
    touched: float


def _forward(shape: NetworkShape) -> Work:
    bytes_ = shape.itemsize * shape.weights
    return Work(2 * shape.weights, bytes_, 0, 3 * shape.depth, bytes_)


def _backprop(shape: NetworkShape) -> Work:
    """Forward reads every weight; the backward pass writes a gradient for each, and reads all but the first
    layer's."""
    w, first, size = shape.weights, shape.each[0], shape.itemsize
    return Work(2 * (3 * w - first), size * (2 * w - first), size * w, 7 * shape.depth, 2 * size * w)


def _complex(shape: NetworkShape) -> Work:
    """A complex product is four real ones (and two sums), of numbers twice as long."""
    bytes_ = 2 * shape.itemsize * shape.weights
    return Work(8 * shape.weights, bytes_, 0, 3 * shape.depth, bytes_)


def _jvp(shape: NetworkShape) -> Work:
    """Of a pass that is there: values go through the tangents of the weights, and tangents through the weights, but
    not the first layer's: the input has none."""
    products = 2 * shape.weights - shape.each[0]
    bytes_ = shape.itemsize * products
    return Work(2 * products, bytes_, 0, 6 * shape.depth, bytes_)


def _batched(shape: NetworkShape) -> Work:
    """The part of a forward pass after the layer of a parameter, its mean over the parameters; the weights are read
    for many of them at once."""
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
    """The work of a pass of one of PASS_KINDS. Raises KeyError for another."""
    return PASS_KINDS[kind](shape)
