"""Outputs of a network at many points: forward passes in chunks, for pictures and scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tui_backprop.engine.network.model import Model
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.primitives import Array

SAMPLES_PER_PASS = 4096  # samples in a pass
PASS_BYTES = 32 * 2**20  # bytes for a pass, besides its parameters


class Outputs(NamedTuple):
    """Outputs ``z`` (n, outputs) of the last layer; ``p`` of the same shape: the loss's own softmax or sigmoid of
    them, None if it has none."""

    z: Array
    p: Array | None


def at_once(spec: Model, most: int = SAMPLES_PER_PASS) -> int:
    """Return the number of samples per forward pass: ``most``, or as many as fit into PASS_BYTES, at least 1."""
    each = spec.streamed_memory(2) - spec.streamed_memory(1)
    return max(min(most, PASS_BYTES // each), 1)


def passes(
    spec: Model, parameters: Array, x: Array, target: Array, most: int = SAMPLES_PER_PASS
) -> Iterator[Program]:
    """Run forward passes over ``x`` (n, inputs) in order, chunk by chunk, without dropout. Yields the program after
    each of them, to be read before the next one."""
    program: Program | None = None
    step = at_once(spec, most)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        if program is None or program.batch != len(x[part]):
            program = Program(spec, len(x[part]), parameters)
        program.feed(x[part], target[part])
        program.forward()
        yield program


def outputs(spec: Model, parameters: Array, points: Array, most: int = SAMPLES_PER_PASS) -> Outputs:
    """Compute the outputs of a network with these ``parameters`` (P,) at ``points`` (n, inputs), ``most`` of them at
    once."""
    graph = spec.graph
    loss, target_value = graph.loss_op, graph.by_name[graph.target]
    z = np.empty((len(points), *graph.by_name[graph.output].shape[1:]), spec.dtype)
    p = np.empty_like(z) if graph.by_name[loss.output].saved else None
    # The loss needs some target, which affects neither z nor p.
    target = np.zeros(len(points), np.intp) if target_value.classes else np.zeros_like(z)
    done = 0
    for program in passes(spec, parameters, points, target, most):
        part = slice(done, done + program.batch)
        z[part] = program.values[graph.output]
        if p is not None:
            p[part] = program.caches[loss.output].left
        done = part.stop
    return Outputs(z, p)


def grid(low: tuple[float, float], high: tuple[float, float], rows: int, columns: int) -> Array:
    """Return the centers of ``rows`` x ``columns`` equal cells between two corners, (rows · columns, 2), in reading
    order: row by row, the one with the highest second coordinate first."""
    x = low[0] + (np.arange(columns) + 0.5) / columns * (high[0] - low[0])
    y = high[1] - (np.arange(rows) + 0.5) / rows * (high[1] - low[1])
    return np.stack([np.tile(x, rows), np.repeat(y, columns)], axis=1)
