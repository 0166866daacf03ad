"""Measure the memory bandwidth of this machine by working-set size: caches are faster than memory.

A matrix times a vector, which a layer computes for one sample, reads. The backward pass reads once more and writes an
outer product, the weight gradient, which evicts from the caches what is read next; so both are timed together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from statistics import fmean, median

import numpy as np

from tui_backprop.cost.measure.timing import CLOCKS, Clocks, TimedRun, in_turns
from tui_backprop.cost.model.speeds import MemoryProbe, Speeds
from tui_backprop.support import memory

LAYERS = 3  # of a network: each evicts the caches of the one before
GLANCE, LOOK = 20, 27  # log2 of the largest working set in bytes: at the start, and later
LEAST_POWER = 14  # log2 of the fewest


def probe(most: int = GLANCE, clocks: Clocks = CLOCKS) -> MemoryProbe:
    """Measure bandwidth on matrices of 2**14 to 2**most bytes, at most a tenth of free memory. Matrices of
    2**LOOK bytes have no gradients beside them: ``both`` ends at the same working set as ``reading``."""
    most = min(most, int(math.log2(max(memory.available().bytes / 20, 2 ** (LEAST_POWER + 2)))))
    reading, both, shares = {}, {}, []
    for power in range(LEAST_POWER, most + 1):
        side = math.isqrt(2**power // 4 // LAYERS)
        trains = power < LOOK
        layers = [Layer(side, trains=trains) for _ in range(LAYERS)]
        bytes_ = sum(layer.w.nbytes for layer in layers)
        (down,) = in_turns([TimedRun(partial(_down, layers))], 0.0, clocks)
        reading[bytes_] = bytes_ / down.middle
        shares.append(down.share)
        if trains:
            (both_ways,) = in_turns([TimedRun(partial(_down_and_up, layers))], 0.0, clocks)
            both[2 * bytes_] = 3 * bytes_ / both_ways.middle
            shares.append(both_ways.share)
        del layers  # before the next ones take memory
    speeds = [Speeds(tuple(map(float, rates)), falling(rates.values())) for rates in (reading, both)]
    return MemoryProbe(speeds[0], speeds[1], median(shares))


def falling(rates: Iterable[float]) -> tuple[float, ...]:
    """Return the rates, made non-increasing after the highest: a larger working set is held less by caches. Those
    that rise are averaged (isotonic regression of the logarithms, by pooling adjacent violators: Ayer et al.,
    1955)."""
    logs = [math.log(rate) for rate in rates]
    peak = logs.index(max(logs))
    pools: list[list[float]] = []
    for value in logs[peak:]:
        pools.append([value])
        while len(pools) > 1 and fmean(pools[-2]) < fmean(pools[-1]):
            pools[-2:] = [[*pools[-2], *pools[-1]]]
    return tuple(math.exp(x) for x in (*logs[:peak], *(fmean(pool) for pool in pools for _ in pool)))


class Layer:
    """A square matrix, a gradient for it if it ``trains``, and vectors."""

    def __init__(self, side: int, *, trains: bool) -> None:
        self.w = np.ones((side, side), np.float32)
        self.gradient = np.ones_like(self.w if trains else self.w[:0])
        self.x = np.ones((1, side), np.float32)
        self.column, self.y = self.x.T.copy(), np.empty_like(self.x)


def _down(layers: list[Layer]) -> None:
    for layer in layers:
        np.matmul(layer.x, layer.w, out=layer.y)


def _down_and_up(layers: list[Layer]) -> None:
    _down(layers)
    for layer in reversed(layers):
        np.multiply(layer.column, layer.x, out=layer.gradient)
        np.matmul(layer.x, layer.w.T, out=layer.y)
