"""Which weights caused the error: a ranking over all parameters, and what stands behind one of them.

A ranking needs a measure; there is more than one, and they answer different questions. The path of largest
influence answers another: by which units does a weight reach the loss most? The prediction of a nudge can be
held against the real loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.network.graph import parameter_shapes, parameter_slices
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.iteration import Pass
from tui_backprop.engine.training.optimizer_spec import OptimiserSpec

BLOCK = 2**18  # parameters ranked at a time, so that a ranking needs no second array of P numbers


@dataclass(frozen=True)
class Measure:
    """A size to rank parameters by: ``score(w, g, move)`` of parameters, their gradients, and how far the coming
    update moves them, elementwise."""

    about: str
    formula: str
    score: Callable[[Array, Array, Array], Array]


MEASURES: dict[str, Measure] = {
    "gradient": Measure("change of the loss with it", "|dW|", lambda w, g, move: g),
    "update": Measure(
        "its share of the next step, to first order", "|(W' − W) dW|", lambda w, g, move: move * g
    ),
    "weight x gradient": Measure(
        "how much the loss would change without it, to first order", "|W dW|", lambda w, g, move: w * g
    ),
}


@dataclass(frozen=True)
class Culprit:
    """A parameter in a ranking: its tensor and index there, its value, gradient and score."""

    tensor: str
    index: tuple[int, ...]
    value: float
    gradient: float
    score: float


def plain_sgd(optimiser: OptimiserSpec) -> bool:
    """Whether the update is α times the gradient (clipped or not) and nothing else, so that both rank alike."""
    return optimiser.name == "sgd" and not optimiser.weight_decay


def _move(taken: Pass, w: Array, g: Array, new: Array) -> Array:
    """How far the update moves parameters. What is plainly α dW is not taken from the difference, which is round-off
    where the weight is much larger."""
    return g * (-taken.lr * taken.clipping) if plain_sgd(taken.optimiser) else new - w


def ranking(taken: Pass, measure: str, most: int = 10, layer: int | None = None) -> tuple[Culprit, ...]:
    """The ``most`` parameters with the largest score, of one layer or of all; those with score 0 never count.

    NaN gradients are left out. Takes one pass over the parameters, block by block.
    """
    spec, row, top = taken.spec, MEASURES[measure], Top(most)
    w, g, new = taken.program.parameters, taken.program.gradient, taken.after.parameters
    for name, place in parameter_slices(spec).items():
        if layer in (None, int(name[1:])):
            for start in range(place.start, place.stop, BLOCK):
                part = slice(start, min(start + BLOCK, place.stop))
                with np.errstate(all="ignore"):
                    top.add(start, row.score(w[part], g[part], _move(taken, w[part], g[part], new[part])))
    return tuple(
        _culprit(taken, int(at), float(score)) for at, score in zip(top.places, top.values, strict=True)
    )


def named(taken: Pass, measure: str, tensor: str, index: tuple[int, ...]) -> Culprit | None:
    """A parameter by its name, None if the network has no such one."""
    shape = parameter_shapes(taken.spec).get(tensor)
    if shape is None or len(shape) != len(index) or any(i >= n for i, n in zip(index, shape, strict=True)):
        return None
    w, g = taken.tensor(tensor)[index], taken.tensor(f"d{tensor}")[index]
    with np.errstate(all="ignore"):
        move = _move(taken, w, g, taken.new[tensor][index])
        score = abs(float(MEASURES[measure].score(w, g, move)))
    return Culprit(tensor, index, float(w), float(g), score)


def _culprit(taken: Pass, at: int, score: float) -> Culprit:
    name, place = next((n, p) for n, p in parameter_slices(taken.spec).items() if p.start <= at < p.stop)
    index = np.unravel_index(at - place.start, parameter_shapes(taken.spec)[name])
    value, gradient = float(taken.program.parameters[at]), float(taken.program.gradient[at])
    return Culprit(name, tuple(int(i) for i in index), value, gradient, abs(score))
