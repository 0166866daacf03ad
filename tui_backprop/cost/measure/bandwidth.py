"""Measure the speeds of this machine by working-set size, on passes of reference networks: caches are faster than
memory.

They have three layers, so that each evicts the caches of the one before, and nothing but products. What a pass of the
smallest takes, whose parameters are few bytes, is what calls take, and does not count. Square layers and oblong ones
of the same size tell what the beginning of a row takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from tui_backprop.cost.measure.runs import passes_of, weights_of
from tui_backprop.cost.measure.timing import CLOCKS, Clocks, TimedRun, in_turns
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.speeds import Memory, Probe, Speeds
from tui_backprop.cost.model.work_rules import ROW_BYTES, Work
from tui_backprop.cost.model.workload import work
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.network.model import ITEMSIZE
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.shared_pass import LEAST_MACS
from tui_backprop.engine.primitives.linear import SAMPLES
from tui_backprop.support import memory

LAYERS, LEAST_SIDE, OBLONG = 3, 2, 8
GLANCE, LOOK = 20, 27  # log2 of the largest working set in bytes: at the start, and later
LEAST_POWER = 16  # log2 of the fewest
PRODUCTS_WIDTH = 256  # of the network whose products with many samples are timed
BUDGET = 0.003  # seconds for each pass, but for a glance, for which the fewest runs do
LEAST_SHARE = 0.1  # of a pass, that its products take beside its calls
LEAST_LONGER = 1.01  # times as long as square layers, that oblong ones take
SHORTEST = ROW_BYTES // ITEMSIZE[NetworkSpec.dtype]
NO_TIME = 1e12  # rows a second
MOST_OF_ROWS = 0.5  # of the time of square layers, that the beginnings of rows take


@dataclass(frozen=True)
class Pattern:
    """A pattern of access to a ``memory`` of Probe: the ``kind`` of pass that has it, the bytes and rows ``moved`` by
    such a pass, and how many times the bytes of the parameters are ``held`` meanwhile."""

    memory: str
    kind: str
    moved: Callable[[Work], tuple[float, float]]
    held: int


def _read(does: Work) -> tuple[float, float]:
    return does.read, does.rows_read


def _written(does: Work) -> tuple[float, float]:
    return does.written, does.rows_written


READING = Pattern("reading", "forward", _read, 1)
COMPLEX = Pattern("complex", "complex", _read, 3)
WRITING = Pattern("writing", "backprop", _written, 2)  # after what it reads
PATTERNS = READING, COMPLEX, WRITING


def probe(most: int = GLANCE, clocks: Clocks = CLOCKS) -> Probe:
    """Measure the speeds of each of PATTERNS in 2**16 to 2**most bytes, at most a tenth of free memory."""
    least = LEAST_POWER + max(pattern.held for pattern in PATTERNS) - 1
    most = max(least, min(most, int(math.log2(max(memory.available().bytes, 1) / 20))))
    shares: list[float] = []
    budget = 0.0 if most <= GLANCE else BUDGET

    def seconds(run: TimedRun) -> float:
        (took,) = in_turns([run], budget, clocks)
        shares.append(took.share)
        return took.middle

    reading = _memory(READING, most, seconds, lambda does: 0.0)
    complex_ = _memory(COMPLEX, most, seconds, lambda does: 0.0)
    writing = _memory(WRITING, most, seconds, lambda does: reading.seconds(*_read(does), does.touched))
    return Probe(reading, writing, complex_, _products(seconds), median(shares))


def _memory(
    pattern: Pattern,
    most: int,
    seconds: Callable[[TimedRun], float],
    other_work: Callable[[Work], float],
) -> Memory:
    """Measure a memory by square and oblong layers of the same sizes, in passes that do ``other_work`` besides."""
    calls = seconds(_pass(pattern, square(LEAST_SIDE)))

    def besides(spec: NetworkSpec) -> tuple[Work, float]:
        does, took = work(pattern.kind, shape_of(spec)), seconds(_pass(pattern, spec))
        return does, max(took - calls - other_work(does), LEAST_SHARE * took)

    alone: dict[float, float] = {}
    by_threads: dict[float, float] = {}  # shared passes may be quicker than those of smaller networks
    begun = {1.0: NO_TIME}
    row = 1 / NO_TIME
    for power in range(LEAST_POWER, most + 2 - pattern.held):
        spec = square(side := math.isqrt(2**power // ITEMSIZE[NetworkSpec.dtype] // LAYERS))
        does, took = besides(spec)
        bytes_, rows = pattern.moved(does)
        if side >= 2 * SHORTEST:
            row = min(_row(pattern, (does, took), besides(oblong(side))), MOST_OF_ROWS * took / rows)
            begun[does.touched] = 1 / row
        rates = by_threads if spec.weights >= LEAST_MACS else alone
        rates[does.touched] = bytes_ / (took - min(row * rows, MOST_OF_ROWS * took))
    bytes_a_second = Speeds((*alone, *by_threads), (*falling(alone.values()), *falling(by_threads.values())))
    return Memory(bytes_a_second, Speeds(tuple(begun), falling(begun.values())))


def _row(pattern: Pattern, square_: tuple[Work, float], oblong_: tuple[Work, float]) -> float:
    """Return the seconds that the beginning of a row takes, from what passes do in square and in oblong layers, and
    take."""
    (bytes_, rows), (as_many, more_rows) = pattern.moved(square_[0]), pattern.moved(oblong_[0])
    longer = max(oblong_[1] * bytes_ / as_many, LEAST_LONGER * square_[1])
    return (longer - square_[1]) / (more_rows - rows)


def _pass(pattern: Pattern, spec: NetworkSpec) -> TimedRun:
    return passes_of(spec, weights_of(spec), [pattern.kind])[pattern.kind].run


def _products(seconds: Callable[[TimedRun], float]) -> float:
    """Return the FLOPs a second of products with many samples."""
    spec = square(PRODUCTS_WIDTH)
    program = Program(spec, SAMPLES, weights_of(spec))
    return 2 * SAMPLES * spec.weights / seconds(TimedRun(program.forward))


def square(side: int) -> NetworkSpec:
    """Return a reference network of square layers."""
    return _reference((side,) * (LAYERS + 1))


def oblong(side: int) -> NetworkSpec:
    """Return one with as many parameters, in many short rows and few long ones."""
    short = max(round(side / OBLONG), SHORTEST)
    long = max(round(side * side / short), 1)
    return _reference((long, short) * (LAYERS // 2 + 1))


def _reference(layers: tuple[int, ...]) -> NetworkSpec:
    return NetworkSpec(layers, "identity", "half-squares", bias=False)


def falling(rates: Iterable[float]) -> tuple[float, ...]:
    """Return the rates, each at least as high as those that follow: a larger working set is held less by caches, and
    other work makes a rate lower, never higher."""
    return tuple(accumulate(reversed(list(rates)), max))[::-1]
