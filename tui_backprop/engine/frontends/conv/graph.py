"""From the specification of a convolutional network to its graph: every operation is an equation of its own.

Names: ``x`` holds the images as rows, ``X`` as images. Stage k has the kernels ``Wk``, the convolution ``uk``, and
``zk`` with the bias ``bk``; with batch normalization, ``zk`` is ``vk``, which is standardized, with the gains ``γk``
and shifts ``βk``. ``ak`` is the activation and ``pk`` what is pooled of it. ``f`` are the last images as rows. Dense
layer k goes on with ``Wk``, ``uk``, ``bk``, ``zk``, ``ak``; the last ``zk`` are the logits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.network.axes import CLASS, COLUMN, KERNEL_COLUMN, KERNEL_ROW, PIXEL, ROW
from tui_backprop.engine.network.block_builder import BlockBuilder
from tui_backprop.engine.network.graph import Graph
from tui_backprop.engine.network.value import BATCH, Value
from tui_backprop.engine.primitives.activations import ACTIVATIONS
from tui_backprop.engine.primitives.arithmetic import arithmetic
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
FEATURE = "feature"  # of the last images, as a row


@lru_cache(maxsize=32)
def graph_of(spec: ConvSpec) -> Graph:
    """Build the graph of a convolutional network."""
    return _Network(spec).whole()


class _Network(BlockBuilder):
    """Builds a graph, stage by stage."""

    def __init__(self, spec: ConvSpec) -> None:
        super().__init__("images")
        self._spec = spec
        self._activation = elementwise(spec.activation, ACTIVATIONS[spec.activation], "function")

    def whole(self) -> Graph:
        """Build the graph."""
        spec, pixels = self._spec, (BATCH, size(self._spec.image))
        at = self.give(Value("x", "input", pixels, 0, "dx", wanted=spec.input_gradient, axes=(PIXEL,)))
        at = self.operation(reshape((BATCH, *spec.image)), (at,), "X", (_channel(0), ROW, COLUMN))
        for k in range(1, len(spec.channels) + 1):
            at = self._stage(k, at)
        for k in range(len(spec.dense) + 1):
            at = self._dense(k, at)
        target = Value("t", "target", (BATCH,), self.block, "dt", classes=spec.classes)
        return self.ended(LOSSES["cross-entropy"], at, target)

    def _stage(self, k: int, images: str) -> str:
        """Add convolution ``k``, and all that follows up to the next one."""
        spec, channels = self._spec, self._spec.channels[k - 1]
        kernel, stride, padding = (spec.of_stage(name, k) for name in ("kernel", "stride", "padding"))
        self.begin(f"conv {k}")
        own = _channel(k)
        maps, each = (own, ROW, COLUMN), (own, channels)
        window = (_channel(k - 1), self.shape(images)[1]), (KERNEL_ROW, kernel), (KERNEL_COLUMN, kernel)
        kernels = self.parameter(f"W{k}", "weight", each, *window)
        at = self.operation(conv2d(stride, padding), (images, kernels), f"u{k}", maps)
        if spec.batch_norm:
            gain = self.parameter(f"γ{k}", "gain", each)
            shift = self.parameter(f"β{k}", "shift", each)
            at = self.operation(BATCH_NORM, (at, gain, shift), f"z{k}", maps, f"v{k}")
        else:
            bias = self.parameter(f"b{k}", "bias", each)
            at = self.operation(channel_bias_add(), (at, bias), f"z{k}", maps)
        at = self.operation(self._activation, (at,), f"a{k}", maps)
        return at if spec.pooling == "none" else self.operation(POOLING[spec.pooling], (at,), f"p{k}", maps)

    def _dense(self, layer: int, units: str) -> str:
        """Add the dense layer after so many others; the last one has no activation."""
        spec, last = self._spec, layer == len(self._spec.dense)
        k = len(spec.channels) + layer + 1
        self.begin("output" if last else f"dense {k}")
        before = f"unit of dense {k - 1}" if layer else FEATURE
        unit = CLASS if last else f"unit of dense {k}"
        if not layer:
            units = self.operation(reshape((BATCH, spec.widths[0])), (units,), "f", (FEATURE,))
        inward, outward = spec.widths[layer : layer + 2]
        weights = self.parameter(f"W{k}", "weight", (before, inward), (unit, outward))
        product = self.operation(MATRIX_PRODUCT, (units, weights), f"u{k}", (unit,))
        bias = self.parameter(f"b{k}", "bias", (unit, outward))
        at = self.operation(arithmetic("add", (False, True)), (product, bias), f"z{k}", (unit,))
        return at if last else self.operation(self._activation, (at,), f"a{k}", (unit,))


def _channel(k: int) -> str:
    """Return the axis of the channels that convolution ``k`` makes; 0 for those of the images."""
    return f"channel of conv {k}" if k else "channel of the image"
