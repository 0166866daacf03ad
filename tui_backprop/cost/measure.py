"""Time forward and backward passes on this machine."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from tui_backprop.cost.model import Machine, Point, fit
from tui_backprop.engine.network import INPUT, TARGET
from tui_backprop.engine.program import Program
from tui_backprop.engine.spec import NetworkSpec

# Measured beside the current network, so that the projection stands on more than one size: about 1.7
# thousand, 32 thousand, 335 thousand and 2.9 million parameters.
LADDER = ((10, 32, 32, 10), (784, 40, 10), (784, 256, 256, 256, 10), (784, 1024, 1024, 1024, 10))
GLANCE, LOOK = 0.004, 0.05  # seconds for each of the two timings of a network: at the start, and later
LEAST = 4  # runs of each, however long they take


def timings(run: Callable[[], object], budget: float) -> list[float]:
    """Seconds of each run of ``run``, after one to warm up: at least four, then until the budget is spent."""
    run()
    times: list[float] = []
    end = perf_counter() + budget
    while len(times) < LEAST or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return times


def quartiles(times: list[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile, to the nearest run."""
    ordered, last = sorted(times), len(times) - 1
    return ordered[last // 4], ordered[last // 2], ordered[3 * last // 4]


def measure(spec: NetworkSpec, budget: float = GLANCE, batch: int = 1) -> Point:
    """Median seconds of a forward pass, and of a forward and a backward pass, for one network."""
    program = Program(spec, batch, np.zeros(spec.parameters, spec.dtype))
    program.feed(np.full(program.shapes[INPUT], 0.5), np.zeros_like(program.values[TARGET]))

    def both() -> None:
        program.forward()
        program.backward()

    low, middle, high = quartiles(timings(program.forward, budget))
    return Point(spec.parameters, middle, quartiles(timings(both, budget))[1], (high - low) / middle)


def measure_machine(spec: NetworkSpec, budget: float = GLANCE) -> Machine:
    """Measure the ladder and the given network (batch 1), ``budget`` seconds for each of two timings."""
    specs = {
        ladder.parameters: ladder for ladder in (NetworkSpec(layers, dtype=spec.dtype) for layers in LADDER)
    }
    specs[spec.parameters] = spec
    return fit(tuple(measure(specs[size], budget) for size in sorted(specs)))
