"""Measure passes of networks of one shape, from a thousand parameters up to the limit of memory or time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import sleep

from tui_backprop.cost.measure.again import Measure, measured_again, with_points
from tui_backprop.cost.measure.bandwidth import LOOK, probe
from tui_backprop.cost.measure.passes import SMALL, kinds_of, measure, needs
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.network_shape import shape_of
from tui_backprop.cost.model.speeds import Probe
from tui_backprop.engine.network.model import Model
from tui_backprop.support import memory
from tui_backprop.support.errors import InputError
from tui_backprop.support.running_clock import Clock, running_clock
from tui_backprop.support.validation import positive_number

SMALLEST, GROWTH = 1e3, 10**0.5  # parameters of the smallest network, and how much larger the next one is
LARGEST = 1e9
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


def plan(spec: Model, free: int) -> list[Model]:
    """Return networks of one shape, growing by half a decade, as far as ``free`` bytes of memory allow, among them
    the network itself."""
    shape, size = shape_of(spec), SMALLEST
    specs: dict[int, Model] = {spec.parameters: spec}
    while size <= 1.001 * LARGEST:
        one = shape.at(size).whole.with_training_settings(spec.training_settings)
        if needs(one, kinds_of(one)) > MEMORY_SHARE * free:
            break
        specs.setdefault(one.parameters, one)
        size *= GROWTH
    if needs(spec, kinds_of(spec)) > MEMORY_SHARE * free:
        del specs[spec.parameters]
    return [specs[size] for size in sorted(specs)]


def sweep(
    spec: Model,
    budget: float = BUDGET,
    free: int | None = None,
    clock: Clock | None = None,
    measured: Measure = measure,
    probed: Callable[[int], Probe] = probe,
    pause: Callable[[float], object] = sleep,
) -> Iterator[Progress]:
    """Measure, small networks first, within ``budget`` seconds and ``free`` bytes of memory (the system's if None). A
    network that would not be done in time is not begun; then disturbed passes are measured again. Yields before each
    network, after each that is measured again, and at the end."""
    specs = plan(spec, _free() if free is None else free)
    if clock is not None:
        yield from _sweep(specs, budget, clock, measured, probed, pause)
        return
    with running_clock() as running:
        yield from _sweep(specs, budget, running, measured, probed, pause)


def sweep_onto(spec: Model, known: CostModel | None) -> Iterator[Progress]:
    """Sweep in a process of its own: yield cost models with the points ``known`` before, prepared for a screen."""
    for progress in sweep(spec):
        found = progress.cost_model
        if not found.points:
            yield progress
            continue
        if known is not None:
            found = with_points(replace(known, probe=found.probe), found.points)
        yield replace(progress, cost_model=found.prepare(shape_of(spec)))


def _sweep(
    specs: Sequence[Model],
    budget: float,
    clock: Clock,
    measured: Measure,
    probed: Callable[[int], Probe],
    pause: Callable[[float], object],
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
        kinds = kinds_of(one)
        each = min(LONGEST_KIND, budget / len(specs) / len(kinds) / 2)
        cost_model = with_points(cost_model, measured(one, each, kinds))
        last = clock() - start - past
    again = measured_again(cost_model, LONGEST_KIND / 2, measured, pause, SMALL)
    while clock() - start < budget and (found := next(again, None)) is not None:
        now, cost_model = found
        yield Progress(len(specs), len(specs), now, cost_model, clock() - start)
    yield Progress(len(specs), len(specs), None, cost_model, clock() - start)


def _free() -> int:
    return memory.available().bytes


__all__ = ["BUDGET", "InputError", "Progress", "checked", "plan", "sweep"]
