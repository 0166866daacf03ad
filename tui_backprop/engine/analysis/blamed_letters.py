"""Which of the tokens before a prediction are to blame for its loss: to first order, and by replacing each of them.

Both are changes of the loss when the token is replaced by each other one but the boundary, in the mean. To first
order a replacement changes it by Σ (e′ − e) ∂L/∂e over the channels of the embeddings (HotFlip, Ebrahimi et al.
2018), which one backward pass gives for all of them; the actual change takes a forward pass for each. Targets stay as
they are. The boundary before a text is replaced by letters as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tui_backprop.engine.arrays.rank_correlation import rank_correlation
from tui_backprop.engine.arrays.types import size
from tui_backprop.engine.network.model import ITEMSIZE, Model
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.primitives.token_loss import NO_TARGET

FEWEST = 3  # letters, for a rank correlation to mean something
PASS_BYTES = 32 * 2**20  # bytes for the values of a pass over many texts


@dataclass(frozen=True)
class Replaced:
    """Actual changes of the loss when a token is replaced by each other one but the boundary: their ``mean``, the
    ``largest`` in magnitude and the token ``by`` which it comes about; by the ``boundary``, None for that itself."""

    mean: float
    largest: float
    by: int
    boundary: float | None


@dataclass(frozen=True)
class BlamedLetter:
    """The ``token`` at a ``position``: the mean change of the loss when it is replaced, to ``first_order`` and
    actual, ``replaced``, None where that is not computed; the ``norm`` of ∂L/∂e. Above 0 the token helps."""

    position: int
    token: int
    first_order: float
    norm: float
    replaced: Replaced | None = None

    @property
    def disagreement(self) -> float:
        """The distance of the actual mean change from that to first order; 0 if not computed."""
        return abs(self.replaced.mean - self.first_order) if self.replaced else 0.0


Letters = tuple[BlamedLetter, ...]


def target_at(t: Array, position: int) -> Array:
    """Return targets ``t`` (T,) with that of one position alone."""
    return np.where(np.arange(len(t)) == position, t, NO_TARGET)


def blamed_letters(spec: Model, parameters: Array, x: Array, t: Array, boundary: int) -> Iterator[Letters]:
    """Rank the tokens ``x`` (T,) up to the last one with a target by their blame for the mean loss over the targets
    ``t`` (T,), in the order of their positions.

    Yields first what one backward pass gives, then the same with one token after the other replaced. Raises
    ValueError if there is no target."""
    if not (t != NO_TARGET).any():
        raise ValueError("a position with a target is required")
    spec = spec.at_inference()
    program = Program(spec, 1, parameters)
    program.feed(x[None], t[None])
    with np.errstate(all="ignore"):
        loss = float(program.forward())
        program.backward()
    ops = [op for op in program.ops if op.primitive.kind == "embedding"]
    table = program.values[ops[0].inputs[0]]
    embedded, slope = (
        np.concatenate([arrays[op.output].reshape(-1, table.shape[1]) for op in ops])
        for arrays in (program.values, program.cotangents)
    )
    tokens = x[: int(np.flatnonzero(t != NO_TARGET)[-1]) + 1].tolist()
    everything = np.arange(len(table))
    replacements = [everything[(everything != token) & (everything != boundary)] for token in tokens]
    letters = tuple(
        BlamedLetter(
            i,
            token,
            float((table[replacements[i]].mean(0) - embedded[i]) @ slope[i]),
            float(np.linalg.norm(slope[i])),
        )
        for i, token in enumerate(tokens)
    )
    yield letters
    losses = _Losses(spec, parameters, t)
    for i, (letter, others) in enumerate(zip(letters, replacements, strict=True)):
        ends = () if letter.token == boundary else (boundary,)
        changes = losses.with_tokens(x, i, [*others, *ends]) - loss
        real, largest = changes[: len(others)], int(np.argmax(np.abs(changes[: len(others)])))
        found = Replaced(
            float(real.mean()),
            float(real[largest]),
            int(others[largest]),
            float(changes[-1]) if ends else None,
        )
        letters = (*letters[:i], replace(letter, replaced=found), *letters[i + 1 :])
        yield letters


def agreement(letters: Sequence[BlamedLetter]) -> float:
    """Return Spearman's ρ of the mean changes to first order and the actual ones, with their signs: −1 where one
    ranks the letters the other way round. NaN where fewer than ``FEWEST`` are known."""
    known = [(each.first_order, each.replaced.mean) for each in letters if each.replaced]
    return rank_correlation(*zip(*known, strict=True)) if len(known) >= FEWEST else float("nan")


def same_signs(letters: Sequence[BlamedLetter]) -> int:
    """Count the letters whose actual mean change has the sign of that to first order."""
    return sum(each.replaced is not None and each.first_order * each.replaced.mean > 0 for each in letters)


class _Losses:
    """Losses of many texts with the same targets, in passes of a bounded size."""

    def __init__(self, spec: Model, parameters: Array, t: Array) -> None:
        self._spec, self._parameters, self._t = spec, parameters, t
        graph = spec.graph
        values = sum(size(shape) for name, shape in graph.shapes(1).items() if name not in graph.parameters)
        self._most = max(PASS_BYTES // (2 * ITEMSIZE[spec.dtype] * values), 1)
        self._program: Program | None = None

    def with_tokens(self, x: Array, position: int, tokens: Sequence[int]) -> Array:
        """Return the loss of ``x`` (T,) with each of the tokens at a position, (tokens,)."""
        texts = np.repeat(x[None], len(tokens), axis=0)
        texts[:, position] = tokens
        parts = [texts[i : i + self._most] for i in range(0, len(texts), self._most)]
        return np.concatenate([self._losses(part) for part in parts])

    def _losses(self, texts: Array) -> Array:
        n = len(texts)
        if self._program is None or self._program.batch != n:
            self._program = Program(self._spec, n, self._parameters)
        program, graph = self._program, self._spec.graph
        program.feed(texts, np.repeat(self._t[None], n, axis=0))
        with np.errstate(all="ignore"):
            program.forward()
        each = program.caches[graph.loss_op.output].each.reshape(n, -1)
        return np.asarray(each.sum(1) / (self._t != NO_TARGET).sum(), float)
