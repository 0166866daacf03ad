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
from tui_backprop.engine.network.graph import parameter_at, parameter_shapes, parameter_slices
from tui_backprop.engine.network.tensor_names import gradient_of, layer_of
from tui_backprop.engine.primitives import Array, in_shape
from tui_backprop.engine.training.iteration import Iteration
from tui_backprop.engine.training.optimizer_spec import OptimizerSpec
from tui_backprop.engine.training.update_rules import UPDATE_RULES

RANKED_BLOCK = 2**18  # parameters ranked at a time, so that a ranking needs no second array of P numbers


@dataclass(frozen=True)
class Measure:
    """A size to rank parameters by: ``score(w, g, move)`` of parameters, their gradients, and how far the coming
    update moves them, elementwise."""

    about: str
    formula: str
    score: Callable[[Array, Array, Array], Array]


MEASURES: dict[str, Measure] = {
    "gradient": Measure("rate of change of the loss", "|dW|", lambda w, g, move: g),
    "update": Measure(
        "loss change by its update, to first order", "|(W' − W) dW|", lambda w, g, move: move * g
    ),
    "weight x gradient": Measure(
        "change in the loss if it were 0, to first order", "|W dW|", lambda w, g, move: w * g
    ),
}


@dataclass(frozen=True)
class Attribution:
    """A parameter in a ranking: its tensor and index there, its value, gradient and score."""

    tensor: str
    index: tuple[int, ...]
    value: float
    gradient: float
    score: float


def plain_sgd(optimizer: OptimizerSpec) -> bool:
    """Return whether the update is α times the gradient (clipped or not), so that both rank alike."""
    return not UPDATE_RULES[optimizer.name].slots and not optimizer.weight_decay


def _move(iteration: Iteration, w: Array, g: Array, new: Array) -> Array:
    """How far the update moves parameters. What is plainly α dW is not taken from the difference, which is round-off
    where the weight is much larger."""
    return g * (-iteration.lr * iteration.clipping) if plain_sgd(iteration.optimizer) else new - w


def ranking(
    iteration: Iteration, measure: str, most: int = 10, layer: int | None = None
) -> tuple[Attribution, ...]:
    """The ``most`` parameters with the largest score, of one layer or of all; those with score 0 never count.

    NaN gradients are left out. Takes one pass over the parameters, block by block.
    """
    spec, row, top = iteration.spec, MEASURES[measure], Top(most)
    w, g, new = iteration.program.parameters, iteration.program.gradient, iteration.after.parameters
    for name, place in parameter_slices(spec).items():
        if layer in (None, layer_of(name)):
            for start in range(place.start, place.stop, RANKED_BLOCK):
                part = slice(start, min(start + RANKED_BLOCK, place.stop))
                with np.errstate(all="ignore"):
                    top.add(start, row.score(w[part], g[part], _move(iteration, w[part], g[part], new[part])))
    return tuple(
        _attribution(iteration, int(at), float(score))
        for at, score in zip(top.places, top.values, strict=True)
    )


def named(iteration: Iteration, measure: str, tensor: str, index: tuple[int, ...]) -> Attribution | None:
    """A parameter by its name, None if the network has no such one."""
    shape = parameter_shapes(iteration.spec).get(tensor)
    if shape is None or not in_shape(index, shape):
        return None
    w, g = iteration.tensor(tensor)[index], iteration.tensor(gradient_of(tensor))[index]
    with np.errstate(all="ignore"):
        move = _move(iteration, w, g, iteration.new[tensor][index])
        score = abs(float(MEASURES[measure].score(w, g, move)))
    return Attribution(tensor, index, float(w), float(g), score)


def _attribution(iteration: Iteration, at: int, score: float) -> Attribution:
    name, index = parameter_at(iteration.spec, at)
    value, gradient = float(iteration.program.parameters[at]), float(iteration.program.gradient[at])
    return Attribution(name, index, value, gradient, abs(score))
