"""The specification of a recurrent network of characters: a small frozen value, validated, without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tui_backprop.engine.frontends.rnn.presets import FRONTEND
from tui_backprop.engine.network.graph_spec import TokenSpec, check_numbers
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.support.validation import one_of

if TYPE_CHECKING:
    from tui_backprop.engine.network.family import Family
    from tui_backprop.engine.network.graph import Graph

ACTIVATIONS = ("tanh", "relu", "sigmoid")
MOST = {"vocabulary": 257, "hidden": 1024, "context": 16}
LEAST = {"vocabulary": 2}  # 1 for all others


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

    MOST: ClassVar[Mapping[str, float]] = MOST

    def __post_init__(self) -> None:
        check_numbers(self, self.MOST, LEAST)
        one_of("activation", self.activation, ACTIVATIONS)
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.rnn.graph import graph_of  # the first paint does not need it

        return graph_of(self.unseeded)

    @property
    def family(self) -> Family:
        """How it grows."""
        from tui_backprop.engine.frontends.rnn.family import family_of  # only the cost chart needs it

        return family_of(self)

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
    def folds(self) -> bool:
        """Whether the blocks of its graph can be folded: yes, a step is one."""
        return True

    @property
    def details(self) -> str:
        """The activation."""
        return self.activation
