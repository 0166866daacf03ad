"""Measure passes of networks of one shape, from a thousand parameters up to the limit of memory or time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tui_backprop.cost.measure.bandwidth import LOOK, probe
from tui_backprop.cost.measure.passes import STREAMED, measure
from tui_backprop.cost.model.cost_model import CostModel, Measured
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.speeds import MemoryProbe
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.network.spec import ITEMSIZE, NetworkSpec
from tui_backprop.support import memory
from tui_backprop.support.errors import InputError
from tui_backprop.support.running_clock import Clock, running_clock
from tui_backprop.support.validation import positive_number

SMALLEST, GROWTH = 1e3, 10**0.5  # parameters of the smallest network, and how much larger the next one is
LARGEST = 1e9
SMALL = 20_000_000  # parameters up to which every kind of pass is measured; beyond, forward and backprop
LONGEST_KIND = 0.15  # seconds for a kind of pass at the most
MEMORY_SHARE = 0.5  # of the memory that is free
BUDGET = 30.0  # seconds, unless asked otherwise


@dataclass(frozen=True)
class Progress:
    """Progress of a sweep: networks ``done`` ``of`` those planned, the one measured ``now`` (parameters; None when
    it is over), the cost model so far, and why it ended early: ``time`` or an empty string."""

    done: int
    of: int
    now: int | None
    cost_model: CostModel
    seconds: float
    ended: str = ""


def checked(budget: object) -> float:
    """Return a budget in seconds. Raises InputError if it is not a positive number."""
    return positive_number("budget", budget)


def plan(spec: NetworkSpec, free: int) -> list[NetworkSpec]:
    """Return networks of one shape, growing by half a decade, as far as ``free`` bytes of memory allow, among them
    the network itself."""
    shape, specs, size = shape_of(spec), {spec.parameters: spec}, SMALLEST
    while size <= 1.001 * LARGEST:
        widths = shape.at(size).widths
        one = replace(spec, layers=tuple(max(1, round(n)) for n in widths))
        if needs(one) > MEMORY_SHARE * free:
            break
        specs[one.parameters] = one
        size *= GROWTH
    if needs(spec) > MEMORY_SHARE * free:
        del specs[spec.parameters]
    return [specs[size] for size in sorted(specs)]


def needs(spec: NetworkSpec) -> int:
    """Estimate the bytes that measuring needs: parameters and gradient, for small networks also complex numbers and
    tangents; streamed, the parameters only."""
    copies = 1.1 if spec.parameters >= STREAMED else 3 if spec.parameters > SMALL else 9
    return int(copies * ITEMSIZE[spec.dtype] * spec.parameters)


def sweep(
    spec: NetworkSpec,
    budget: float = BUDGET,
    free: int | None = None,
    clock: Clock | None = None,
    measured: Callable[..., tuple[Measured, ...]] = measure,
    probed: Callable[[int], MemoryProbe] = probe,
) -> Iterator[Progress]:
    """Measure, small networks first, within ``budget`` seconds and ``free`` bytes of memory (the system's if None). A
    network that would not be done in time is not begun. Yields before each network and at the end."""
    specs = plan(spec, _free() if free is None else free)
    if clock is not None:
        yield from _sweep(specs, budget, clock, measured, probed)
        return
    with running_clock() as running:
        yield from _sweep(specs, budget, running, measured, probed)


def _sweep(
    specs: Sequence[NetworkSpec],
    budget: float,
    clock: Clock,
    measured: Callable[..., tuple[Measured, ...]],
    probed: Callable[[int], MemoryProbe],
) -> Iterator[Progress]:
    start = clock()
    cost_model = CostModel((), probed(LOOK))
    last = 0.0  # seconds that the network before took
    for done, one in enumerate(specs):
        past = clock() - start
        longer = (
            last * one.parameters / specs[done - 1].parameters if done and one.parameters > SMALL else last
        )
        if done and past + longer > budget:
            yield Progress(done, len(specs), None, cost_model, past, "time")
            return
        yield Progress(done, len(specs), one.parameters, cost_model, past)
        kinds = tuple(PASS_KINDS) if one.parameters <= SMALL else ("forward", "backprop")
        each = min(LONGEST_KIND, budget / len(specs) / len(kinds) / 2)
        cost_model = CostModel((*cost_model.points, *measured(one, each, kinds)), cost_model.probe)
        last = clock() - start - past
    yield Progress(len(specs), len(specs), None, cost_model, clock() - start)


def _free() -> int:
    return memory.available().bytes


def with_points(cost_model: CostModel, found: CostModel) -> CostModel:
    """Return a cost model in which points of ``found`` replace those of the same kind and shape."""
    seen = {(p.kind, p.shape) for p in found.points}
    kept = tuple(p for p in cost_model.points if (p.kind, p.shape) not in seen)
    probed = (
        found.probe
        if len(found.probe.reading.sizes) >= len(cost_model.probe.reading.sizes)
        else cost_model.probe
    )
    return CostModel(tuple(sorted((*kept, *found.points), key=lambda p: (p.parameters, p.kind))), probed)


__all__ = ["BUDGET", "InputError", "Progress", "checked", "plan", "sweep", "with_points"]
