"""From the specification of a recurrent network to its graph, unrolled in time: every step reads the same weights.

Names, in step 1 .. T: ``x1`` is the token that it reads, ``e1`` its row of Wx, ``u1`` what the state before adds,
``s1`` the sum with the bias, ``h1`` the new state. ``h`` has all states, (T, hidden), ``z`` the logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.network.axes import POSITION, TOKEN
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import BATCH, Block, Role, Value
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.layouts import slicing, stack
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT
from tui_backprop.engine.primitives.token_loss import TOKEN_LOSS

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.rnn.spec import RnnSpec

Axis = tuple[str, int]  # its name and its size
BIAS = arithmetic("add", (False, True))


@lru_cache(maxsize=32)
def graph_of(spec: RnnSpec) -> Graph:
    """Build the graph of a recurrent network."""
    return _Rnn(spec).graph()


class _Rnn:
    """Builds a graph, step by step."""

    def __init__(self, spec: RnnSpec) -> None:
        self._spec = spec
        self._build = Builder()
        self._blocks = [Block("tokens and weights")]

    def graph(self) -> Graph:
        spec, build = self._spec, self._build
        build.give(self._tokens("x", "input"))
        self._give("Wx", "weight", self._token, self._unit)
        self._give("Wh", "weight", ("unit before", spec.hidden), self._unit)
        self._give("b", "bias", self._unit)
        states: list[str] = []
        for t in range(1, spec.context + 1):
            states.append(self._step(t, states[-1] if states else ""))
        output = self._output(states)
        target = build.give(self._tokens("t", "target", padded=True))
        loss = build.compute(TOKEN_LOSS, (output, target), "L", "loss", self._block, saved="p")
        return build.graph(self._blocks, output, loss)

    @property
    def _block(self) -> int:
        return len(self._blocks) - 1

    @property
    def _unit(self) -> Axis:
        return "unit", self._spec.hidden

    @property
    def _token(self) -> Axis:
        return TOKEN, self._spec.vocabulary

    def _tokens(self, name: str, role: Role, padded: bool = False) -> Value:
        shape, classes = (BATCH, self._spec.context), self._spec.vocabulary
        return Value(
            name, role, shape, self._block, f"d{name}", classes=classes, padded=padded, axes=(POSITION,)
        )

    def _give(self, name: str, role: Role, *sizes: Axis) -> str:
        axes, shape = zip(*sizes, strict=True)
        return self._build.give(Value(name, role, shape, self._block, f"d{name}", axes=axes))

    def _compute(
        self, primitive: Primitive, inputs: tuple[str, ...], name: str, axes: Sequence[str] = ("unit",)
    ) -> str:
        return self._build.compute(primitive, inputs, name, "value", self._block, axes=axes)

    def _step(self, t: int, before: str) -> str:
        """Compute the state of step ``t`` from the token there and the state ``before``."""
        self._blocks.append(Block(f"step {t}"))
        at, vocabulary = slicing(((None, None, None), t - 1)), self._spec.vocabulary
        token = self._build.compute(at, ("x",), f"x{t}", "value", self._block, classes=vocabulary)
        total = self._compute(EMBEDDING, ("Wx", token), f"e{t}")
        if before:
            carried = self._compute(MATRIX_PRODUCT, (before, "Wh"), f"u{t}")
            total = self._compute(arithmetic("add"), (total, carried), f"v{t}")
        total = self._compute(BIAS, (total, "b"), f"s{t}")
        activation = elementwise(self._spec.activation, ACTIVATIONS[self._spec.activation], "function")
        return self._compute(activation, (total,), f"h{t}")

    def _output(self, states: list[str]) -> str:
        self._blocks.append(Block("output"))
        every = self._compute(stack(len(states)), tuple(states), "h", (POSITION, "unit"))
        weights, bias = (
            self._give("U", "weight", self._unit, self._token),
            self._give("c", "bias", self._token),
        )
        product = self._compute(MATRIX_PRODUCT, (every, weights), "y", (POSITION, TOKEN))
        return self._compute(BIAS, (product, bias), "z", (POSITION, TOKEN))
