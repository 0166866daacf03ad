"""Machines that do not exist, with laws that are known."""

from __future__ import annotations

from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import NetworkShape, shape_of
from tui_backprop.cost.model.speeds import Memory, Probe, Speeds
from tui_backprop.cost.model.workload import work
from tui_backprop.engine.frontends.dense.spec import NetworkSpec

LESSON = shape_of(NetworkSpec())
SIZES = (1e3, 1e4, 1e5, 1e6, 1e7)
# Fast within a cache of 8 MB, a fifth of that beyond it, where the beginning of a row takes 50 ns, and 1 ns before.
CACHED = (1e4, 8e6, 1.6e7, 1e9)
ROWS = Speeds(CACHED, (1e9, 1e9, 2e7, 2e7))
PROBE = Probe(
    reading=Memory(Speeds(CACHED, (5e10, 5e10, 1e10, 1e10)), ROWS),
    writing=Memory(Speeds((1e4, 1e9), (8e9, 8e9)), ROWS),
    complex=Memory(Speeds(CACHED, (4e10, 4e10, 8e9, 8e9)), ROWS),
    products=1e11,
)
FUNCTION = 5e-10  # seconds of an operation on each entry


def true_seconds(kind: str, shape: NetworkShape, overhead: float = 2e-6, share: float = 1.1) -> float:
    """Return the seconds of a pass on that machine."""
    does = work(kind, shape)
    memory = PROBE.complex if kind == "complex" else PROBE.reading
    read = (does.read + does.values) / memory.bytes.at(does.touched)
    written = (does.written + does.tiled) / 8e9
    rows = (does.rows_read + does.rows_written) / ROWS.at(does.touched)
    rest = does.multiplied / 4 / PROBE.products
    return overhead * does.calls + FUNCTION * does.elementwise + share * (read + written + rows + rest)


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
