"""Collects the values and operations of a graph, block after block: every operation is an equation of its own, and
the axes of all arrays have names."""

from __future__ import annotations

from collections.abc import Sequence

from tui_backprop.engine.network.axes import POSITION
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import BATCH, Block, Role, Value
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.token_loss import TOKEN_LOSS

Axis = tuple[str, int]  # its name and its size
PROBABILITIES = "p"  # of the loss
TOKENS, TARGET, LOSS = "x", "t", "L"


class BlockBuilder(Builder):
    """Adds to the current block, which is the one that was begun last; the first holds what is ``given``."""

    def __init__(self, given: str) -> None:
        super().__init__()
        self._blocks = [Block(given)]

    @property
    def block(self) -> int:
        """The number of the current block."""
        return len(self._blocks) - 1

    def begin(self, title: str) -> None:
        """Begin the next block."""
        self._blocks.append(Block(title))

    def parameter(self, name: str, role: Role, *sizes: Axis) -> str:
        """Add a parameter; return its name."""
        axes, shape = zip(*sizes, strict=True)
        return self.give(Value(name, role, shape, self.block, f"d{name}", axes=axes))

    def operation(
        self,
        primitive: Primitive,
        inputs: Sequence[str],
        name: str,
        axes: Sequence[str],
        saved: str = "",
        classes: int = 0,
    ) -> str:
        """Add an operation and its output; return its name."""
        return self.compute(
            primitive, inputs, name, "value", self.block, saved=saved, axes=axes, classes=classes
        )

    def ended(self, loss: Primitive, output: str, target: Value) -> Graph:
        """Return the graph whose ``output`` is compared with a target."""
        inputs = output, self.give(target)
        self.compute(loss, inputs, LOSS, "loss", self.block, saved=PROBABILITIES)
        return self.graph(self._blocks, output, LOSS)


class TokenBuilder(BlockBuilder):
    """Builds a model of ``context`` positions that predicts the next of ``vocabulary`` tokens at each of them."""

    def __init__(self, context: int, vocabulary: int, given: str = "tokens") -> None:
        super().__init__(given)
        self._context, self._vocabulary = context, vocabulary
        self.give(self._tokens(TOKENS, "input"))

    def predicting(self, logits: str) -> Graph:
        """Return the graph, with the loss of its logits."""
        return self.ended(TOKEN_LOSS, logits, self._tokens(TARGET, "target", padded=True))

    def _tokens(self, name: str, role: Role, padded: bool = False) -> Value:
        return Value(
            name, role, (BATCH, self._context), self.block, f"d{name}",
            classes=self._vocabulary, padded=padded, axes=(POSITION,),
        )  # fmt: skip
