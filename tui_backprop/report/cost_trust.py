"""How far the cost model can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from tui_backprop.cost.model.busy_machine import busy_points
from tui_backprop.cost.model.certainty import (
    disturbed_sentence,
    refusal_sentences,
)
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import LeftOut
from tui_backprop.report.rows import Row, Sentence
from tui_backprop.support.format import format_times
from tui_backprop.support.quantity import Text, phrase, ratio


def trust_rows(cost_model: CostModel) -> Iterator[Row]:
    """Yield the error of the cost model for measurements left out of it, and whether the machine was busy."""
    noisy = busy_points(cost_model.points)
    yield from (Sentence(words) for words in refusal_sentences(cost_model))
    if left := cost_model.left_out:
        yield _tested(
            left, "measured passes, each left out of the cost model in turn and predicted from the others"
        )
    if left := cost_model.beyond:
        yield _tested(left, "passes of the largest networks, predicted from networks 100 times smaller")
    if noisy:
        yield Sentence(f"{disturbed_sentence(cost_model)}; run this again when it is idle")
    if not (noisy or cost_model.left_out or cost_model.beyond):
        yield Sentence("too few measurements to test the cost model")


def _tested(left: Sequence[LeftOut], words: str) -> Sentence:
    usual, worst = median(one.off for one in left), max(one.off for one in left)
    inside = sum(one.inside for one in left)
    return Sentence(
        phrase(
            f"{len(left)} {words}: off by {{}} (median), {{}} (worst); {inside} of {len(left)} inside their 95%"
            " interval",
            Text(ratio(usual).written, f"a factor of {format_times(usual)}"),
            ratio(worst),
        )
    )
