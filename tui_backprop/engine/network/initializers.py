"""The initial parameters, drawn in blocks on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from tui_backprop.engine.network.initializer_rules import INITIALIZERS, parse_init
from tui_backprop.engine.network.model import Model
from tui_backprop.engine.primitives import Array
from tui_backprop.support.cores import usable_cores
from tui_backprop.support.starting import done_in_threads

STREAM_BLOCK = 2**20  # weights drawn from one stream

Watch = Callable[[int, int], None]  # (weights drawn, weights in all)


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True)
class Block:
    """Rows of a layer's weights that are drawn from one stream."""

    weights: Array
    std: float
    seed: int
    key: tuple[int, ...]

    def draw(self) -> int:
        """Fill the rows one at a time, so that no second copy is needed; return the number of weights."""
        stream = _stream(self.seed, *self.key)
        with np.errstate(over="ignore"):  # infinite weights are reported where they appear
            for row in self.weights:
                np.multiply(stream.standard_normal(len(row)), self.std, out=row, casting="same_kind")
        return self.weights.size


def _blocks(weights: Array, std: float, seed: int, key: tuple[int, ...]) -> Iterator[Block]:
    rows = max(1, STREAM_BLOCK // weights.shape[1])
    for number, start in enumerate(range(0, len(weights), rows)):
        yield Block(weights[start : start + rows], std, seed, (*key, number) if number else key)


@np.errstate(over="ignore")  # a constant beyond the range of the precision is infinite
def initial_parameters(spec: Model, watch: Watch = lambda done, of: None) -> Array:
    """Draw the initial parameters, flat, shape (P,): the same for a seed on every machine and in every precision.

    Biases and shifts are 0, gains 1; parameters with numbers of their own have those. Each layer draws from its own
    streams, one for each block of about a million weights of each tensor, so that changing one layer leaves the
    weights of the others unchanged, and all cores can draw at once.
    ``watch`` is called with the progress; an exception that it raises ends the work. (Orthogonal weights depend on
    LAPACK, so on another machine their last digit may differ.)"""
    flat = np.zeros(spec.parameters, spec.dtype)
    name, value = parse_init(spec.init)
    row = INITIALIZERS[name]
    weights: dict[tuple[int, ...], tuple[Array, tuple[int, int]]] = {}
    for key, array in spec.graph.views(flat).items():
        if (read := spec.graph.by_name[key].read) is not None:
            np.copyto(array, read(), casting="same_kind")
        elif given := spec.graph.by_name[key].numbers:
            array[...] = np.reshape(given, array.shape)
        elif spec.graph.is_weight(key):
            weights[_stream_key(spec.graph.block(key), weights)] = _matrix(array)
        elif spec.graph.role(key) == "gain":
            array.fill(1)
    total = sum(w.size for w, _ in weights.values())
    if row.fill:
        done = 0
        for at, (w, _) in weights.items():
            row.fill(w, partial(_stream, spec.seed, *at), value)
            done += w.size
            watch(done, total)
    elif row.deviation:
        blocks: list[Block] = []
        for at, (w, fans) in weights.items():
            blocks += _blocks(w, row.deviation(*fans, value), spec.seed, at)
        _draw_all(blocks, total, watch)
    return flat


def _matrix(w: Array) -> tuple[Array, tuple[int, int]]:
    """Return weights as a matrix, and how many entries go into and out of a unit: of kernels (out, in, *kernel) a
    matrix with a row for each, as in PyTorch."""
    if w.ndim == 2:
        return w, (w.shape[0], w.shape[1])
    return w.reshape(len(w), -1), (w[0].size, len(w) * w[0, 0].size)


def _stream_key(block: int, taken: Mapping[tuple[int, ...], object]) -> tuple[int, ...]:
    """Return the key of the streams of a tensor: the number of its block, with 0 and its own number in that if it is
    not the first one (0 is the number of no part of a tensor that has a key)."""
    number = sum(key[0] == block for key in taken)
    return (block, 0, number) if number else (block,)


def _draw_all(blocks: list[Block], total: int, watch: Watch) -> None:
    done = 0
    if total <= STREAM_BLOCK:  # drawing takes less time than starting threads
        for block in blocks:
            done += block.draw()
            watch(done, total)
        return
    for drawn in done_in_threads([block.draw for block in blocks], usable_cores()):
        done += drawn
        watch(done, total)
