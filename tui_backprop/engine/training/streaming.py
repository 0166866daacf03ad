"""The backward pass of a network whose gradient does not fit into memory: weight gradients are computed in tiles.

A tile is some rows of dW, computed by the same rules as the whole from the matching rows of the inputs. A consumer
gets each tile, and the next one reuses its memory. A pass needs the parameters and a few vectors, but no second
array of P numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tui_backprop.engine.arrays.norms import safe
from tui_backprop.engine.arrays.top_k import Top
from tui_backprop.engine.network.model import TILE, Model
from tui_backprop.engine.network.nonfinite import NonFinite, bad_gradient, bad_output, nonfinite_inputs
from tui_backprop.engine.network.operation import Visit
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.shared_pass import by_rows, rows_of
from tui_backprop.engine.primitives import Array, size
from tui_backprop.engine.training.iteration import feed
from tui_backprop.support.running_clock import running_clock

# (name such as W2, first row, tile of shape (rows, fan_out))
TileConsumer = Callable[[str, int, Array], None]


class StreamedProgram(Program):
    """A program that computes the gradients of its weight matrices in tiles and does not store them; those that do
    not consist of rows, such as of a convolution's kernels, are computed whole and kept."""

    def __init__(self, spec: Model, batch: int, parameters: Array) -> None:
        graph = spec.graph
        self._streamed = frozenset(
            name
            for name in filter(graph.is_weight, graph.trained)
            if all(map(by_rows, graph.visits_of.get(name, ())))
        )
        super().__init__(spec, batch, parameters)
        widest = max((graph.parameters[name][-1] for name in self._streamed), default=1)
        self._tile, self._term = (np.empty(max(TILE, widest), self.dtype) for _ in range(2))
        self.cotangents = self._cotangents({})

    def stages(self, consume: TileConsumer) -> Iterator[tuple[str, int]]:
        """Run the backward pass after ``forward``; after each value, yield its name and the layer that it is of.

        ``consume`` gets the weight gradients tile by tile; a tile is overwritten once the call returns.
        """
        for written, group in groupby(self.graph.backward_visits, lambda visit: visit.writes):
            visits = tuple(group)
            with np.errstate(all="ignore"):
                if written in self._streamed:
                    self._stream(written, visits, consume)
                else:
                    for rule, arguments in self.backward_calls(visits):
                        rule(*arguments)
            block = self.graph.block(written) if written in self._streamed else visits[0].op.block
            yield written, block

    def _stream(self, name: str, visits: tuple[Visit, ...], consume: TileConsumer) -> None:
        fan_in, fan_out = self.shapes[name]
        height = max(1, TILE // fan_out)
        for start in range(0, fan_in, height):
            rows = slice(start, min(start + height, fan_in))
            shape = rows.stop - start, fan_out
            tile, term = (room[: size(shape)].reshape(shape) for room in (self._tile, self._term))
            for visit in visits:
                rule, arguments = self.vjp(visit)
                rule(term if visit.adds else tile, *rows_of(visit, arguments, rows))
                if visit.adds:
                    np.add(tile, term, out=tile)
            consume(name, start, tile)


@dataclass(frozen=True)
class Largest:
    """An entry of a weight gradient."""

    row: int
    column: int
    value: float


class Digest:
    """Statistics of a weight gradient that is computed in tiles: its Euclidean norm, the number of entries that are
    NaN or infinite, and the ``most`` entries of largest absolute value, in descending order."""

    def __init__(self, most: int) -> None:
        self.bad = 0
        self._norm = 0.0
        self._top = Top(most)
        self._columns = 1

    @property
    def norm(self) -> float:
        """Euclidean norm; NaN if an entry is NaN or infinite."""
        return float("nan") if self.bad else self._norm

    @property
    def largest(self) -> tuple[Largest, ...]:
        entries = zip(self._top.places.tolist(), self._top.values.tolist(), strict=True)
        return tuple(Largest(*divmod(place, self._columns), value) for place, value in entries)

    def add(self, first_row: int, tile: Array) -> None:
        flat, self._columns = tile.reshape(-1), tile.shape[1]
        high, low = float(flat.max()), float(flat.min())
        peak = max(high, -low)
        if not np.isfinite(peak) or high != high:
            self.bad += flat.size - int(np.isfinite(flat).sum())
            flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
            peak = float(np.abs(flat).max())
        if peak:
            scaled = flat if safe(peak) else flat / peak
            norm = math.sqrt(float(np.dot(scaled, scaled))) * (1.0 if scaled is flat else peak)
            self._norm = math.hypot(self._norm, norm)
        self._top.add(first_row * self._columns, flat, peak)


@dataclass(frozen=True)
class LayerReport:
    """One layer of a streamed pass: seconds of its operations forward and backward, the norms of a and delta,
    and the weight gradient's digest."""

    layer: int
    shape: tuple[int, ...]
    forward: float
    backward: float
    activation_norm: float
    delta_norm: float
    gradient_norm: float
    bad: int
    largest: tuple[Largest, ...]


@dataclass(frozen=True)
class StreamReport:
    """A whole streamed pass; ``forward`` and ``backward`` are in seconds. ``reason`` says what is not finite."""

    loss: float
    forward: float
    backward: float
    layers: tuple[LayerReport, ...]
    reason: str | None = None


def stream_pass(
    spec: Model,
    x: Array,
    target: Array,
    parameters: Array,
    *,
    most: int = 5,
    watch: Callable[[str, int], Any] = lambda phase, layer: None,
) -> StreamReport:
    """Run the forward and backward pass of a batch without storing the weight gradients, and report on it.

    ``watch`` is called with the phase and the layer completed last, and may raise to cancel.
    """
    program = StreamedProgram(spec, len(x), parameters)
    feed(program, x, target, 0)
    graph = program.graph
    layers = range(1, graph.depth + 1)
    forward, backward = dict.fromkeys(layers, 0.0), dict.fromkeys(layers, 0.0)
    digests = {layer: Digest(most) for layer in layers}

    bad: NonFinite | None = None
    visits = {visit.writes: visit for visit in reversed(graph.backward_visits)}  # the first that writes each
    with running_clock() as clock:
        before = clock()
        for op, _ in zip(program.ops, program.steps(), strict=True):
            now = clock()
            layer = graph.block(op.inputs[1]) if op.primitive.kind == "penalty" else op.block
            forward[layer] += now - before
            bad = bad or bad_output(graph, op, program.values[op.output])
            watch("forward", op.block)
            before = clock()
        for written, layer in program.stages(
            lambda name, row, tile: digests[graph.block(name)].add(row, tile)
        ):
            now = clock()
            backward[layer] += now - before
            if written in program.cotangents:
                bad = bad or bad_gradient(graph, visits[written], program.cotangents[written])
            watch("backward", layer)
            before = clock()

    reports = []
    for layer in layers:
        values = program.values[graph.output_of(layer)]
        digest = digests[layer]
        reports.append(
            LayerReport(
                layer=layer,
                shape=graph.parameters[graph.weight(layer)],
                forward=forward[layer],
                backward=backward[layer],
                activation_norm=_norm(values),
                delta_norm=_norm(program.cotangents[graph.preactivation(layer)]),
                gradient_norm=digest.norm,
                bad=digest.bad,
                largest=digest.largest,
            )
        )
    loss = float(program.values[graph.loss])
    bad = (nonfinite_inputs(program) or bad) if bad else bad
    spoiled = next((layer for layer in layers if digests[layer].bad), None)
    reason = bad.why if bad else None
    if not bad and spoiled:
        reason = f"{graph.gradient_of(graph.weight(spoiled))} has NaN or infinite entries"
    return StreamReport(loss, sum(forward.values()), sum(backward.values()), tuple(reports), reason)


def _norm(values: Array) -> float:
    digest = Digest(0)
    digest.add(0, values)
    return digest.norm
