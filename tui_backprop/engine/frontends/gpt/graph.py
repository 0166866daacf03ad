"""From the specification of a GPT to its graph: every operation is an equation of its own.

Names, in block 1: ``E`` and ``P`` embed tokens and positions; ``h0`` is the residual stream that enters the block.
Attention: ``n1`` is the normalized stream; ``q1``, ``k1``, ``v1`` are queries, keys and values, ``Q1``, ``K1`` and
``V1`` the same by heads; ``S1`` are scores, ``C1`` the scaled ones, ``A1`` the attention weights; ``O1`` is what each
head gathers, ``g1`` what all gather, ``o1`` the output, and ``r1`` the stream behind it. MLP: ``m1`` is the
normalized stream, ``u1`` goes into the hidden units, ``a1`` comes out of them, ``d1`` is the output, and ``h1`` the
stream behind it. ``z`` are the logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.network.axes import HEAD, LOOKED_AT, POSITION, TOKEN
from tui_backprop.engine.network.block_builder import TOKENS, Axis, TokenBuilder
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.value import Role, Value
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.layouts import MERGE_HEADS, split_heads, transpose
from tui_backprop.engine.primitives.normalization import LAYER_NORM, RMS_NORM
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT
from tui_backprop.engine.primitives.softmax import softmax

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.gpt.spec import GptSpec

HIDDEN = 4  # units of an MLP, times the width
TURNED = transpose((-1, -2))
KEYS_TURNED = transpose((-4, -3, -1, -2))  # of each head
STREAM = POSITION, "channel"
GATHERED, OF_HEAD = "gathered channel", "head channel"
PROJECTED = {"q": "query channel", "k": "key channel", "v": "value channel"}


@lru_cache(maxsize=32)
def graph_of(spec: GptSpec) -> Graph:
    """Build the graph of a GPT."""
    return _Gpt(spec).whole()


class _Gpt(TokenBuilder):
    """Builds a graph, block by block."""

    def __init__(self, spec: GptSpec) -> None:
        super().__init__(spec.context, spec.vocabulary)
        self._spec = spec

    def whole(self) -> Graph:
        """Build the graph."""
        stream = self._embedded()
        for k in range(1, self._spec.depth + 1):
            stream = self._attention(k, stream)
            stream = self._mlp(k, stream)
        return self.predicting(self._output(stream))

    def _weight(self, name: str, *sizes: Axis) -> str:
        return self.parameter(name, "weight", *sizes)

    def _computed(
        self, primitive: Primitive, inputs: tuple[str, ...], name: str, axes: Sequence[str] = STREAM
    ) -> str:
        saved = f"{primitive.saved}_{name}" if primitive.saved else ""
        return self.operation(primitive, inputs, name, axes, saved)

    def _product(self, left: str, right: str, name: str, axes: Sequence[str] = STREAM) -> str:
        return self._computed(MATRIX_PRODUCT, (left, right), name, axes)

    @property
    def _channels(self) -> Axis:
        return "channel", self._spec.width

    def _norm(self, stream: str, name: str) -> str:
        """Normalize the stream, with gain and shift if the norm has them."""
        if self._spec.norm == "rms":
            return self._computed(RMS_NORM, (stream,), name)
        roles: tuple[Role, ...] = "gain", "shift"
        vectors = [self.parameter(f"{role}_{name}", role, self._channels) for role in roles]
        return self._computed(LAYER_NORM, (stream, *vectors), name)

    def _embedded(self) -> str:
        spec = self._spec
        self.begin("embedding")
        tokens = self._weight("E", (TOKEN, spec.vocabulary), self._channels)
        positions = self._weight("P", (POSITION, spec.context), self._channels)
        embedded = self._computed(EMBEDDING, (tokens, TOKENS), "e")
        added = self._computed(arithmetic("add", (False, True)), (embedded, positions), "s")
        return self._norm(added, "h0")

    def _attention(self, k: int, stream: str) -> str:
        spec = self._spec
        self.begin(f"attention {k}")
        heads = {}
        normalized = self._norm(stream, f"n{k}")
        for letter, axis in PROJECTED.items():
            weight = self._weight(f"W{letter}{k}", self._channels, (axis, spec.width))
            projected = self._product(normalized, weight, f"{letter}{k}", (POSITION, axis))
            split, name = split_heads(spec.heads), f"{letter.upper()}{k}"
            heads[letter] = self._computed(split, (projected,), name, (HEAD, POSITION, OF_HEAD))
        turned = self._computed(KEYS_TURNED, (heads["k"],), f"KT{k}", (HEAD, OF_HEAD, POSITION))
        attention = HEAD, POSITION, LOOKED_AT
        scores = self._product(heads["q"], turned, f"S{k}", attention)
        scale = self._constant((spec.width // spec.heads) ** -0.5)
        scaled = self._computed(arithmetic("multiply", (False, True)), (scores, scale), f"C{k}", attention)
        weights = self._computed(softmax(causal=True), (scaled,), f"A{k}", attention)
        gathered = self._product(weights, heads["v"], f"O{k}", (HEAD, POSITION, OF_HEAD))
        merged = self._computed(MERGE_HEADS, (gathered,), f"g{k}", (POSITION, GATHERED))
        weight = self._weight(f"Wo{k}", (GATHERED, spec.width), self._channels)
        output = self._product(merged, weight, f"o{k}")
        return self._computed(arithmetic("add"), (stream, output), f"r{k}")

    def _constant(self, number: float) -> str:
        text = f"{number:.6g}"
        return self.give(Value(text, "constant", (), 0, f"d{text}", constant=number))

    def _mlp(self, k: int, stream: str) -> str:
        spec = self._spec
        self.begin(f"MLP {k}")
        normalized = self._norm(stream, f"m{k}")
        hidden = "hidden unit", HIDDEN * spec.width
        by_unit = POSITION, hidden[0]
        units = self._product(normalized, self._weight(f"Wu{k}", self._channels, hidden), f"u{k}", by_unit)
        activation = elementwise(spec.activation, ACTIVATIONS[spec.activation], "function")
        active = self._computed(activation, (units,), f"a{k}", by_unit)
        output = self._product(active, self._weight(f"Wd{k}", hidden, self._channels), f"d{k}")
        return self._computed(arithmetic("add"), (stream, output), f"h{k}")

    def _output(self, stream: str) -> str:
        spec = self._spec
        self.begin("output")
        if spec.tied:
            weight = self._computed(TURNED, ("E",), "ET", ("channel", TOKEN))
        else:
            weight = self._weight("Wout", self._channels, (TOKEN, spec.vocabulary))
        return self._product(stream, weight, "z", (POSITION, TOKEN))
