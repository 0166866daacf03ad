"""Time passes of networks on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tui_backprop.cost.measure.again import with_points
from tui_backprop.cost.measure.bandwidth import GLANCE as GLANCE_PROBE
from tui_backprop.cost.measure.bandwidth import LOOK as LOOK_PROBE
from tui_backprop.cost.measure.bandwidth import probe
from tui_backprop.cost.measure.timing import CLOCKS, TURNS, Clocks, TimedRun, in_turns
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.workload import PARAMETERS_A_PASS, PASS_KINDS
from tui_backprop.engine.gradients.methods import METHODS, Options, Problem
from tui_backprop.engine.network.forward_mode import ForwardMode
from tui_backprop.engine.network.graph import parameter_slices, views
from tui_backprop.engine.network.program import Program
from tui_backprop.engine.network.shared_pass import LEAST_MACS
from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec
from tui_backprop.engine.network.tensor_names import INPUT, TARGET
from tui_backprop.engine.primitives import Array
from tui_backprop.engine.training.streaming import StreamedProgram

# Measured beside the current network, so that the cost model is fitted to several sizes: about 1.7
# thousand, 32 thousand, 335 thousand and 2.9 million parameters.
LADDER = ((10, 32, 32, 10), (784, 40, 10), (784, 256, 256, 256, 10), (784, 1024, 1024, 1024, 10))
GLANCE, LOOK = 0.004, 0.05  # seconds for each kind of pass of a network: at the start, and later
SMALL = 20_000_000  # parameters up to which every kind of pass is measured; beyond, forward and backprop
GLANCED, LADDER_ALL = 20_000, 1_000_000  # the same at the start, and of the ladder
MOST_BATCHES, FEW_BATCHES = 32, 8  # in which a batched method is measured
FEWER_BATCHES = 1_000_000  # parameters from which it is in FEW_BATCHES: its first passes are negligible
MOST_TENSORS = 64  # in which a batched method is measured
STREAMED = 100_000_000  # parameters from which the backward pass keeps no weight gradient


def weights_of(spec: NetworkSpec) -> Array:
    """Return parameters (P,) that are quick to make. The time of a pass does not depend on their values, as long as
    neither they nor their products are 0 or subnormal."""
    return np.resize(np.linspace(-0.05, 0.06, 4099, dtype=spec.dtype), spec.parameters)


def runs_of(spec: NetworkSpec, parameters: Array, kinds: Sequence[str]) -> dict[str, tuple[TimedRun, int]]:
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

    shared = not many and spec.weights >= LEAST_MACS
    runs = {"forward": (TimedRun(program.forward), 1), "backprop": (TimedRun(backprop, shared), 1)}
    problem = Problem(spec, x, target, parameters)
    if "complex" in kinds:
        off = problem.program(dtype="complex64" if spec.dtype == "float32" else "complex128")
        runs["complex"] = TimedRun(off.forward), 1
    if "jvp" in kinds:
        direction = np.zeros_like(parameters)
        program.forward()
        runs["jvp"] = TimedRun(ForwardMode(program, views(direction, spec)).push), 1
    if "batched" in kinds:
        runs["batched"] = _batched(problem)
    return {kind: runs[kind] for kind in kinds}


def _batched(problem: Problem) -> tuple[TimedRun, int]:
    """Return the batched method for some parameters of the large tensors, in proportion, or for all of a small
    network; and their number, with the unperturbed network."""
    spec = problem.spec
    batches = MOST_BATCHES if spec.parameters < FEWER_BATCHES else FEW_BATCHES
    where = _sampled(spec, batches)
    out = np.empty(spec.parameters)
    unperturbed = 1 if len(where) == spec.parameters else 1 + PARAMETERS_A_PASS  # as long as so many others
    parts = len(where) + unperturbed

    def batched() -> None:
        for _ in METHODS["batched-difference"].fill(out, problem, where, Options(at_once=PARAMETERS_A_PASS)):
            pass

    return TimedRun(batched, PARAMETERS_A_PASS * spec.weights >= LEAST_MACS), parts


def _sampled(spec: NetworkSpec, batches: int) -> Array:
    """Return the indices of parameters for about so many ``batches``: all of a network that has no more, else whole
    batches from up to MOST_TENSORS tensors, each of which takes passes of its own."""
    if spec.parameters <= batches * PARAMETERS_A_PASS:
        return np.arange(spec.parameters)
    share = batches / spec.parameters
    places = list(parameter_slices(spec).values())
    large = [each for each in places if share * (each.stop - each.start) >= 1] or [
        max(places, key=lambda each: each.stop - each.start)
    ]
    chosen = large[:: -(-len(large) // MOST_TENSORS)]
    counts = [max(round(share * (each.stop - each.start)), 1) * PARAMETERS_A_PASS for each in chosen]
    return np.concatenate(
        [
            np.arange(each.start, min(each.start + n, each.stop))
            for each, n in zip(chosen, counts, strict=True)
        ]
    )


def measure(
    spec: NetworkSpec,
    budget: float = GLANCE,
    kinds: Sequence[str] = ("forward", "backprop"),
    clocks: Clocks = CLOCKS,
) -> tuple[Measured, ...]:
    """Measure passes of one sample, ``budget`` seconds for each kind."""
    shape, runs, found = shape_of(spec), runs_of(spec, weights_of(spec), kinds), {}
    for together in TURNS:
        there = [kind for kind in together if kind in runs]
        for kind, took in zip(
            there, in_turns([runs[kind][0] for kind in there], budget, clocks), strict=True
        ):
            count = runs[kind][1]
            seconds = (took.low / count, took.middle / count, took.high / count)
            found[kind] = Measured(kind, shape, *seconds, took.runs, took.share)
    return tuple(found[kind] for kind in kinds)


def measure_machine(
    spec: NetworkSpec,
    budget: float = GLANCE,
    kept: CostModel | None = None,
    watch: Callable[[int, int], None] = lambda done, of: None,
    most: int | None = None,
) -> CostModel:
    """Measure the cost model of this machine on the ladder and the given network, ``budget`` seconds for each kind of
    pass; ``watch`` gets the number of networks measured, and of all. If a cost model is ``kept`` from a sweep of
    networks with layer normalization as in this one, only the network is measured and added to it. Where ``most``
    bytes are given, bandwidth is measured within them, and networks of the ladder that need more are left out."""
    known = [point for point in kept.points if _alike(point, spec)] if kept is not None else []
    ladder = [] if known else [resized(spec, layers) for layers in LADDER]
    fit = [one for one in ladder if most is None or needs(one, _kinds(one, spec, budget)) <= most]
    specs = {one.parameters: one for one in fit}
    specs[spec.parameters] = spec
    points: list[Measured] = []
    for done, size in enumerate(sorted(specs), 1):
        points += measure(specs[size], budget, _kinds(specs[size], spec, budget))
        watch(done, len(specs))
    power = GLANCE_PROBE if budget <= GLANCE else LOOK_PROBE
    room = 2**power if most is None else min(most, 2**power)
    bandwidth = probe(int(math.log2(room))) if kept is None else kept.probe
    return with_points(CostModel(tuple(known), bandwidth), points)


def kinds_of(spec: NetworkSpec, most: int = SMALL) -> tuple[str, ...]:
    """Return the kinds of passes that are measured: all of them in a network of up to ``most`` parameters."""
    return tuple(PASS_KINDS) if spec.parameters <= most else ("forward", "backprop")


def _kinds(one: NetworkSpec, current: NetworkSpec, budget: float) -> tuple[str, ...]:
    glance = budget <= GLANCE
    if one == current:
        return kinds_of(one, GLANCED if glance else SMALL)
    return kinds_of(one, 0 if glance else LADDER_ALL)


def needs(spec: NetworkSpec, kinds: Sequence[str]) -> int:
    """Estimate the bytes that measuring needs: the parameters, their gradient unless it is streamed, and for the
    batched method many networks at once."""
    copies = 13.0 if "batched" in kinds else 1.1 if spec.parameters >= STREAMED else 2.1
    return int(copies * ITEMSIZE[spec.dtype] * spec.parameters)


def resized(spec: NetworkSpec, layers: tuple[int, ...]) -> NetworkSpec:
    """Return a network of other layer sizes with the same options; hidden layers have the first activation."""
    return replace(spec, layers=layers, activation=(*spec.activations, NetworkSpec.activation)[0])


def _alike(point: Measured, spec: NetworkSpec) -> bool:
    """Return True if times of a measured network say something about this one: a layer normalization takes many
    calls."""
    return point.shape.pattern.layer_norm == spec.layer_norm
