"""A convolutional network built by hand, for two images of 7 x 6, with every primitive of images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tests.engine.frontends.any_shape import ByHand
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import Block, Value
from tui_backprop.engine.primitives import Primitive, size
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv1d, conv2d
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.layouts import reshape
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.reductions import reduction

SAVED = {"n": "v"}
# (the operation, what it reads, what it computes)
STEPS: tuple[tuple[Primitive, tuple[str, ...], str], ...] = (
    (conv2d(1, 1), ("x", "W1"), "u"),  # (2, 3, 7, 6)
    (BATCH_NORM, ("u", "γ", "β"), "n"),
    (FUNCTIONS["relu"], ("n",), "h"),
    (max_pooling((2, 2)), ("h",), "p"),  # (2, 3, 3, 3)
    (conv2d((2, 1)), ("p", "W2"), "w"),  # (2, 2, 1, 2)
    (channel_bias_add(), ("w", "b2"), "z"),
    (FUNCTIONS["tanh"], ("z",), "g"),
    (reshape((2, 2, 2)), ("g",), "r"),
    (conv1d(1, 1), ("r", "W3"), "c"),  # (2, 2, 2)
    (average_pooling((2,)), ("c",), "q"),  # (2, 2, 1)
    (FUNCTIONS["sin"], ("q",), "s"),
    (reduction("sum", (-3, -2, -1)), ("s",), "L"),
)
GIVEN = {
    "x": ((2, 1, 7, 6), "input"),
    "W1": ((3, 1, 3, 3), "parameter"),
    "γ": ((3,), "parameter"),
    "β": ((3,), "parameter"),
    "W2": ((2, 3, 2, 2), "parameter"),
    "b2": ((2,), "parameter"),
    "W3": ((2, 2, 3), "parameter"),
}


@dataclass(frozen=True)
class Images(ByHand):
    """The model of that network."""

    @property
    def graph(self) -> Graph:
        return images_graph(self.mutant)


@lru_cache
def images_graph(mutant: tuple[str, Primitive] | None) -> Graph:
    build, rng = Builder(), np.random.default_rng(4)
    for name, (shape, role) in GIVEN.items():
        numbers = tuple(rng.normal(size=size(shape)).tolist())
        build.give(Value(name, role, shape, 0, f"d{name}", numbers=numbers))
    for primitive, inputs, output in STEPS:
        row = mutant[1] if mutant and mutant[0] == output else primitive
        role = "loss" if output == "L" else "value"
        build.compute(row, inputs, output, role, 1, saved=SAVED.get(output, ""))
    return build.graph([Block("given"), Block("network")], "L", "L")
