"""Basis and tolerance of an estimate, as quantities and words."""

from __future__ import annotations

import math

from tui_backprop.cost.model.busy_machine import QUIET_SHARE, busy_points
from tui_backprop.cost.model.cost_model import CostModel
from tui_backprop.cost.model.estimates import Estimate
from tui_backprop.support.format import format_ratio, format_share
from tui_backprop.support.quantity import Quantity, Text, joined, phrase, ratio

# Meaning of a tolerance.
_MEANING = "95% interval, of a new measurement (measured) or of the fit (projected)"
TOLERANCES = Text(f"±: {_MEANING}", f"Percentages: {_MEANING}")
BUSY = "busy"  # after the basis of a figure, and in its row
EXACT = 1.005  # factor below which no tolerance is shown
FACTOR = 1.5  # from which it is written as a factor, not in percent
DECIMALS = (1.5, 2), (3.0, 1)  # (factor, decimals) of a ratio whose interval is narrower


def machines_to_match(slower: float) -> str:
    """Return how many machines make up for a method so many times ``slower``, rounded as by ``format_ratio``."""
    return format_ratio(slower) if slower >= 100 else f"{max(math.ceil(slower), 1)}"


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
    busy = f", {BUSY}" if estimate.busy else ""
    return phrase(known) if within is None or cost_model.assumed else phrase(known + " {}" + busy, within)


def digits(*estimates: Estimate) -> int:
    """Return the decimals that a ratio of these estimates has."""
    factor = math.prod(map(factor_of, estimates))
    return next((decimals for most, decimals in DECIMALS if factor < most), 0)


def rounded_ratio(one: Estimate, other: Estimate) -> float:
    """Return the ratio of two estimates; rounded to one digit where the machine was busy."""
    found = one.middle / other.middle
    return few_digits(found) if one.busy or other.busy else found


def few_digits(value: float) -> float:
    """Round a ratio to one digit."""
    return float(f"{value:.0e}")


def ratio_of(one: Estimate, other: Estimate) -> Quantity:
    """Return the ratio of two estimates as a quantity, with no more decimals than it has."""
    found, decimals = rounded_ratio(one, other), 0 if one.busy or other.busy else digits(one, other)
    if found < 1:
        return ratio(found)
    return ratio(found if decimals else few_digits(found), decimals)


def busy_sentence(cost_model: CostModel, *estimates: Estimate) -> str:
    """Say how busy the machine was while it was measured; empty if none of some estimates was disturbed."""
    if not any(estimate.busy for estimate in estimates):
        return ""
    share = cost_model.share
    return (
        f"busy: {format_share(share)} of a core was ours"
        if share < QUIET_SHARE
        else "busy: times vary widely"
    )


def longer_now(cost_model: CostModel) -> float:
    """Return how many times as long as on an idle core work takes with the share of a core that measurements had; 1
    if the machine was not busy."""
    return 1.0 if cost_model.share >= QUIET_SHARE else 1 / cost_model.share


def disturbed_sentence(cost_model: CostModel) -> str:
    """Say how many of the measurements were disturbed."""
    noisy = busy_points(cost_model.points)
    verb = "was" if len(noisy) == 1 else "were"
    return f"{len(noisy)} of {len(cost_model.points)} measurements {verb} disturbed: the machine was busy"


def refusal_sentences(cost_model: CostModel) -> list[Text]:
    """Say which measurements are refused, and why."""
    found: dict[str, list[Quantity]] = {}
    for refusal in cost_model.refused:
        size = Quantity(refusal.point.parameters, "count")
        sizes = found.setdefault(refusal.why, [])
        if size.written not in [each.written for each in sizes]:
            sizes.append(size)
    return [
        phrase(f"Refused: at {{}} {_parameters(sizes)} {why}", joined(tuple(sizes), ", "))
        for why, sizes in found.items()
    ]


def _parameters(sizes: list[Quantity]) -> str:
    return "parameter" if [each.value for each in sizes] == [1] else "parameters"


def brief_tolerance(estimate: Estimate) -> Text:
    """Return the tolerance where there is little room, or in a column headed "within": ±4%, 52.8x."""
    found = tolerance(estimate)
    if found is None:
        return Text("", "")
    return Text(found.written.removeprefix("within "), found.spoken)
