"""What the lesson says a gradient costs, each claim beside what this machine measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.landmarks import LESSON_FORWARD, LESSON_PASSES, LESSON_SIZE, TRAINING_STEPS
from tui_backprop.engine.network.spec import backprop_ratio
from tui_backprop.render.cost.cost import source
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, cut, line, width, wrap
from tui_backprop.render.view_state import CostState
from tui_backprop.support.format import format_duration, format_short_count

WHY = (
    "More in time than in MACs. It may be that reading and writing dW drives the weights out of the processor's"
    " caches; that was not tested here."
)
TABLE, ROOMY = 60, 96  # columns from which a claim has three columns, and a fourth
LONG = 4  # lines beside what is so here, beyond which they stand below it


@dataclass(frozen=True)
class Claim:
    """What the lesson ``said``, and what is so ``here``; ``how`` that is known."""

    what: str
    said: str
    here: str
    how: str


def claims_of(costs: CostState, cost_model: CostModel) -> list[Claim]:
    """The lesson's claims against the network in hand, on this machine's clock (or the lesson's own)."""
    network, shape = costs.network, costs.shape
    p = network.parameters
    forward, backprop, naive = (
        cost_model.seconds("forward", shape),
        cost_model.gradient("backprop", shape),
        cost_model.gradient("naive", shape),
    )
    raced = replace(costs, decade=None).raced  # of this network, wherever the cursor is
    one = naive.middle if raced is None else raced
    how = f"{p + 1:,} times one forward pass" if raced is None else "run for real, in the race"
    said = LESSON_PASSES * LESSON_FORWARD / 60
    steps = f"{TRAINING_STEPS:,} steps"
    counted = "counted, as in the lesson" if p == LESSON_SIZE else "counted"
    macs, time = f"{backprop_ratio(network):.2f}x", f"{backprop.middle / forward.middle:.2f}x"
    return [
        Claim("parameters", "about 330,000", f"{p:,}", counted),
        Claim(
            "forward passes",
            f"{LESSON_PASSES:,}",
            f"{p + 1:,}",
            "one for each parameter, and one as it is",
        ),
        Claim(
            "one forward pass", "1 ms, assumed", format_duration(forward.middle), source(forward, cost_model)
        ),
        Claim("one gradient, numerically", f"{said:.1f} minutes", format_duration(one), how),
        Claim(
            f"{steps} of that",
            "over a year",
            format_duration(TRAINING_STEPS * one),
            f"projected: {TRAINING_STEPS:,} such gradients",
        ),
        Claim("forward and backward", "about 3x", macs, "of a forward pass, in MACs: counted"),
        Claim("", "", time, f"in time: {format_duration(backprop.middle)}, {source(backprop, cost_model)}"),
        *_at_sizes(costs, cost_model),
        Claim(f"{steps} of backprop", "", format_duration(TRAINING_STEPS * backprop.middle), "projected"),
    ]


def _at_sizes(costs: CostState, cost_model: CostModel) -> list[Claim]:
    """The same ratio at every size that was measured, this network's first, and where the machine was busy."""
    points = {(point.kind, point.shape): point for point in cost_model.points}
    both = [
        (forward, points["backprop", forward.shape])
        for forward in cost_model.points
        if forward.kind == "forward" and ("backprop", forward.shape) in points
    ]
    if not both:
        return []
    both.sort(key=lambda pair: (pair[0].shape != costs.shape, pair[0].parameters))
    ratios = [backprop.median / forward.median for forward, backprop in both]
    sizes = ", ".join(
        f"{ratio:.1f}x at {format_short_count(forward.parameters)}"
        + " (busy)" * (forward.busy or backprop.busy)
        for ratio, (forward, backprop) in zip(ratios, both, strict=True)
    )
    least, most = (f"{end(ratios):.1f}" for end in (min, max))
    here = f"{least}x" if least == most else f"{least}-{most}x"
    return [Claim("whatever the size", "always about 3x", here, f"in time: {sizes}")]


def longer_in_time(costs: CostState, cost_model: CostModel) -> bool:
    """Whether forward and backward pass take clearly more of a forward pass in time than in MACs, as measured."""
    forward, backprop = (cost_model.seconds(kind, costs.shape) for kind in ("forward", "backprop"))
    measured = forward.measured and backprop.measured
    return measured and backprop.low / forward.high > backprop_ratio(costs.network)


def claims_lines(costs: CostState, columns: int, rows: int, context: RenderContext) -> list[Line]:
    """At most ``rows`` lines."""
    cost_model = costs.cost_model
    if cost_model is None:
        return [line(("measuring a forward pass on this machine …", "muted"))]
    lines: list[Line] = []
    if columns >= TABLE:
        lines.append(line((f"{'':<32}{'the lesson':<16}here", "muted")))
    for claim in claims_of(costs, cost_model):
        lines += _wide(claim, columns) if columns >= TABLE else _narrow(claim, columns)
    why = [(), *wrap(WHY, columns, "muted")]
    if len(lines) + len(why) <= rows and longer_in_time(costs, cost_model):
        lines += why
    return [context.fit(row) for row in lines][:rows]


def _wide(claim: Claim, columns: int) -> list[Line]:
    """What, said and here in columns; how it is known beside them, or below where there is no room."""
    here = f"{claim.here:<11} "
    left = 48 + len(here)
    if left > columns:
        return _narrow(claim, columns)
    first = line((f"{claim.what:<32}", "text"), (f"{claim.said:<16}", "naive"), (here, "strong"))
    if columns < ROOMY:
        return [first, line((f"  {cut(claim.how, columns - 2)}", "muted"))]
    how = wrap(claim.how, columns - left, "muted")
    return [line(*first, *how[0]), *(line((" " * left, "text"), *row) for row in how[1:])]


def _narrow(claim: Claim, columns: int) -> list[Line]:
    said = f"{claim.what}: {claim.said}" if claim.said else claim.what
    lines = wrap(said, columns, "text") if said else []
    here = (f"{claim.here:<11} ", "strong")
    left = 2 + len(here[0])
    rest = wrap(claim.how, columns - left, "muted")
    if len(rest) > LONG or any(left + width(row) > columns for row in rest):
        below = wrap(claim.how, columns - 4, "muted")
        return [
            *lines,
            line(("  ", "text"), (claim.here, "strong")),
            *(line((" " * 4, "text"), *row) for row in below),
        ]
    first = line(("  ", "text"), here, *(rest[0] if rest else ()))
    return [*lines, first, *(line((" " * left, "text"), *row) for row in rest[1:])]
