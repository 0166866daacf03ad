"""The specification of a recurrent network of characters: a small frozen value, validated, without arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui_backprop.engine.frontends.rnn.presets import FRONTEND
from tui_backprop.engine.network.graph_spec import TokenSpec
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import one_of, whole_number

if TYPE_CHECKING:
    from tui_backprop.engine.network.graph import Graph

ACTIVATIONS = ("tanh", "relu", "sigmoid")
MOST = {"vocabulary": 257, "hidden": 1024, "context": 16}


@dataclass(frozen=True)
class RnnSpec(TokenSpec):
    """A recurrent network (Elman 1990) that predicts the next of ``vocabulary`` tokens, unrolled over ``context``
    steps: h_t = f(Wx[x_t] + h_(t−1) Wh + b) with ``hidden`` units, whose logits are h_t U + c; h_0 = 0.

    Raises InputError for a field with an invalid value."""

    vocabulary: int = 27
    hidden: int = 32
    context: int = 16
    activation: str = "tanh"
    init: str = "xavier"
    dtype: str = "float64"
    seed: int = 0

    def __post_init__(self) -> None:
        for field, most in MOST.items():
            least = 2 if field == "vocabulary" else 1
            number = whole_number(field, getattr(self, field), least)
            if number > most:
                raise InputError(field, f"{number} is out of range ({least} to {most:,})")
            object.__setattr__(self, field, number)
        one_of("activation", self.activation, ACTIVATIONS)
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.rnn.graph import graph_of  # the first paint does not need it

        return graph_of(replace(self, init=RnnSpec.init, dtype=RnnSpec.dtype, seed=RnnSpec.seed))

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The network in brief: RNN, 32 units, 16 steps."""
        units = f"{self.hidden} unit" + ("" if self.hidden == 1 else "s")
        return f"RNN, {units}, {self.context} step" + ("" if self.context == 1 else "s")

    @property
    def details(self) -> str:
        """The activation."""
        return self.activation
