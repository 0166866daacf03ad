"""Basis and tolerance of an estimate, as quantities and words."""

from __future__ import annotations

from math import ceil

from tui_backprop.cost.model.cost_model import CostModel, Estimate
from tui_backprop.support.format import format_ratio
from tui_backprop.support.quantity import Quantity, Text, phrase

# Meaning of a tolerance.
_MEANING = "farther quartile of the repeats if measured, 95% interval if projected"
TOLERANCES = Text(f"±: {_MEANING}", f"Percentages: {_MEANING}")
EXACT = 1.005  # factor below which no tolerance is shown
FACTOR = 1.5  # from which it is written as a factor, not in percent


def machines_to_match(ratio: float) -> str:
    """Return how many machines make up for a method slower by a ``ratio``, rounded as ``format_ratio`` rounds it."""
    return format_ratio(ratio) if ratio >= 100 else f"{max(ceil(ratio), 1)}"


def factor_of(estimate: Estimate) -> float:
    """Return the factor by which the true value may differ, at least 1; 1 if the interval begins at 0."""
    if not estimate.low:
        return 1.0
    return max(estimate.high / estimate.middle, estimate.middle / estimate.low)


def tolerance(estimate: Estimate) -> Quantity | None:
    """Return that factor as a quantity: ±4%, or within 2.0x; None if the estimate is exact."""
    factor = factor_of(estimate)
    if factor < EXACT:
        return None
    return Quantity(factor - 1, "±") if factor < FACTOR else Quantity(factor, "within")


def basis(estimate: Estimate, cost_model: CostModel) -> str:
    """Return "measured", "projected" or "assumed"."""
    if cost_model.assumed:
        return "assumed"
    return "measured" if estimate.measured else "projected"


def source(estimate: Estimate, cost_model: CostModel) -> Text:
    """Return basis and tolerance of an estimate: measured ±4%."""
    known, within = basis(estimate, cost_model), tolerance(estimate)
    return phrase(known) if within is None or cost_model.assumed else phrase(known + " {}", within)


def brief_tolerance(estimate: Estimate) -> Text:
    """Return the tolerance where there is little room, or in a column headed "within": ±4%, 52.8x."""
    found = tolerance(estimate)
    if found is None:
        return Text("", "")
    return Text(found.written.removeprefix("within "), found.spoken)
