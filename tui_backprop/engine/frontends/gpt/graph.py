"""From the specification of a GPT to its graph: every operation is an equation of its own.

Names, in block 1: ``E`` and ``P`` embed tokens and positions; ``h0`` is the residual stream that enters the block.
Attention: ``n1`` is the normalized stream; ``q1``, ``k1``, ``v1`` are queries, keys and values, ``Q1``, ``K1`` and
``V1`` the same by heads; ``S1`` are scores, ``C1`` the scaled ones, ``A1`` the attention weights; ``O1`` is what each
head gathers, ``g1`` what all gather, ``o1`` the output, and ``r1`` the stream behind it. MLP: ``m1`` is the
normalized stream, ``u1`` goes into the hidden units, ``a1`` comes out of them, ``d1`` is the output, and ``h1`` the
stream behind it. ``z`` are the logits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import BATCH, Block, Role, Value
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.embedding import EMBEDDING
from tui_backprop.engine.primitives.layouts import MERGE_HEADS, split_heads, transpose
from tui_backprop.engine.primitives.normalization import LAYER_NORM, RMS_NORM
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT
from tui_backprop.engine.primitives.softmax import softmax
from tui_backprop.engine.primitives.token_loss import TOKEN_LOSS

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.gpt.spec import GptSpec

HIDDEN = 4  # units of an MLP, times the width
TURNED = transpose((-1, -2))
KEYS_TURNED = transpose((-4, -3, -1, -2))  # of each head


@lru_cache(maxsize=32)
def graph_of(spec: GptSpec) -> Graph:
    """Build the graph of a GPT."""
    return _Gpt(spec).graph()


class _Gpt:
    """Builds a graph, block by block."""

    def __init__(self, spec: GptSpec) -> None:
        self._spec = spec
        self._build = Builder()
        self._blocks = [Block("tokens")]

    def graph(self) -> Graph:
        spec, build = self._spec, self._build
        build.give(Value("x", "input", (BATCH, spec.context), 0, "dx", classes=spec.vocabulary))
        stream = self._embedded()
        for k in range(1, spec.depth + 1):
            stream = self._attention(k, stream)
            stream = self._mlp(k, stream)
        output = self._output(stream)
        target = Value(
            "t", "target", (BATCH, spec.context), self._block, "dt", classes=spec.vocabulary, padded=True
        )
        build.give(target)
        loss = build.compute(TOKEN_LOSS, (output, target.name), "L", "loss", self._block, saved="p")
        return build.graph(self._blocks, output, loss)

    @property
    def _block(self) -> int:
        return len(self._blocks) - 1

    def _weight(self, name: str, *shape: int) -> str:
        return self._build.give(Value(name, "weight", shape, self._block, f"d{name}"))

    def _vector(self, name: str, role: Role) -> str:
        return self._build.give(Value(name, role, (self._spec.width,), self._block, f"d{name}"))

    def _compute(self, primitive: Primitive, inputs: tuple[str, ...], name: str, role: Role = "value") -> str:
        return self._build.compute(primitive, inputs, name, role, self._block)

    def _product(self, left: str, right: str, name: str) -> str:
        return self._compute(MATRIX_PRODUCT, (left, right), name)

    def _norm(self, stream: str, name: str) -> str:
        """Normalize the stream, with gain and shift if the norm has them."""
        if self._spec.norm == "rms":
            return self._compute(RMS_NORM, (stream,), name)
        roles: tuple[Role, ...] = "gain", "shift"
        vectors = [self._vector(f"{role}_{name}", role) for role in roles]
        return self._compute(LAYER_NORM, (stream, *vectors), name)

    def _embedded(self) -> str:
        spec = self._spec
        self._blocks.append(Block("embedding"))
        tokens = self._weight("E", spec.vocabulary, spec.width)
        positions = self._weight("P", spec.context, spec.width)
        embedded = self._compute(EMBEDDING, (tokens, "x"), "e")
        added = self._compute(arithmetic("add", (False, True)), (embedded, positions), "s")
        return self._norm(added, "h0")

    def _attention(self, k: int, stream: str) -> str:
        spec = self._spec
        self._blocks.append(Block(f"attention {k}"))
        heads = {}
        normalized = self._norm(stream, f"n{k}")
        for letter in "qkv":
            weight = self._weight(f"W{letter}{k}", spec.width, spec.width)
            projected = self._product(normalized, weight, f"{letter}{k}")
            heads[letter] = self._compute(split_heads(spec.heads), (projected,), f"{letter.upper()}{k}")
        turned = self._compute(KEYS_TURNED, (heads["k"],), f"KT{k}")
        scores = self._product(heads["q"], turned, f"S{k}")
        scale = self._constant((spec.width // spec.heads) ** -0.5)
        scaled = self._compute(arithmetic("multiply", (False, True)), (scores, scale), f"C{k}")
        weights = self._compute(softmax(causal=True), (scaled,), f"A{k}")
        gathered = self._product(weights, heads["v"], f"O{k}")
        merged = self._compute(MERGE_HEADS, (gathered,), f"g{k}")
        output = self._product(merged, self._weight(f"Wo{k}", spec.width, spec.width), f"o{k}")
        return self._compute(arithmetic("add"), (stream, output), f"r{k}")

    def _constant(self, number: float) -> str:
        text = f"{number:.6g}"
        return self._build.give(Value(text, "constant", (), 0, f"d{text}", constant=number))

    def _mlp(self, k: int, stream: str) -> str:
        spec = self._spec
        self._blocks.append(Block(f"MLP {k}"))
        normalized = self._norm(stream, f"m{k}")
        hidden = HIDDEN * spec.width
        units = self._product(normalized, self._weight(f"Wu{k}", spec.width, hidden), f"u{k}")
        activation = elementwise(spec.activation, ACTIVATIONS[spec.activation], "function")
        active = self._compute(activation, (units,), f"a{k}")
        output = self._product(active, self._weight(f"Wd{k}", hidden, spec.width), f"d{k}")
        return self._compute(arithmetic("add"), (stream, output), f"h{k}")

    def _output(self, stream: str) -> str:
        spec = self._spec
        self._blocks.append(Block("output"))
        if spec.tied:
            return self._product(stream, self._compute(TURNED, ("E",), "ET"), "z")
        return self._product(stream, self._weight("Wout", spec.width, spec.vocabulary), "z")
