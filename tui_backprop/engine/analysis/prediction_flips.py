"""The changes of one parameter alone that flip the prediction for the first sample of a batch; of a text, at the one
position that has a target.

With a parameter changed by t, the output of the operation that reads it is affine in t; from there on, the network is
run for many values of t at once, as if they were samples. The values lie on both sides of 0, equally far apart on a
logarithmic scale; the nearest one at which the prediction differs is refined. So every interval of such values is
found whose ends differ by a factor above ``ratio``, and a narrower one only if a value happens to lie in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, copysign, floor, log10

import numpy as np

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.inference import at_once
from tui_backprop.engine.network.predictions import NO_CLASS, predicted_classes
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.rerun import jacobian_column
from tui_backprop.engine.primitives import Array

NEAREST, FARTHEST = 2.0**-20, 2.0**10  # magnitudes of the first and the last change that is tried
DOUBLINGS = 30  # from one to the other
MOST_PER_DOUBLING, FEWEST_PER_DOUBLING = 32, 2  # changes tried from one to twice as much
SEARCH_WORK = 6e9  # multiply-accumulates of a search, about a second
REFINEMENTS, PARTS = 2, 64  # how often the interval that a flip is in is parted, and into how many
MAX_10_EXP = 308  # largest power of ten of a double
FLIP_DIGITS = 4  # significant digits of a flip, rounded away from 0


@dataclass(frozen=True)
class Flip:
    """A change of a parameter ``by`` so much, after which the prediction is ``predicted_class``."""

    by: float
    predicted_class: int


@dataclass(frozen=True)
class FlipSearch:
    """What was found of the changes of one parameter that flip the prediction for the first sample, in double
    precision: the nearest one ``up`` and ``down``, and the nearest one, ``correction``, that makes a wrong
    prediction correct; None where none was found.

    ``predicted_class`` is the prediction without a change, None where there is none, in double precision or in the
    network's; ``network_class`` is that in the network's precision; ``label`` is the true class.
    Changes from -``reach`` to ``reach`` were tried, each ``ratio`` times the one before; both are 0 where none was,
    and ``untried`` says why.
    """

    label: int
    predicted_class: int | None
    network_class: int | None = None
    up: Flip | None = None
    down: Flip | None = None
    correction: Flip | None = None
    reach: float = 0.0
    ratio: float = 0.0
    untried: str = ""

    @property
    def searched(self) -> bool:
        """Return whether changes were tried."""
        return self.reach > 0

    @property
    def best(self) -> Flip | None:
        """The nearest change that corrects the prediction; or else the nearest that flips it."""
        return self.correction or _smallest((self.up, self.down))


class PredictionAlong:
    """The prediction for the first sample as a function of the change of one parameter, the entry of a ``tensor`` at
    an ``index``; ``program`` has just run forward, without the change. Where a sample has a prediction at each
    position, the one at ``position``."""

    def __init__(
        self, program: Program, tensor: str, index: tuple[int, ...], position: int | None = None
    ) -> None:
        self._loss = program.graph.loss_rule
        at, op = next((at, op) for at, op in enumerate(program.ops) if tensor in op.inputs)
        self._slope = jacobian_column(program, op, op.inputs.index(tensor), index)[0]
        self._y = program.values[op.output][0].copy()
        self._first = at + 1
        while program.ops[self._first].primitive.in_place:  # has added to the same array already
            self._first += 1
        self._last = next(i for i, op in enumerate(program.ops) if op.primitive.kind == "loss")
        self._stacked = Program(program.spec, at_once(program.spec, PARTS), program.parameters)
        later = program.ops[self._first : self._last]
        for name in {name for op in later for name in op.inputs} - {op.output for op in later}:
            if program.graph.per_sample(name):
                self._stacked.values[name][...] = program.values[name][0]
        self._changed = self._stacked.values[op.output]
        z = self._stacked.values[program.graph.output]
        self._z = z if position is None else z[:, position]

    def classes(self, changes: Array) -> Array:
        """Return the predicted class after each of the ``changes`` (m,), NO_CLASS where there is none."""
        found = np.empty(len(changes), int)
        for start in range(0, len(changes), len(self._z)):
            part = changes[start : start + len(self._z)]
            self._changed[...] = self._y
            with np.errstate(all="ignore"):
                self._changed[: len(part)] += part.reshape(-1, *[1] * self._y.ndim) * self._slope
            self._stacked.forward(self._first, self._last)
            found[start : start + len(part)] = predicted_classes(self._z[: len(part)], self._loss)
        return found


def why_untried(graph: Graph, tensor: str) -> str:
    """Say why changes of a parameter are not tried: they are run as samples of one batch, and take time."""
    if any(op.primitive.mixes_samples for op in graph.ops):
        return "batch normalization mixes the samples of a pass"
    if len(graph.readers[tensor]) > 1:
        return f"{tensor} is used more than once"
    return "" if changes_per_doubling(graph, tensor) else "too many parameters"


def changes_per_doubling(graph: Graph, tensor: str) -> int:
    """Return how many changes to try from one to twice as much, so that a search takes about a second at most; 0
    where even the fewest take much longer."""
    fitting = int(SEARCH_WORK / (2 * DOUBLINGS * graph.macs_from(graph.block(tensor))))
    return min(fitting, MOST_PER_DOUBLING) if fitting >= FEWEST_PER_DOUBLING else 0


def search_flips(along: PredictionAlong, label: int, per_doubling: int, others: Array) -> FlipSearch:
    """Search for the nearest changes that flip the prediction; ``others`` (m,) are tried besides, if in range. The
    class in the network's precision is not filled in."""
    sizes = np.geomspace(NEAREST, FARTHEST, DOUBLINGS * per_doubling + 1)
    others = others[np.abs(others) <= FARTHEST]
    changes = np.unique(np.concatenate([-sizes, [0.0], sizes, others]))
    classes, middle = along.classes(changes), int(np.searchsorted(changes, 0.0))
    now = int(classes[middle])
    if now == NO_CLASS:
        return FlipSearch(label, None)

    def nearest(sign: int, wanted: Callable[[Array], Array]) -> Flip | None:
        return _nearest(along, changes[middle::sign], classes[middle::sign], wanted)

    def corrects(found: Array) -> Array:
        return np.asarray(found == label)

    def flips(found: Array) -> Array:
        return np.asarray((found != now) & (found != NO_CLASS))

    corrections = [nearest(sign, corrects) for sign in (1, -1)] if now != label else []
    return FlipSearch(
        label,
        now,
        up=nearest(1, flips),
        down=nearest(-1, flips),
        correction=_smallest(corrections),
        reach=FARTHEST,
        ratio=2 ** (1 / per_doubling),
    )


def _smallest(flips: Iterable[Flip | None]) -> Flip | None:
    return min(filter(None, flips), key=lambda flip: abs(flip.by), default=None)


def _nearest(
    along: PredictionAlong, changes: Array, classes: Array, wanted: Callable[[Array], Array]
) -> Flip | None:
    """Return the first of the ``changes``, which begin with 0, after which the class is ``wanted``; refined between
    it and the one before, and rounded away from 0 if the class is the same then."""
    there = wanted(classes)
    if not there.any():
        return None
    at = int(there.argmax())
    near, far, found = float(changes[at - 1]), float(changes[at]), int(classes[at])
    for _ in range(REFINEMENTS):
        between = np.linspace(near, far, PARTS + 1)[1:]
        each = along.classes(between)
        first = int(wanted(each).argmax())
        if not wanted(each)[first]:  # only round-off parts them
            break
        near, far, found = (
            (near if not first else float(between[first - 1])),
            float(between[first]),
            int(each[first]),
        )
    rounded = _rounded_up(far)
    return Flip(rounded if int(along.classes(np.array([rounded]))[0]) == found else far, found)


def _rounded_up(value: float) -> float:
    """Round away from 0 to FLIP_DIGITS significant digits."""
    unit = FLIP_DIGITS - 1 - floor(log10(abs(value)))
    if unit > MAX_10_EXP:  # subnormal
        return value
    return copysign(ceil(abs(value) * 10.0**unit) / 10.0**unit, value)
