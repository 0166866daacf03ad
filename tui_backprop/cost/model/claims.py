"""Claims of the lesson about the cost of a gradient, each beside the figure of this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.cost.model.busy_machine import Elapsed
from tui_backprop.cost.model.certainty import ratio_of, source
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.cost.model.landmarks import LESSON_FORWARD, LESSON_PASSES, LESSON_SIZE, TRAINING_STEPS
from tui_backprop.cost.model.network_shape import CostShape, shape_of
from tui_backprop.engine.network.model import Model
from tui_backprop.support.format import format_share
from tui_backprop.support.quantity import Content, Quantity, Text, joined, phrase, ratio, seconds
from tui_backprop.support.units import MINUTE


@dataclass(frozen=True)
class Claim:
    """A figure ``claimed`` by the lesson, the figure ``here``, and ``how`` it was found."""

    what: str
    claimed: Content
    here: Content
    how: Content


def claims_of(network: Model, cost_model: CostModel, raced: Elapsed | None = None) -> list[Claim]:
    """Compare the claims of the lesson with a network, in the times of the cost model. ``raced`` is the time of a
    completed race of the naive method, if there was one."""
    shape, p = shape_of(network), network.parameters
    forward = cost_model.seconds("forward", shape)
    backprop, naive = (cost_model.gradient(name, shape) for name in ("backprop", "naive"))
    one = naive.middle if raced is None else raced.on_idle_core
    each = seconds(naive.middle / (p + 1))
    of_each = phrase(f"{{}}: {p + 1:,} passes, {{}} each", source(naive, cost_model), each)
    how = of_each if raced is None else _in_race(raced)
    claimed = LESSON_PASSES * LESSON_FORWARD / MINUTE
    steps = f"{TRAINING_STEPS:,} steps"
    counted = "counted, as in the lesson" if p == LESSON_SIZE else "counted"
    in_time = phrase("in time: {}, {}", seconds(backprop.middle), source(backprop, cost_model))
    return [
        Claim("parameters", "about 330,000", f"{p:,}", counted),
        Claim(
            "forward passes",
            f"{LESSON_PASSES:,}",
            f"{p + 1:,}",
            "one for each parameter, and one unperturbed",
        ),
        Claim(
            "one forward pass",
            Text("1 ms, assumed", "1 millisecond, assumed"),
            seconds(forward.middle),
            source(forward, cost_model),
        ),
        Claim("one gradient, numerically", f"{claimed:.1f} minutes", seconds(one), how),
        Claim(
            f"{steps} of that",
            "over a year",
            seconds(TRAINING_STEPS * one),
            f"projected: {TRAINING_STEPS:,} such gradients",
        ),
        Claim(
            "forward and backward",
            phrase("about {}", ratio(3, 0)),
            ratio(shape_of(network).counted_ratio),
            f"a forward pass, in {shape.counted_in}: counted",
        ),
        Claim("", "", ratio_of(backprop, forward), in_time),
        *_at_sizes(shape, cost_model),
        Claim("the gradients", "exact", "up to rounding", ""),
        Claim(f"{steps} of backprop", "", seconds(TRAINING_STEPS * backprop.middle), "projected"),
    ]


def _in_race(raced: Elapsed) -> Content:
    """Say that a time is that of a race; where other work took a part of the core, that it is its CPU time."""
    if not raced.busy:
        return "measured, in the race"
    return phrase(
        f"CPU time of the race, which took {{}} with {format_share(raced.share)} of a core",
        seconds(raced.seconds),
    )


def _at_sizes(shape: CostShape, cost_model: CostModel) -> list[Claim]:
    """Compare forward and backward with forward at every size measured, this network's first, busy ones marked."""
    known = [p for p in cost_model.sound if p.kind == "forward" and cost_model.point("backprop", p.shape)]
    if not known:
        return []
    shapes = [p.shape for p in sorted(known, key=lambda p: (p.shape != shape, p.parameters))]
    both = [tuple(cost_model.seconds(kind, one) for kind in ("forward", "backprop")) for one in shapes]
    sizes = [_at_size(one, *pair) for one, pair in zip(shapes, both, strict=True)]
    ratios = sorted((_brief_ratio(*pair) for pair in both), key=lambda one: one.value)
    least, most = ratios[0], ratios[-1]
    texts = least.written.removesuffix("x"), most.written
    here = least if texts[0] + "x" == texts[1] else Text("-".join(texts), f"{texts[0]} to {most.spoken}")
    how = phrase("in time: {}", joined(tuple(sizes), ", "))
    return [Claim("at any size", phrase("always about {}", ratio(3, 0)), here, how)]


def _at_size(shape: CostShape, forward: Estimate, backprop: Estimate) -> Text:
    busy = " (busy)" if forward.busy or backprop.busy else ""
    size = Quantity(round(shape.parameters), "count")
    return phrase("{} at {}" + busy, _brief_ratio(forward, backprop), size)


def _brief_ratio(forward: Estimate, backprop: Estimate) -> Quantity:
    found = ratio_of(backprop, forward)
    return replace(found, decimals=min(found.decimals, 1))


def longer_in_time(network: Model, cost_model: CostModel) -> bool:
    """Return True if forward and backward take clearly more of a forward pass in time than in MACs, as measured."""
    forward, backprop = (cost_model.seconds(kind, shape_of(network)) for kind in ("forward", "backprop"))
    measured = forward.measured and backprop.measured
    return measured and backprop.low / forward.high > shape_of(network).counted_ratio
