"""The claims page: claims of the lesson about the cost of a gradient, each beside the figure of this machine."""

from __future__ import annotations

from dataclasses import replace

from tui_backprop.cost.model.claims import Claim, claims_of, longer_in_time
from tui_backprop.render.cost_state import CostState
from tui_backprop.render.draw.context import RenderContext
from tui_backprop.render.draw.spans import Line, line, width, wrap
from tui_backprop.support.quantity import Content, Quantity, written

WHY = (
    "More in time than in MACs. It may be that reading and writing dW drives the weights out of the processor's"
    " caches; that was not tested here."
)
TABLE, ROOMY = 60, 96  # columns from which a claim has three columns, and from which four
CLAIMED = 16  # columns of a figure of the lesson
FIGURE = 46  # columns before a figure, and a gap of 2
LONG = 4  # lines beside a figure; longer texts stand below it


def claims_lines(costs: CostState, columns: int, context: RenderContext) -> list[Line]:
    """Draw the page."""
    cost_model = costs.cost_model
    if cost_model is None:
        return wrap("measuring a forward pass on this machine …", columns, "muted")
    raced = replace(costs, decade=None).raced  # of this network, not of the one at the cursor
    lines: list[Line] = []
    if columns >= TABLE:
        lines.append(line((f"{'':<32}{'the lesson':<{CLAIMED}}here", "muted")))
    else:
        lines += [line(("claim: in the lesson", "muted")), line(("  here", "muted"))]
    for claim in claims_of(costs.network, cost_model, raced):
        lines += _wide(claim, columns) if columns >= TABLE else _narrow(claim, columns)
    if longer_in_time(costs.network, cost_model):
        lines += [(), *wrap(WHY, columns, "muted")]
    return [context.fit(row) for row in lines]


def _wide(claim: Claim, columns: int) -> list[Line]:
    """Draw a claim in columns, with its source beside them, or below where there is no room."""
    claimed, here, how = map(written, (claim.claimed, claim.here, claim.how))
    here = f"{here:<11} "
    left = FIGURE + 2 + len(here)
    if left > columns:
        return _narrow(claim, columns)
    first = line((f"{claim.what:<32}", "text"), (f"{claimed:<{CLAIMED}}", "naive"), (here, "strong"))
    if columns < ROOMY:
        if not claim.what and not claimed and len(how) < FIGURE:  # another figure of the claim above
            return [line((f"{f'  {how}':<{FIGURE + 2}}", "muted"), (here, "strong"))]
        if left + len(how) <= columns:
            return [line(*first, (how, "muted"))]
        below = wrap(how, columns - 2, "muted") if how else []
        return [first, *(line("  ", *row) for row in below)]
    rows = wrap(how, columns - left, "muted")
    return [line(*first, *rows[0]), *(line((" " * left, "text"), *row) for row in rows[1:])]


def _narrow(claim: Claim, columns: int) -> list[Line]:
    claimed, here, how = written(claim.claimed), _short(claim.here, columns - 2), written(claim.how)
    heading = f"{claim.what}: {claimed}" if claimed else claim.what
    lines = wrap(heading, columns, "text") if heading else []
    first = f"{here:<11} "
    left = 2 + len(first)
    rest = wrap(how, columns - left, "muted")
    if len(rest) > LONG or any(left + width(row) > columns for row in rest):
        below = wrap(how, columns - 4, "muted")
        return [
            *lines,
            line(("  ", "text"), (here, "strong")),
            *(line((" " * 4, "text"), *row) for row in below),
        ]
    beside = rest[0] if rest else ()
    top = line(("  ", "text"), (first if beside else here, "strong"), *beside)
    return [*lines, top, *(line((" " * left, "text"), *row) for row in rest[1:])]


def _short(content: Content, columns: int) -> str:
    """Write a time in few characters if it does not fit otherwise."""
    text = written(content)
    if len(text) > columns and isinstance(content, Quantity):
        return replace(content, brief=True).written
    return text
