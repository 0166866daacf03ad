"""A graph built by hand, with values of four axes, a transposition and a slice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.model import TrainingSettings
from tui_backprop.engine.network.spec_base import SpecBase
from tui_backprop.engine.network.value import Block, Value
from tui_backprop.engine.primitives import Primitive, size
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.functions import FUNCTIONS
from tui_backprop.engine.primitives.layouts import slicing, transpose
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT
from tui_backprop.engine.primitives.reductions import reduction

ALL = (None, None, None)
# (the operation, what it reads, what it computes)
STEPS: tuple[tuple[Primitive, tuple[str, ...], str], ...] = (
    (arithmetic("multiply", (False, True)), ("x", "scale"), "y"),  # (2, 3, 4, 4)
    (transpose((-4, -1, -3, -2)), ("y",), "t"),  # (2, 4, 3, 4)
    (slicing((ALL, (1, 3, None), ALL, (None, None, 2))), ("t",), "s"),  # (2, 2, 3, 2)
    (MATRIX_PRODUCT, ("s", "K"), "m"),  # (2, 2, 3, 5)
    (FUNCTIONS["tanh"], ("m",), "h"),
    (arithmetic("multiply"), ("h", "h"), "q"),
    (reduction("mean", (-4, -2), whole=False), ("q",), "r"),  # (2, 5)
    (reduction("sum", (-2, -1)), ("r",), "E"),
    (reduction("sum", (-2, -1)), ("K",), "k"),
    (arithmetic("add"), ("E", "k"), "L"),
)
GIVEN = {"x": ((2, 3, 4, 4), "input"), "scale": ((3, 1, 4), "parameter"), "K": ((2, 5), "parameter")}


@dataclass(frozen=True)
class ByHand(SpecBase):
    """The model of such a graph; ``mutant`` replaces one operation: (the value it computes, the primitive)."""

    mutant: tuple[str, Primitive] | None = None
    dtype: str = "float64"
    seed: int = 0
    init: str = "zeros"
    title: str = "by hand"
    frontend: str = "hand"
    layers: tuple[int, ...] = ()
    details: str = ""
    holds_numbers: bool = True
    input_gradient: bool = False

    @property
    def graph(self) -> Graph:
        return graph_of(self.mutant)

    @property
    def parameters(self) -> int:
        return sum(map(size, self.graph.parameters.values()))

    @property
    def weights(self) -> int:
        return self.graph.macs

    @property
    def parameter_terms(self) -> list[tuple[str, int]]:
        return [(name, size(shape)) for name, shape in self.graph.parameters.items()]

    def memory(self, batch: int, slots: int = 0) -> int:
        return 10_000_000

    streamed_memory = memory

    def check_memory(self, batch: int, every: bool = False) -> int:
        return 10_000_000

    def to_inputs(self, wanted: bool) -> Self:
        return self

    @property
    def training_settings(self) -> TrainingSettings:
        return TrainingSettings()

    def with_training_settings(self, settings: TrainingSettings) -> Self:
        return self

    def at_inference(self) -> Self:
        return self


@lru_cache
def graph_of(mutant: tuple[str, Primitive] | None) -> Graph:
    build, rng = Builder(), np.random.default_rng(0)
    for name, (shape, role) in GIVEN.items():
        numbers = tuple(rng.normal(size=size(shape)).tolist())
        build.give(Value(name, role, shape, 0, f"d{name}", numbers=numbers))
    for primitive, inputs, output in STEPS:
        row = mutant[1] if mutant and mutant[0] == output else primitive
        build.compute(row, inputs, output, "loss" if output == "L" else "value", 1)
    return build.graph([Block("given"), Block("formula")], "L", "L")
