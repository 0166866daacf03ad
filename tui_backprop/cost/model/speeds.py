"""Memory bandwidth by working-set size."""

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
class MemoryProbe:
    """Bandwidth of a pass that only reads (``reading``) and of one that reads twice and writes once (``both``), and
    the ``share`` of a core that was ours when they were measured."""

    reading: Speeds
    both: Speeds
    share: float = 1.0
