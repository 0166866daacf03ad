"""A ranking of all parameters by a measure of their share in the error.

There is more than one measure, and they answer different questions. A score that is NaN or infinite has no rank:
such parameters are only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.network.nonfinite import finite
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


@dataclass(frozen=True)
class Ranked(Sequence[Attribution]):
    """Parameters in the order of their score, among ``scored`` ones; the scores of ``unranked`` others are NaN or
    infinite."""

    attributions: tuple[Attribution, ...]
    scored: int
    unranked: int = 0

    def __len__(self) -> int:
        return len(self.attributions)

    @overload
    def __getitem__(self, at: int) -> Attribution: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Attribution, ...]: ...
    def __getitem__(self, at: int | slice) -> Attribution | tuple[Attribution, ...]:
        return self.attributions[at]

    @property
    def words(self) -> str:
        """The parameters that are not ranked, and why: "" where all that have a score other than 0 are."""
        if self.unranked:
            which = "all" if self.unranked == self.scored else f"{self.unranked:,} of"
            return f"{which} {self.scored:,} scores are NaN or infinite, and not ranked"
        blamed = any(each.score for each in self.attributions)
        return "" if blamed else "every score is 0: no parameter is to blame"


def plain_sgd(optimizer: OptimizerSpec) -> bool:
    """Return whether the update is α times the gradient (clipped or not), so that both have the same ranking."""
    return not UPDATE_RULES[optimizer.name].slots and not optimizer.weight_decay


def _move(iteration: Iteration, w: Array, g: Array, new: Array) -> Array:
    """The change of parameters by the update. Where it is α dW, that is used instead of the difference, which is
    round-off where the weight is much larger."""
    return g * (-iteration.lr * iteration.clipping) if plain_sgd(iteration.optimizer) else new - w


def ranking(iteration: Iteration, measure: str, most: int = 10, layer: int | None = None) -> Ranked:
    """Rank the ``most`` parameters with the largest score, of one layer or of all; those with score 0 are left out,
    but for graphs without layers, where they come last.

    Takes one pass over the parameters, block by block.
    """
    graph, row, top, scored, unranked = iteration.graph, MEASURES[measure], Top(most), 0, 0
    zeros: list[int] = []
    w, g, new = iteration.program.parameters, iteration.program.gradient, iteration.after.parameters
    for name, place in graph.slices.items():
        if layer in (None, graph.block(name)):
            for start in range(place.start, place.stop, RANKED_BLOCK):
                part = slice(start, min(start + RANKED_BLOCK, place.stop))
                with np.errstate(all="ignore"):
                    scores = row.score(w[part], g[part], _move(iteration, w[part], g[part], new[part]))
                if not graph.layered and len(zeros) < most:
                    zeros += (start + np.flatnonzero(scores == 0)).tolist()
                if not finite(scores):
                    unranked += int(np.count_nonzero(~np.isfinite(scores)))
                    scores = np.where(np.isfinite(scores), scores, 0)
                scored += len(scores)
                top.add(start, scores)
    pairs = [(int(at), float(score)) for at, score in zip(top.places, top.values, strict=True)]
    pairs = [*pairs, *((at, 0.0) for at in zeros)][:most]
    return Ranked(tuple(_attribution(iteration, at, score) for at, score in pairs), scored, unranked)


def named(iteration: Iteration, measure: str, tensor: str, index: tuple[int, ...]) -> Attribution | None:
    """A parameter by its name, None if the network has no such one."""
    shape = iteration.graph.parameters.get(tensor)
    if shape is None or not in_shape(index, shape):
        return None
    w, g = iteration.tensor(tensor)[index], iteration.tensor(iteration.graph.gradient_of(tensor))[index]
    with np.errstate(all="ignore"):
        move = _move(iteration, w, g, iteration.new[tensor][index])
        score = abs(float(MEASURES[measure].score(w, g, move)))
    return Attribution(tensor, index, float(w), float(g), score)


def _attribution(iteration: Iteration, at: int, score: float) -> Attribution:
    name, index = iteration.graph.parameter_at(at)
    value, gradient = float(iteration.program.parameters[at]), float(iteration.program.gradient[at])
    return Attribution(name, index, value, gradient, abs(score))
