"""How far an estimate is to be trusted, and what it rests on, as quantities and words."""

from __future__ import annotations

from tui_backprop.cost.model.cost_model import CostModel, Estimate
from tui_backprop.support.quantity import Quantity, Text, phrase, ratio

# What a tolerance means.
_MEANING = "the farther quartile of the repeats where a pass was measured, else a 95% interval"
TOLERANCES = Text(f"±: {_MEANING}", f"Percentages: {_MEANING}")
EXACT = 1.005  # a factor below which nothing is said of it
FACTOR = 1.5  # from which it is said as a factor, not in percent


def factor_of(estimate: Estimate) -> float:
    """By which factor the truth may differ, 1 or more; where the interval begins at 0, nothing is known of it: 1."""
    if not estimate.low:
        return 1.0
    return max(estimate.high / estimate.middle, estimate.middle / estimate.low)


def tolerance(estimate: Estimate) -> Quantity | None:
    """Show that factor: ±4%, or within 2.0x; None where the estimate is exact."""
    factor = factor_of(estimate)
    if factor < EXACT:
        return None
    return Quantity(factor - 1, "±") if factor < FACTOR else Quantity(factor, "within")


def basis(estimate: Estimate, cost_model: CostModel) -> str:
    """What an estimate rests on: it is measured, projected or assumed."""
    if cost_model.assumed:
        return "assumed"
    return "measured" if estimate.measured else "projected"


def source(estimate: Estimate, cost_model: CostModel) -> Text:
    """What it rests on, and how sure it is: measured ±4%."""
    known, sure = basis(estimate, cost_model), tolerance(estimate)
    return phrase(known) if sure is None or cost_model.assumed else phrase(known + " {}", sure)


def brief_tolerance(estimate: Estimate) -> Text:
    """The tolerance where there is little room, or where its head says "within": ±4%, 52.8x."""
    found = tolerance(estimate)
    if found is None:
        return Text("", "")
    return Text(found.written if found.unit == "±" else ratio(found.value, 1).written, found.spoken)
