"""The specification of a character-level GPT: a small frozen value, validated, without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tui_backprop.engine.frontends.gpt.presets import FRONTEND, NORMS
from tui_backprop.engine.network.graph_spec import TokenSpec, check_numbers
from tui_backprop.engine.network.initializer_rules import parse_init
from tui_backprop.engine.network.model import DTYPES
from tui_backprop.support.errors import InputError
from tui_backprop.support.validation import boolean, one_of

if TYPE_CHECKING:
    from tui_backprop.engine.network.family import Family
    from tui_backprop.engine.network.graph import Graph

ACTIVATIONS = ("relu", "gelu")
# The largest numbers; a vocabulary is 256 characters and the boundary.
MOST = {"vocabulary": 257, "depth": 12, "width": 1024, "heads": 64, "context": 256}
LEAST = {"vocabulary": 2}  # 1 for all others


@dataclass(frozen=True)
class GptSpec(TokenSpec):
    """A decoder-only transformer without biases that predicts the next of ``vocabulary`` tokens at each position.

    ``depth`` blocks of causal attention with ``heads`` heads and an MLP of 4 ``width`` units, each behind a ``norm``
    and around a residual stream of ``width`` numbers for each of ``context`` positions. With ``tied``, the output
    matrix is the transposed embedding. Raises InputError for a field with an invalid value."""

    vocabulary: int = 27
    depth: int = 1
    width: int = 16
    heads: int = 4
    context: int = 16
    norm: str = "rms"
    activation: str = "relu"
    tied: bool = False
    init: str = "normal:0.08"
    dtype: str = "float64"
    seed: int = 0

    MOST: ClassVar[Mapping[str, float]] = MOST

    def __post_init__(self) -> None:
        check_numbers(self, self.MOST, LEAST)
        if self.width % self.heads:
            fits = [n for n in range(1, self.heads + 1) if self.width % n == 0][-1]
            raise InputError(
                "heads", f"a width of {self.width} does not divide among {self.heads} heads; write {fits}"
            )
        one_of("norm", self.norm, NORMS)
        one_of("activation", self.activation, ACTIVATIONS)
        boolean("tied", self.tied)
        parse_init(self.init)
        one_of("dtype", self.dtype, DTYPES)

    @property
    def graph(self) -> Graph:
        """The operations and values of the network."""
        from tui_backprop.engine.frontends.gpt.graph import graph_of  # the first paint does not need it

        return graph_of(self.unseeded)

    @property
    def family(self) -> Family:
        """How it grows."""
        from tui_backprop.engine.frontends.gpt.family import family_of  # only the cost chart needs it

        return family_of(self)

    @property
    def frontend(self) -> str:
        """The name of this front end."""
        return FRONTEND

    @property
    def title(self) -> str:
        """The network in brief: GPT, 1 block, width 16, 4 heads, context 16."""
        blocks = f"{self.depth} block" + ("" if self.depth == 1 else "s")
        heads = f"{self.heads} head" + ("" if self.heads == 1 else "s")
        return f"GPT, {blocks}, width {self.width}, {heads}, context {self.context}"

    @property
    def folds(self) -> bool:
        """Whether the blocks of its graph can be folded: yes."""
        return True

    @property
    def unit(self) -> str:
        """What is selected at a step: a position."""
        return "position"

    @property
    def details(self) -> str:
        """The activation."""
        return self.activation
