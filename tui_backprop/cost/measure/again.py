"""Measure again what was disturbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import sleep

from tui_backprop.cost.measure.timing import TURNS
from tui_backprop.cost.model.busy_machine import steadier
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Measured
from tui_backprop.cost.model.network_shape import CostShape
from tui_backprop.cost.model.workload import PASS_KINDS
from tui_backprop.engine.network.model import Model

TRIES, PAUSE = 2, 0.3  # times that disturbed passes are measured again, and seconds before each

Measure = Callable[[Model, float, Sequence[str]], tuple[Measured, ...]]


def with_points(cost_model: CostModel, found: Sequence[Measured]) -> CostModel:
    """Return a cost model with the points ``found``; of two of the same kind and shape it has the less disturbed, or
    the later one."""
    points = {(point.kind, point.shape): point for point in cost_model.points}
    for point in found:
        key = point.kind, point.shape
        points[key] = steadier(points[key], point) if key in points else point
    return CostModel(tuple(sorted(points.values(), key=lambda p: (p.parameters, p.kind))), cost_model.probe)


def combined(found: Sequence[Measured]) -> list[Measured]:
    """Combine the measurements of each pass at several times into one, from the quickest to the slowest that were not
    disturbed: how far they are apart is what a single one cannot know."""
    passes: dict[tuple[str, CostShape], list[Measured]] = {}
    for point in found:
        passes.setdefault((point.kind, point.shape), []).append(point)
    return [_combined(points) for points in passes.values()]


def _combined(points: Sequence[Measured]) -> Measured:
    counted = [point for point in points if not point.busy] or points
    return replace(
        counted[0],
        low=min(point.low for point in counted),
        middle=min(point.middle for point in counted),
        high=max(point.high for point in counted),
        runs=sum(point.runs for point in counted),
        share=min(point.share for point in counted),
    )


def disturbed(cost_model: CostModel) -> Mapping[Model, tuple[str, ...]]:
    """Return the networks and kinds of passes to measure again: busy ones, with those that are timed in turns with
    them, and refused ones."""
    refused = [refusal.point for refusal in cost_model.refused]
    wanted: dict[Model, tuple[str, ...]] = {}
    for point in cost_model.points:
        if point.busy or point in refused:
            spec = spec_of(point)
            there = {other.kind for other in cost_model.points if other.shape == point.shape}
            together = next(kinds for kinds in TURNS if point.kind in kinds)
            kinds = {*wanted.get(spec, ()), *(kind for kind in together if kind in there)}
            wanted[spec] = tuple(kind for kind in PASS_KINDS if kind in kinds)
    return wanted


def measured_again(
    cost_model: CostModel,
    budget: float,
    again: Measure,
    pause: Callable[[float], object] = sleep,
    most: float = float("inf"),
) -> Iterator[tuple[int, CostModel]]:
    """Measure disturbed passes of networks of ``most`` parameters again, TRIES times at the most, with a pause before
    each; yield the parameters of each network measured, and the cost model then."""
    for _ in range(TRIES):
        wanted = {spec: kinds for spec, kinds in disturbed(cost_model).items() if spec.parameters <= most}
        if not wanted:
            return
        pause(PAUSE)
        for spec, kinds in wanted.items():
            cost_model = with_points(cost_model, again(spec, budget, kinds))
            yield spec.parameters, cost_model


def spec_of(point: Measured) -> Model:
    """Return the network of a measured point, but for what changes no time."""
    return point.shape.whole
