"""How far the projections of the cost panel can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tui_backprop.cost.model.busy_machine import busy_points
from tui_backprop.cost.model.certainty import (
    TOLERANCES,
    disturbed_sentence,
    refusal_sentences,
)
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import LeftOut
from tui_backprop.render.draw.context import UTF8, RenderContext
from tui_backprop.render.draw.spans import Line, wrap
from tui_backprop.support.format import (
    format_times,
)


def trust(cost_model: CostModel, columns: int, context: RenderContext = UTF8) -> list[Line]:
    """Draw the error of the cost model for measurements left out of it, and whether the machine was busy."""
    if cost_model.assumed:
        return wrap("the lesson's clock: a forward pass of 335,114 parameters takes 1 ms", columns, "muted")
    left = cost_model.left_out
    lines = wrap(context.text(TOLERANCES.written), columns, "muted")
    if left:
        inside = sum(one.inside for one in left)
        words = f"Leave-one-out test of the projection: off by {_off_by(left)};"
        words += f" {inside} of {len(left)} in their 95% interval."
        lines += wrap(words, columns, "muted")
    if far := cost_model.beyond:
        words = f"Fitted to small networks only: off by {_off_by(far)} for networks up to 100 times larger."
        lines += wrap(words, columns, "muted")
    for refused in refusal_sentences(cost_model):
        lines += wrap(refused.written, columns, "bad")
    if busy_points(cost_model.points):
        words = f"{disturbed_sentence(cost_model)}; {context.key('measure_again')} measures again"
        lines += wrap(words, columns, "bad")
    return lines


def _off_by(left: Sequence[LeftOut]) -> str:
    usual, worst = median(one.off for one in left), max(one.off for one in left)
    return f"{format_times(usual)}x (median), {format_times(worst)}x (worst)"
