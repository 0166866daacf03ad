"""Time passes of networks on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from tui_backprop.cost.measure.bandwidth import GLANCE as GLANCE_PROBE
from tui_backprop.cost.measure.bandwidth import LOOK as LOOK_PROBE
from tui_backprop.cost.measure.bandwidth import probe
from tui_backprop.cost.model.cost_model import CostModel, Measured
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PARAMETERS_A_PASS
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import parameter_slices, views
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.spec import NetworkSpec
from tui_backprop.engine.network.tensor_names import INPUT, TARGET
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.streaming import StreamedProgram

# Measured beside the current network, so that the cost model is fitted to several sizes: about 1.7
# thousand, 32 thousand, 335 thousand and 2.9 million parameters.
LADDER = ((10, 32, 32, 10), (784, 40, 10), (784, 256, 256, 256, 10), (784, 1024, 1024, 1024, 10))
GLANCE, LOOK = 0.004, 0.05  # seconds for each kind of pass of a network: at the start, and later
LEAST_RUNS = 4  # runs of each, however long they take
FEWER_BATCHES = 1_000_000  # parameters from which the initial pass of a batched method is negligible
MOST_TENSORS = 64  # in which a batched method is measured
STREAMED = 100_000_000  # parameters from which the backward pass keeps no weight gradient

Run = Callable[[], object]


def timings(run: Run, budget: float, clock: Callable[[], float] = perf_counter) -> list[float]:
    """Return the seconds of each run of ``run``, after a warm-up: at least four, then until the budget is spent."""
    run()
    times: list[float] = []
    end = clock() + budget
    while len(times) < LEAST_RUNS or clock() < end:
        start = clock()
        run()
        times.append(clock() - start)
    return times


def quartiles(times: Sequence[float]) -> tuple[float, float, float]:
    """Return first quartile, median and third quartile, to the nearest run."""
    ordered, last = sorted(times), len(times) - 1
    return ordered[last // 4], ordered[last // 2], ordered[3 * last // 4]


def weights_of(spec: NetworkSpec) -> Array:
    """Return parameters (P,) that are quick to make. The time of a pass does not depend on their values, as long as
    neither they nor their products are 0 or subnormal."""
    return np.resize(np.linspace(-0.05, 0.06, 4099, dtype=spec.dtype), spec.parameters)


def runs_of(spec: NetworkSpec, parameters: Array, kinds: Sequence[str]) -> dict[str, tuple[Run, int]]:
    """Return for each kind of pass of one sample a function that runs it, and the number of passes in a call."""
    many = spec.parameters >= STREAMED
    program = (StreamedProgram if many else Program)(spec, 1, parameters)
    x = np.full(program.shapes[INPUT], 0.5, spec.dtype)
    program.feed(x, target := np.zeros_like(program.values[TARGET]))

    def backprop() -> None:
        program.forward()
        if isinstance(program, StreamedProgram):
            for _ in program.stages(lambda *tile: None):
                pass
        else:
            program.backward()

    runs: dict[str, tuple[Run, int]] = {"forward": (program.forward, 1), "backprop": (backprop, 1)}
    problem = Problem(spec, x, target, parameters)
    if "complex" in kinds:
        off = problem.program(dtype="complex64" if spec.dtype == "float32" else "complex128")
        runs["complex"] = off.forward, 1
    if "jvp" in kinds:
        direction = np.zeros_like(parameters)
        program.forward()
        runs["jvp"] = ForwardMode(program, views(direction, spec)).push, 1
    if "batched" in kinds:
        # Some parameters of every layer, in proportion: 256 at once, as in the method.
        count = min(spec.parameters, (32 if spec.parameters < FEWER_BATCHES else 8) * PARAMETERS_A_PASS)
        where = _sampled(spec, np.unique(np.linspace(0, spec.parameters - 1, count).astype(int)))
        out = np.empty(spec.parameters)

        def batched() -> None:
            for _ in METHODS["batched-difference"].fill(
                out, problem, where, Options(at_once=PARAMETERS_A_PASS)
            ):
                pass

        runs["batched"] = batched, len(where)
    return {kind: runs[kind] for kind in kinds}


def _sampled(spec: NetworkSpec, where: Array) -> Array:
    """Return those of the parameters ``where`` that are in up to MOST_TENSORS tensors: each takes passes of its
    own."""
    places = list(parameter_slices(spec).values())
    chosen = places[:: -(-len(places) // MOST_TENSORS)]
    return np.concatenate([where[(where >= each.start) & (where < each.stop)] for each in chosen])


def measure(
    spec: NetworkSpec,
    budget: float = GLANCE,
    kinds: Sequence[str] = ("forward", "backprop"),
    clock: Callable[[], float] = perf_counter,
) -> tuple[Measured, ...]:
    """Measure passes of one sample, ``budget`` seconds for each kind."""
    shape = shape_of(spec)
    found = []
    for kind, (run, count) in runs_of(spec, weights_of(spec), kinds).items():
        times = [max(seconds, 1e-9) / count for seconds in timings(run, budget, clock)]
        found.append(Measured(kind, shape, *quartiles(times), len(times)))
    return tuple(found)


def measure_machine(
    spec: NetworkSpec,
    budget: float = GLANCE,
    kept: CostModel | None = None,
    watch: Callable[[int, int], None] = lambda done, of: None,
    most: int | None = None,
) -> CostModel:
    """Measure the cost model of this machine on the ladder and the given network, ``budget`` seconds for each kind of
    pass; ``watch`` gets the number of networks measured, and of all. If a cost model is ``kept`` from a sweep of
    networks with layer normalization as in this one, only the network is measured and added to it. Bandwidth is
    measured in ``most`` bytes, by default ``most_memory``."""
    known = [point for point in kept.points if _alike(point, spec)] if kept is not None else []
    specs = {} if known else {one.parameters: one for one in (resized(spec, layers) for layers in LADDER)}
    specs[spec.parameters] = spec
    points: list[Measured] = []
    for done, size in enumerate(sorted(specs), 1):
        points += measure(specs[size], budget)
        watch(done, len(specs))
    measured = {(point.kind, point.shape) for point in points}
    points += [point for point in known if (point.kind, point.shape) not in measured]
    room = most_memory(budget <= GLANCE) if most is None else most
    bandwidth = probe(int(math.log2(room))) if kept is None else kept.probe
    return CostModel(tuple(sorted(points, key=lambda p: (p.parameters, p.kind))), bandwidth)


def most_memory(glance: bool) -> int:
    """Return the bytes that bandwidth is measured in, at the start or later."""
    return 1 << (GLANCE_PROBE if glance else LOOK_PROBE)


def resized(spec: NetworkSpec, layers: tuple[int, ...]) -> NetworkSpec:
    """Return a network of other layer sizes with the same options; hidden layers have the first activation."""
    return replace(spec, layers=layers, activation=(*spec.activations, NetworkSpec.activation)[0])


def _alike(point: Measured, spec: NetworkSpec) -> bool:
    """Return True if times of a measured network say something about this one: a layer normalization takes many
    calls."""
    return point.shape.pattern.layer_norm == spec.layer_norm
