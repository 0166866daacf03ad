"""Curves to plot: a unit's activation function with its derivative, and the loss along one weight or over two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, sqrt

import numpy as np

from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.tensor_names import TensorEntry
from tui_backprop.engine.primitives import IDENTITY, Array, in_shape, index_at
from tui_backprop.engine.training.iteration import Iteration, feed

CURVE_REACH = 4.0  # every activation function shows its shape within this distance from 0
CURVE_MARGIN = 1.1  # times a pre-activation that lies further out

MOST_POINTS = {1: 41, 2: 21}  # points along each weight, by how many weights there are
FEWEST_POINTS = {1: 9, 2: 5}
# Work of one slice, about a second: each weight counts READ_COST, and 1 more for each sample.
SLICE_WORK = 2e10
READ_COST = 8  # multiply-accumulates that take as long as to read one weight from memory
# Half a range, in root mean squares of the layer's weights and in updates; the larger one counts.
REACH_IN_WEIGHTS, REACH_IN_UPDATES = 6.0, 4.0


@dataclass(frozen=True)
class ActivationCurve:
    """f and f' of a unit's activation, each (points,), over ``x``; and the unit's own ``at``, f(at) and f'(at).

    ``name`` is the function's name, ``of`` its input's: zk, or nk in a normalized layer.
    """

    name: str
    of: str
    layer: int
    unit: int
    x: Array
    f: Array
    slope: Array
    at: float
    value: float
    slope_at: float


@dataclass(frozen=True)
class Slice:
    """The loss of a batch along one weight, or over a grid of two, all others held fixed.

    For each of the ``weights``: ``values`` (points,), increasing, with the current value, ``here``, in the middle;
    its ``gradient``; and ``updated``, its value after the coming update. ``losses`` has an axis for each weight; an
    entry is NaN where the loss is NaN, and where it has not been computed yet (``done`` counts those that have).
    ``loss`` is the iteration's, in the network's precision; ``base`` and ``losses`` are in double precision.
    ``actual_change`` is the change of the loss when these weights alone are updated.
    """

    weights: tuple[TensorEntry, ...]
    values: tuple[Array, ...]
    here: tuple[float, ...]
    gradient: tuple[float, ...]
    updated: tuple[float, ...]
    losses: Array
    loss: float
    base: float
    actual_change: float
    done: int

    @property
    def predicted_change(self) -> float:
        """The change of the loss by the update of these weights, to first order."""
        return sum(
            g * (new - old) for g, new, old in zip(self.gradient, self.updated, self.here, strict=True)
        )

    @property
    def lowest(self) -> tuple[tuple[float, ...], float] | None:
        """The point with the smallest loss computed so far, and that loss; None if no loss is finite."""
        finite = np.where(np.isfinite(self.losses), self.losses, np.inf)
        place = index_at(int(finite.argmin()), finite.shape)
        if not isfinite(finite[place]):
            return None
        where = tuple(float(values[i]) for values, i in zip(self.values, place, strict=True))
        return where, float(finite[place])


def activation_curve(
    iteration: Iteration, layer: int, unit: int, points: int, sample: int = 0
) -> ActivationCurve:
    """Evaluate the activation function of a unit of layer 1 .. L, by the rules that the passes use. The output layer
    is linear: there f is the identity."""
    op = iteration.graph.activation_ops.get(layer)
    if op is None:
        row, of = IDENTITY, iteration.graph.preactivation(layer)
        at = value = float(iteration.tensor(of)[sample, unit])
        slope_at = 1.0
    else:
        row, of = op.primitive, op.inputs[0]
        at, value = (float(iteration.tensor(name)[sample, unit]) for name in (of, op.output))
        slope_at = float(iteration.slope(layer, sample)[unit])
    x = curve_range(at, points)
    f, slope, cache = np.empty_like(x), np.empty_like(x), row.room(x.dtype, x.shape)
    with np.errstate(all="ignore"):
        row.forward(f, cache, x)
        row.vjps[0](slope, np.ones_like(x), f, cache, x)
    return ActivationCurve(row.name, of, layer, unit, x, f, slope, at, value, slope_at)


def curve_range(at: float, points: int) -> Array:
    """Return the numbers that a curve is drawn over: around 0, and as far as ``at``."""
    ends = [CURVE_MARGIN * at] if isfinite(CURVE_MARGIN * at) else []
    return np.linspace(min([-CURVE_REACH, *ends]), max([CURVE_REACH, *ends]), points)


def slice_along(
    iteration: Iteration, weights: tuple[TensorEntry, ...], points: int | None = None, zoom: float = 1.0
) -> Iterator[Slice]:
    """Compute the loss along one weight, or over a grid of two, by forward passes. Yields the slice so far, first
    without a point and then after each one; the work stops with the iteration. The last slice is complete.

    Along each weight there are ``points``, made odd so that the middle one is the current value; by default 41 for
    one weight and 21 for two, and fewer where those would take much longer than a second. They extend to both sides
    by six times the root mean square of the layer's weights, where nearly every loss shows its curvature, or by four
    coming updates if that is further; divided by ``zoom``.

    Passes are in double precision whatever the network's: one weight often changes the loss by a millionth of it,
    which in single precision is a staircase of round-off. That takes 8 bytes per parameter, and the values of a
    forward pass. The batch and its dropout masks are those of the iteration; operations before the weights run once.
    Raises ValueError unless the weights are one or two different parameters of the network.
    """
    _check(iteration, weights)
    graph = iteration.graph
    program = Program(iteration.spec, iteration.batch, iteration.program.parameters.astype(float), "float64")
    feed(program, *iteration.data, iteration.before.t)
    start = _entry(program, {tensor for tensor, _ in weights})

    def loss(place: tuple[float, ...]) -> float:
        for (tensor, index), value in zip(weights, place, strict=True):
            program.values[tensor][index] = value
        return float(program.forward(start))

    here, updated, gradient = (
        tuple(float(of(tensor)[index]) for tensor, index in weights)
        for of in (
            iteration.tensor,
            iteration.new.__getitem__,
            lambda tensor: iteration.tensor(graph.gradient_of(tensor)),
        )
    )
    half = max((points or _points(iteration, weights)) // 2, 1)
    offsets = np.arange(-half, half + 1) / half
    reaches = (
        _reach(iteration, tensor, new - old) / zoom
        for (tensor, _), new, old in zip(weights, updated, here, strict=True)
    )
    with np.errstate(all="ignore"):  # of weights that are infinite, or nearly
        values = tuple(old + reach * offsets for old, reach in zip(here, reaches, strict=True))
    base = float(program.forward())
    losses = np.full([len(each) for each in values], np.nan)
    actual_change = loss(updated) - base
    found = Slice(
        weights, values, here, gradient, updated, losses.copy(), iteration.loss, base, actual_change, done=0
    )
    yield found
    for done, place in enumerate(np.ndindex(losses.shape), 1):
        losses[place] = loss(tuple(float(each[i]) for each, i in zip(values, place, strict=True)))
        yield replace(found, losses=losses.copy(), done=done)


def _check(iteration: Iteration, weights: tuple[TensorEntry, ...]) -> None:
    shapes = iteration.graph.parameters
    if len(weights) not in MOST_POINTS or len(set(weights)) < len(weights):
        raise ValueError(f"give one parameter, or two different ones, not {len(weights)}")
    for tensor, index in weights:
        if tensor not in shapes or not in_shape(index, shapes[tensor]):
            raise ValueError(f"{tensor}{list(index)} is not a parameter of this network")


def _entry(program: Program, tensors: set[str]) -> int:
    """Return the index of the first operation that has to run again when these parameters change."""
    at = next(i for i, op in enumerate(program.ops) if tensors.intersection(op.inputs))
    while program.ops[at].primitive.in_place:  # its input has been written over
        at -= 1
    return at


def _points(iteration: Iteration, weights: tuple[TensorEntry, ...]) -> int:
    """Return the number of points along each weight that the work of the layers from the first weight on allows."""
    graph = iteration.graph
    each = graph.macs_from(min(graph.block(tensor) for tensor, _ in weights))
    evaluations = SLICE_WORK / (max(each, 1) * (READ_COST + iteration.program.batch))
    axes = len(weights)
    return max(FEWEST_POINTS[axes], min(MOST_POINTS[axes], int(evaluations ** (1 / axes))))


def _reach(iteration: Iteration, tensor: str, update: float) -> float:
    """Return half the range of a slice; 1 where weights and update give no measure."""
    of = iteration.graph.part(iteration.graph.block(tensor), "weight") or tensor
    spread = iteration.summary(of).norm / sqrt(iteration.tensor(of).size)
    far = (REACH_IN_WEIGHTS * spread, REACH_IN_UPDATES * abs(update))
    return max(filter(isfinite, far), default=0.0) or 1.0
