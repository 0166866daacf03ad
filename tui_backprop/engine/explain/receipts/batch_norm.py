"""Receipts of batch normalization: the statistics of a channel are shown as one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.explain.receipts.general import entry_index, entry_row, name_of, named_index
from tui_backprop.engine.explain.receipts.rows import ReceiptRow, product, summands
from tui_backprop.engine.explain.step import Step
from tui_backprop.engine.network.operation import Op
from tui_backprop.engine.network.tensor_names import TensorEntry, entry_name
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.normalization import NORMALIZATION_EPSILON
from tui_backprop.engine.training.iteration import Iteration


@dataclass(frozen=True)
class Channel:
    """A channel of a batch normalization."""

    iteration: Iteration
    op: Op
    number: int

    @property
    def saved(self) -> str:
        """The name of the standardized values."""
        return self.iteration.graph.by_name[self.op.output].saved

    @property
    def gradient(self) -> str:
        """The name of the cotangent of the output."""
        return self.iteration.graph.gradient_of(self.op.output)

    def of(self, name: str) -> Array:
        """Return the entries of an array in this channel, in all samples."""
        return np.asarray(self.iteration.tensor(name)[:, self.number], float)

    def parameter(self, i: int) -> tuple[str, float]:
        """Return the name and the value of the channel's entry of input ``i``, the gain or the shift."""
        name = self.op.inputs[i]
        return entry_name(name, (self.number,)), float(self.iteration.tensor(name)[self.number])

    def mean_over(self, name: str) -> str:
        values = self.of(self.op.inputs[0])
        return f"mean {name} of channel {self.number}, {values.size:,} entries"

    @property
    def deviation(self) -> ReceiptRow:
        """The row of the divisor."""
        value = float(self.iteration.program.caches[self.op.output].deviation[0, self.number, 0])
        variance = float(self.of(self.op.inputs[0]).var())
        label = f"deviation of channel {self.number}"
        return ReceiptRow("/", label, value, (variance,), f"√({{0}} + {NORMALIZATION_EPSILON:g})")


def forward(
    iteration: Iteration, step: Step, j: int, terms: int, s: int, asked: TensorEntry | None = None
) -> Sequence[ReceiptRow]:
    """Return the receipt of an entry of the output."""
    op = step.visits[-1].op
    index = entry_index(iteration, step.tensor, j, s, asked)
    channel, x = Channel(iteration, op, index[1]), op.inputs[0]
    return [
        entry_row(iteration, "+", x, index),
        ReceiptRow("-", channel.mean_over(x), float(channel.of(x).mean())),
        channel.deviation,
        ReceiptRow("*", *channel.parameter(1)),
        ReceiptRow("+", *channel.parameter(2)),
        entry_row(iteration, "=", op.output, index),
    ]


def to_input(
    iteration: Iteration, step: Step, j: int, terms: int, s: int, asked: TensorEntry | None = None
) -> Sequence[ReceiptRow]:
    """Return the receipt of the gradient of an entry of the input, which every entry of its channel adds to."""
    op = step.visits[-1].op
    index = entry_index(iteration, step.tensor, j, s, asked)
    channel = Channel(iteration, op, index[1])
    gain, factor = channel.parameter(1)
    h, v = channel.of(channel.gradient) * factor, channel.of(channel.saved)
    place = named_index(iteration, channel.gradient, index)
    outer = name_of(iteration, channel.gradient, index)
    given, standardized = (float(iteration.tensor(name)[index]) for name in (channel.gradient, channel.saved))
    return [
        product("+", f"{entry_name('h', place)} = {outer} · {gain}", given, factor),
        ReceiptRow("-", channel.mean_over("h"), float(h.mean())),
        product(
            "-", f"{name_of(iteration, channel.saved, index)} · mean(h ⊙ {channel.saved})", standardized,
            float((h * v).mean()),
        ),
        channel.deviation,
        entry_row(iteration, "=", step.tensor, index),
    ]  # fmt: skip


def to_gain(
    iteration: Iteration, step: Step, j: int, terms: int, s: int, asked: TensorEntry | None = None
) -> Sequence[ReceiptRow]:
    """Return the receipt of the gradient of a gain: a sum over all entries of its channel."""
    op = step.visits[-1].op
    index = entry_index(iteration, step.tensor, j, s, asked)
    channel = Channel(iteration, op, index[0])
    left, right = channel.of(channel.gradient), channel.of(channel.saved)

    def label(k: int) -> str:
        sample, *rest = map(int, np.unravel_index(k, left.shape))
        at = (sample, index[0], *rest)
        return f"{name_of(iteration, channel.gradient, at)} · {name_of(iteration, channel.saved, at)}"

    return [
        *summands(label, left.ravel(), right.ravel(), terms),
        entry_row(iteration, "=", step.tensor, index),
    ]
