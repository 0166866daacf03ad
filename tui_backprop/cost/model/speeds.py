"""Speeds of a machine: bandwidth of memory by working-set size, and of products."""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Speeds:
    """Bytes a second by the size of the working set: measured at ``sizes`` (increasing), interpolated on logarithmic
    axes between them, constant beyond them."""

    sizes: tuple[float, ...]
    rates: tuple[float, ...]

    @cached_property
    def _logarithms(self) -> tuple[list[float], list[float]]:
        return [math.log(size) for size in self.sizes], [math.log(rate) for rate in self.rates]

    def at(self, size: float) -> float:
        x, y = self._logarithms
        to = math.log(max(size, 1.0))
        after = min(max(bisect(x, to), 1), len(x) - 1)
        if len(x) == 1 or to <= x[0]:
            return self.rates[0]
        share = min((to - x[after - 1]) / (x[after] - x[after - 1]), 1.0)
        return math.exp(y[after - 1] + share * (y[after] - y[after - 1]))


@dataclass(frozen=True)
class Memory:
    """How fast parameters are read, or gradients written, by the size of the working set: ``bytes`` a second, and
    ``rows`` of matrices a second, since the beginning of a row takes longer than its rest."""

    bytes: Speeds
    rows: Speeds

    def seconds(self, bytes_: float, rows: float, size: float) -> float:
        return bytes_ / self.bytes.at(size) + rows / self.rows.at(size)


@dataclass(frozen=True)
class Probe:
    """Speeds of a machine: its memory when parameters are read (``reading``), when gradients are written
    (``writing``), and when ``complex`` parameters are read; FLOPs a second of ``products`` with many samples, in
    float32; and the ``share`` of a core that was ours when they were measured."""

    reading: Memory
    writing: Memory
    complex: Memory
    products: float
    share: float = 1.0


def constant(rate: float, rows: float = 1e9) -> Memory:
    """Return a memory without caches."""
    return Memory(Speeds((1.0,), (rate,)), Speeds((1.0,), (rows,)))


UNMEASURED = Probe(constant(2e10), constant(1e10), constant(2e10), 1e11)
