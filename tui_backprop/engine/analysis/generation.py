"""Generate text: each next token is drawn from the distribution that the network predicts.

The draw of the token at a position depends on the seed, the series and the position alone, so that a text
can go on after any of its tokens, and the same texts come out on every machine (up to round-off in probabilities)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET
from tui_backprop.support.errors import InputError

DRAWS = 2**31  # first spawn key of the draws; layers, data and masks have smaller ones


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen: at ``temperature`` T from p^(1/T), normalized, at 0 the most likely one; by ``seed``
    and the number of a ``series`` of draws: each text has its own."""

    temperature: float = 1.0
    seed: int = 0
    series: int = 0

    def drawn_from(self, z: Array) -> Array:
        """Return the probabilities (V,) that a token is drawn with, from its logits ``z`` (V,)."""
        if not self.temperature:
            return np.asarray(np.arange(len(z)) == np.argmax(z), float)
        with np.errstate(under="ignore", over="ignore"):
            powers = np.exp((z - z.max()) / self.temperature)
        return np.asarray(powers / powers.sum())

    def draw(self, probabilities: Array, position: int) -> int:
        """Draw the token after a position: the first one whose cumulative probability exceeds a uniform number."""
        stream = np.random.SeedSequence(self.seed, spawn_key=(DRAWS, self.series, position))
        below = np.random.default_rng(stream).random()
        token = int(np.searchsorted(np.cumsum(probabilities), below, side="right"))
        return min(token, int(np.flatnonzero(probabilities)[-1]))


@dataclass(frozen=True, eq=False)
class Choice:
    """A generated ``token``, the probabilities ``p`` (V,) that the network predicts, and those that the token was
    ``drawn_from`` (V,)."""

    token: int
    p: Array
    drawn_from: Array


class Predictor:
    """A network that predicts the next token of one text at a time; ``boundary`` is the token before its first."""

    def __init__(self, spec: Model, parameters: Array, boundary: int) -> None:
        self.context, self.boundary = spec.context, boundary
        self._program = Program(spec.at_inference(), 1, parameters)

    def logits(self, text: Sequence[int]) -> Array:
        """Return the logits of the tokens at each position, (T, V), in float64, of which the first len(text) + 1
        depend on the text alone. Raises InputError where they are not finite."""
        graph, x = self._program.graph, np.full((1, self.context), self.boundary)
        x[0, 1 : len(text) + 1] = text[: self.context - 1]
        self._program.feed(x, np.full_like(x, NO_TARGET))
        with np.errstate(all="ignore"):
            self._program.forward()
        z = self._program.values[graph.output][0].astype(float)
        if not np.isfinite(z[: len(text) + 1]).all():
            raise InputError("network", "its logits are not finite, so that they predict no token")
        return np.asarray(z)

    def probabilities(self, text: Sequence[int]) -> Array:
        """Return the probabilities of each token after each position, (T, V)."""
        powers = np.exp((z := self.logits(text)) - z.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def choice(self, text: Sequence[int], sampling: Sampling) -> Choice:
        """Choose the token after a text of fewer than ``context`` tokens."""
        z = self.logits(text)[len(text)]
        drawn_from = sampling.drawn_from(z)
        return Choice(sampling.draw(drawn_from, len(text)), Sampling().drawn_from(z), drawn_from)

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[Choice]:
        """Choose tokens after a prompt, which may be empty, up to the boundary or the end of the context."""
        text = list(prompt)
        while len(text) < self.context:
            choice = self.choice(text, sampling)
            yield choice
            if choice.token == self.boundary:
                return
            text.append(choice.token)
