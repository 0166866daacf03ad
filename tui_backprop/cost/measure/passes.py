"""Time passes of networks on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from tui_backprop.cost.measure.again import combined, with_points
from tui_backprop.cost.measure.bandwidth import GLANCE as GLANCE_PROBE
from tui_backprop.cost.measure.bandwidth import LOOK as LOOK_PROBE
from tui_backprop.cost.measure.bandwidth import probe
from tui_backprop.cost.measure.runs import Passes, passes_of, weights_of
from tui_backprop.cost.measure.timing import CLOCKS, TURNS, Clocks, Timing, in_turns
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import CostShape, shape_of
from tui_backprop.cost.model.workload import PASS_KINDS, STREAMED
from tui_backprop.engine.frontends.dense.spec import NetworkSpec
from tui_backprop.engine.gradients.batched import copies_stack
from tui_backprop.engine.network.model import ITEMSIZE, Model

# Measured beside the current network, so that the cost model is fitted to several sizes: about 1.7
# thousand, 32 thousand, 335 thousand and 2.9 million parameters.
# Of a family, those of about so many parameters.
LADDER = ((10, 32, 32, 10), (784, 40, 10), (784, 256, 256, 256, 10), (784, 1024, 1024, 1024, 10))
FAMILY_LADDER = 1.7e3, 3e4, 3e5
GLANCE, LOOK = 0.004, 0.05  # seconds for each kind of pass of a network: at the start, and later
ROUNDS = 3
SMALL = 20_000_000  # parameters up to which every kind of pass is measured; beyond, forward and backprop
GLANCED, LADDER_ALL = 20_000, 1_000_000  # the same at the start, and of the ladder
LEAST_SHARE = 0.1  # of a run, that its passes take beside its start
LARGEST_BY_KIND = {"spsa": 1_000_000}  # parameters up to which a kind of pass is measured, besides
AT_ONCE = ("forward", "backprop", "naive", "central")  # of the current network, measured at the start


def measure(
    spec: Model,
    budget: float = GLANCE,
    kinds: Sequence[str] = ("forward", "backprop"),
    clocks: Clocks = CLOCKS,
) -> tuple[Measured, ...]:
    """Measure passes of one sample, ``budget`` seconds for each kind."""
    shape, parameters, found = shape_of(spec), weights_of(spec), {}
    for together in TURNS:
        there = passes_of(spec, parameters, [kind for kind in together if kind in kinds])
        took = in_turns([each.run for each in there.values()], budget, clocks)
        for (kind, passes), timing in zip(there.items(), took, strict=True):
            start = 0.0 if passes.start is None else in_turns([passes.start], 0.0, clocks)[0].middle
            found[kind] = _measured(kind, shape, timing, passes, start)
    return tuple(found[kind] for kind in kinds)


def _measured(kind: str, shape: CostShape, took: Timing, passes: Passes, start: float) -> Measured:
    """Return the seconds of a pass, from those of a run and of a start, which takes less than all of a run that has
    it."""
    low, middle, high = (
        max(passes.of_run * each + passes.of_start * start, LEAST_SHARE * passes.of_run * each)
        for each in (took.low, took.middle, took.high)
    )
    return Measured(kind, shape, low, middle, high, took.runs, took.share)


def measure_machine(
    spec: Model,
    budget: float = GLANCE,
    kept: CostModel | None = None,
    watch: Callable[[int, int], None] = lambda done, of: None,
    most: int | None = None,
) -> CostModel:
    """Measure the cost model of this machine on the ladder and the given network, ``budget`` seconds for each kind of
    pass, in ROUNDS beyond a GLANCE: arrays lie elsewhere in each, and what slows a second down does not slow all of
    them. ``watch`` gets the number of measurements of a network made, and of all. If a cost model is ``kept`` from a
    sweep of networks like this one, only the network is measured and added to it. Where
    ``most`` bytes are given, bandwidth is measured within them, and networks of the ladder that need more are left
    out."""
    known = alike(kept, spec).points if kept is not None else ()
    ladder = [] if known else ladder_of(spec)
    fit = [one for one in ladder if most is None or needs(one, _kinds(one, spec, budget)) <= most]
    specs: dict[int, Model] = {one.parameters: one for one in fit}
    specs[spec.parameters] = spec
    rounds = 1 if budget <= GLANCE else ROUNDS
    points: list[Measured] = []
    for done, size in enumerate(sorted(specs) * rounds, 1):
        points += measure(specs[size], budget / rounds, _kinds(specs[size], spec, budget))
        watch(done, rounds * len(specs))
    power = GLANCE_PROBE if budget <= GLANCE else LOOK_PROBE
    room = 2**power if most is None else min(most, 2**power)
    bandwidth = probe(int(math.log2(room))) if kept is None else kept.probe
    return with_points(CostModel(known, bandwidth), combined(points))


def kinds_of(spec: Model, most: int = SMALL) -> tuple[str, ...]:
    """Return the kinds of passes that are measured: all of them in a network of up to ``most`` parameters."""
    if spec.parameters > most:
        return ("forward", "backprop")
    return tuple(kind for kind in PASS_KINDS if spec.parameters <= LARGEST_BY_KIND.get(kind, most))


def _kinds(one: Model, current: Model, budget: float) -> tuple[str, ...]:
    glance = budget <= GLANCE
    if one == current and glance and GLANCED < one.parameters <= SMALL:
        return AT_ONCE
    if one == current:
        return kinds_of(one, GLANCED if glance else SMALL)
    return kinds_of(one, 0 if glance else LADDER_ALL)


def needs(spec: Model, kinds: Sequence[str]) -> int:
    """Estimate the bytes that measuring needs: the parameters, their gradient unless it is streamed, and for the
    batched method many networks at once, beside the probes of SPSA."""
    streamed = spec.parameters >= STREAMED and spec.graph.layered
    stacked = "batched" in kinds and copies_stack(spec.graph)
    copies = 14.0 if stacked else 1.1 if streamed else 2.1
    return int(copies * ITEMSIZE[spec.dtype] * spec.parameters)


def ladder_of(spec: Model) -> Sequence[Model]:
    """Return the networks of LADDER with the same options; hidden layers have the first activation, and none is
    frozen: layers are few. Or those of FAMILY_LADDER of its family; what does not grow has none."""
    spec, shape = spec.healthy, shape_of(spec)
    if not isinstance(spec, NetworkSpec):
        return [shape.at(size).whole for size in FAMILY_LADDER] if shape.grows else []
    activation = (*spec.activations, NetworkSpec.activation)[0]
    return [replace(spec, layers=layers, activation=activation, frozen=()) for layers in LADDER]


def kind_of(network: Model) -> tuple[str, bool]:
    """Return what networks have in common whose times say something about each other: other front ends make other
    operations, and a layer normalization takes many calls."""
    return network.frontend, bool(network.graph.with_role("normalized"))


def alike(kept: CostModel, spec: Model) -> CostModel:
    """Return what a cost model has of networks of the kind of this one; what does not grow has times of its own."""
    found = (point for point in kept.points if kind_of(point.shape.pattern) == kind_of(spec))
    return replace(kept, points=tuple(found) if shape_of(spec).grows else ())
