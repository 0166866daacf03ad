"""Machines that do not exist, with laws that are known."""

from __future__ import annotations

from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import NetworkShape, shape_of
from tui_backprop.cost.model.speeds import MemoryProbe, Speeds
from tui_backprop.cost.model.workload import work
from tui_backprop.engine.network.spec import NetworkSpec

LESSON = shape_of(NetworkSpec())
SIZES = (1e3, 1e4, 1e5, 1e6, 1e7)
# Fast within a cache of 8 MB, a fifth of that beyond it.
PROBE = MemoryProbe(
    Speeds((1e4, 8e6, 1.6e7, 1e9), (5e10, 5e10, 1e10, 1e10)), Speeds((1e4, 1e9), (1e10, 1e10))
)


def true_seconds(kind: str, shape: NetworkShape, overhead: float = 2e-6, share: float = 1.3) -> float:
    """Return the seconds of a pass on that machine."""
    does = work(kind, shape)
    if kind == "batched":
        return overhead * does.calls + share * does.flops / 1e11
    speeds = PROBE.both if does.written else PROBE.reading
    return overhead * does.calls + share * (does.read + does.written) / speeds.at(does.touched)


def machine(
    sizes=SIZES, kinds=("forward", "backprop"), noise=lambda i: 1.0, cost_model=true_seconds
) -> CostModel:
    """Return its cost model, measured with noise."""
    points = []
    for i, size in enumerate(sizes):
        shape = LESSON.at(size)
        for kind in kinds:
            seconds = cost_model(kind, shape) * noise(i)
            points.append(Measured(kind, shape, 0.99 * seconds, seconds, 1.01 * seconds, 9))
    return CostModel(tuple(points), PROBE)
