"""From the specification of a convolutional network to its graph: every operation is an equation of its own.

Names: ``x`` holds the images as rows, ``X`` as images. Stage k has the kernels ``Wk``, the convolution ``uk``, and
``zk`` with the bias ``bk``; with batch normalization, ``zk`` is ``vk``, which is standardized, with the gains ``γk``
and shifts ``βk``. ``ak`` is the activation and ``pk`` what is pooled of it. ``f`` are the last images as rows. Dense
layer k goes on with ``Wk``, ``uk``, ``bk``, ``zk``, ``ak``; the last ``zk`` are the logits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.arrays.types import Shape
from tui_backprop.engine.network.axes import CLASS, COLUMN, PIXEL, ROW
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.graph_builder import Builder
from tui_backprop.engine.network.value import BATCH, Block, Role, Value
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
from tui_backprop.engine.primitives.base import Primitive
from tui_backprop.engine.primitives.batch_norm import BATCH_NORM
from tui_backprop.engine.primitives.convolution import channel_bias_add, conv2d
from tui_backprop.engine.primitives.elementwise import elementwise
from tui_backprop.engine.primitives.layouts import reshape
from tui_backprop.engine.primitives.losses import LOSSES
from tui_backprop.engine.primitives.pooling import average_pooling, max_pooling
from tui_backprop.engine.primitives.products import MATRIX_PRODUCT

if TYPE_CHECKING:
    from tui_backprop.engine.frontends.conv.spec import ConvSpec

POOLING = {"max": max_pooling((2, 2)), "average": average_pooling((2, 2))}
LOSS = LOSSES["cross-entropy"]
FEATURE = "feature"  # of the last images, as a row


@lru_cache(maxsize=32)
def graph_of(spec: ConvSpec) -> Graph:
    """Build the graph of a convolutional network."""
    return _Network(spec).graph()


class _Network:
    """Builds a graph, stage by stage."""

    def __init__(self, spec: ConvSpec) -> None:
        self._spec = spec
        self._build = Builder()
        self._blocks = [Block("images")]
        self._activation = elementwise(spec.activation, ACTIVATIONS[spec.activation], "function")

    def graph(self) -> Graph:
        spec, build = self._spec, self._build
        pixels = (BATCH, spec.image[0] * spec.image[1] * spec.image[2])
        at = build.give(Value("x", "input", pixels, 0, "dx", wanted=spec.input_gradient, axes=(PIXEL,)))
        at = self._compute(reshape((BATCH, *spec.image)), (at,), "X", (_channel(0), ROW, COLUMN))
        for k in range(1, len(spec.channels) + 1):
            at = self._stage(k, at)
        for k in range(len(spec.dense) + 1):
            at = self._dense(k, at)
        target = build.give(Value("t", "target", (BATCH,), self._block, "dt", classes=spec.classes))
        loss = build.compute(LOSS, (at, target), "L", "loss", self._block, saved="p")
        return build.graph(self._blocks, at, loss)

    @property
    def _block(self) -> int:
        return len(self._blocks) - 1

    def _give(self, name: str, role: Role, shape: Shape, axes: tuple[str, ...]) -> str:
        return self._build.give(Value(name, role, shape, self._block, f"d{name}", axes=axes))

    def _compute(
        self, row: Primitive, inputs: tuple[str, ...], name: str, axes: tuple[str, ...], saved: str = ""
    ) -> str:
        return self._build.compute(row, inputs, name, "value", self._block, saved=saved, axes=axes)

    def _stage(self, k: int, images: str) -> str:
        """Add convolution ``k``, and all that follows up to the next one."""
        spec, channels = self._spec, self._spec.channels[k - 1]
        kernel, stride, padding = (spec.of_stage(name, k) for name in ("kernel", "stride", "padding"))
        before: Shape = self._build.shape(images)
        self._blocks.append(Block(f"conv {k}"))
        own = _channel(k)
        maps, each = (own, ROW, COLUMN), (own,)
        shape, of_kernels = (channels, before[1], kernel, kernel), (own, _channel(k - 1), ROW, COLUMN)
        kernels = self._give(f"W{k}", "weight", shape, of_kernels)
        at = self._compute(conv2d(stride, padding), (images, kernels), f"u{k}", maps)
        if spec.batch_norm:
            gain = self._give(f"γ{k}", "gain", (channels,), each)
            shift = self._give(f"β{k}", "shift", (channels,), each)
            at = self._compute(BATCH_NORM, (at, gain, shift), f"z{k}", maps, f"v{k}")
        else:
            bias = self._give(f"b{k}", "bias", (channels,), each)
            at = self._compute(channel_bias_add(), (at, bias), f"z{k}", maps)
        at = self._compute(self._activation, (at,), f"a{k}", maps)
        return at if spec.pooling == "none" else self._compute(POOLING[spec.pooling], (at,), f"p{k}", maps)

    def _dense(self, layer: int, units: str) -> str:
        """Add the dense layer after so many others; the last one has no activation."""
        spec, last = self._spec, layer == len(self._spec.dense)
        k = len(spec.channels) + layer + 1
        self._blocks.append(Block("output" if last else f"dense {k}"))
        before = f"unit of dense {k - 1}" if layer else FEATURE
        each = (CLASS if last else f"unit of dense {k}",)
        if not layer:
            units = self._compute(reshape((BATCH, spec.widths[0])), (units,), "f", (FEATURE,))
        weights = self._give(f"W{k}", "weight", spec.widths[layer : layer + 2], (before, *each))
        product = self._compute(MATRIX_PRODUCT, (units, weights), f"u{k}", each)
        bias = self._give(f"b{k}", "bias", spec.widths[layer + 1 : layer + 2], each)
        at = self._compute(arithmetic("add", (False, True)), (product, bias), f"z{k}", each)
        return at if last else self._compute(self._activation, (at,), f"a{k}", each)


def _channel(k: int) -> str:
    """Return the axis of the channels that convolution ``k`` makes; 0 for those of the images."""
    return f"channel of conv {k}" if k else "channel of the image"
