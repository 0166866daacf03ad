"""From the specification of a recurrent network to its graph, unrolled in time: every step reads the same weights.

Names, in step 1 .. T: ``x1`` is the token that it reads, ``e1`` its row of Wx, ``u1`` what the state before adds,
``s1`` the sum with the bias, ``h1`` the new state. ``h`` has all states, (T, hidden), ``z`` the logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.network.axes import POSITION, TOKEN
from tui_backprop.engine.network.block_builder import TOKENS, Axis, TokenBuilder
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.layouts import slicing, stack
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.rnn.spec import RnnSpec

BIAS = arithmetic("add", (False, True))


@lru_cache(maxsize=32)
def graph_of(spec: RnnSpec) -> Graph:
    """Build the graph of a recurrent network."""
    return _Rnn(spec).whole()


class _Rnn(TokenBuilder):
    """Builds a graph, step by step."""

    def __init__(self, spec: RnnSpec) -> None:
        super().__init__(spec.context, spec.vocabulary, "tokens and weights")
        self._spec = spec
        self._unit: Axis = "unit", spec.hidden
        self._token: Axis = TOKEN, spec.vocabulary
        self._activation = elementwise(spec.activation, ACTIVATIONS[spec.activation], "function")

    def whole(self) -> Graph:
        """Build the graph."""
        self.parameter("Wx", "weight", self._token, self._unit)
        self.parameter("Wh", "weight", ("unit before", self._spec.hidden), self._unit)
        self.parameter("b", "bias", self._unit)
        states: list[str] = []
        for t in range(1, self._spec.context + 1):
            states.append(self._step(t, states[-1] if states else ""))
        return self.predicting(self._output(states))

    def _computed(
        self, primitive: Primitive, inputs: tuple[str, ...], name: str, axes: Sequence[str] = ("unit",)
    ) -> str:
        return self.operation(primitive, inputs, name, axes)

    def _step(self, t: int, before: str) -> str:
        """Compute the state of step ``t`` from the token there and the state ``before``."""
        self.begin(f"step {t}")
        at = slicing(((None, None, None), t - 1))
        token = self.operation(at, (TOKENS,), f"x{t}", (), classes=self._spec.vocabulary)
        total = self._computed(EMBEDDING, ("Wx", token), f"e{t}")
        if before:
            carried = self._computed(MATRIX_PRODUCT, (before, "Wh"), f"u{t}")
            total = self._computed(arithmetic("add"), (total, carried), f"v{t}")
        total = self._computed(BIAS, (total, "b"), f"s{t}")
        return self._computed(self._activation, (total,), f"h{t}")

    def _output(self, states: list[str]) -> str:
        self.begin("output")
        every = self._computed(stack(len(states)), tuple(states), "h", (POSITION, "unit"))
        weights = self.parameter("U", "weight", self._unit, self._token)
        bias = self.parameter("c", "bias", self._token)
        product = self._computed(MATRIX_PRODUCT, (every, weights), "y", (POSITION, TOKEN))
        return self._computed(BIAS, (product, bias), "z", (POSITION, TOKEN))
